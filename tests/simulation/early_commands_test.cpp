// Commands and ends that come before a Connection is ready.

#include "taps/tests/support/simulation/simulation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

namespace {

/// Waits for a greeting that never comes.
class patient_framer final : public framer {
public:
  std::string_view name() const noexcept override { return "patient"; }
  void start(framer_context&) override {}
  result<void> new_sent_message(framer_context& context, slice data, const message_context&,
                                bool) override {
    context.send(std::move(data));
    return {};
  }
  void handle_received_data(framer_context&) override {}
};

/// Chokes on the first Message.
class choking_framer final : public framer {
public:
  std::string_view name() const noexcept override { return "choking"; }
  result<void> new_sent_message(framer_context&, slice, const message_context&, bool) override {
    throw std::runtime_error{"thrown by a test"};
  }
  void handle_received_data(framer_context&) override {}
};

class early_commands : public ::testing::Test {
protected:
  early_commands() {
    sim.network().accept("192.0.2.1:80", 20ms);
    sim.network().black_hole("192.0.2.2:80");
  }

  simulation sim;
  recorder& owner = sim.owner();
};

}  // namespace

TEST_F(early_commands, clone_of_a_connection_that_is_still_establishing) {
  auto pre = sim.to("192.0.2.1", 80);
  auto first = initiate(pre, owner);
  auto second = clone(first, owner);
  auto third = clone(second, owner);
  sim.run_for(1s);
  EXPECT_EQ(owner.count<ready>(), 3u) << owner.text();
  EXPECT_EQ(owner.events().size(), 3u) << owner.text();
}

TEST_F(early_commands, clone_of_a_connection_that_has_ended_fails) {
  auto first = initiate(sim.to("192.0.2.1", 80), owner);
  sim.run_for(1s);
  close(first);
  sim.run_for(1s);
  ASSERT_EQ(owner.count<closed>(), 1u);
  auto second = clone(first, owner);
  sim.run_for(1s);
  ASSERT_EQ(owner.count<establishment_error>(), 1u) << owner.text();
  EXPECT_EQ(owner.last<establishment_error>()->reason.reason(), errc::not_cloneable);
  EXPECT_EQ(sim.num_residents(), 0u);
}

TEST_F(early_commands, clone_of_nothing_fails) {
  auto none = clone(connection{}, owner);
  EXPECT_FALSE(none);
  sim.run_for(1s);
  EXPECT_EQ(owner.count<establishment_error>(), 1u) << owner.text();
}

TEST_F(early_commands, an_owner_that_is_none_gets_nothing) {
  EXPECT_FALSE(initiate(sim.to("192.0.2.1", 80), owner_ref{caf::actor{}}));
  EXPECT_FALSE(listen(sim.at(80), owner_ref{caf::actor{}}));
  sim.run_for(1s);
  EXPECT_EQ(sim.num_residents(), 0u);
}

TEST_F(early_commands, properties_wait_for_the_protocol) {
  auto pre = sim.to("192.0.2.1", 80);
  auto conn = initiate(pre, owner);
  set_property(conn, "connPriority", std::int64_t{7});
  sim.run_for(1s);
  property_value priority;
  owner.run([&](caf::event_based_actor* self) {
    self->request(conn, caf::infinite, get_properties_command{}).then([&](const property_list& x) {
      priority = x.get("connPriority");
    });
  });
  sim.run_for(1s);
  EXPECT_EQ(priority.get_or<std::int64_t>(0), 7);
}

TEST_F(early_commands, close_and_quit_before_ready_loses_nothing) {
  auto pre = sim.to("192.0.2.1", 80);
  owner.run([&](caf::event_based_actor* self) {
    auto conn = initiate(pre, self);
    taps::send(conn, "a last word");
    close(conn);
    self->quit();
  });
  sim.run_until_idle();
  ASSERT_EQ(sim.network().peers().size(), 1u);
  EXPECT_EQ(sim.network().peers()[0]->received(), "a last word");
  EXPECT_TRUE(sim.network().peers()[0]->finished());
  EXPECT_EQ(sim.num_residents(), 0u);
}

TEST_F(early_commands, an_edit_counts_for_the_next_connection_when_the_first_is_over) {
  auto pre = sim.to("192.0.2.1", 80);
  initiate(pre, owner);
  sim.run_for(1s);
  ASSERT_EQ(owner.count<ready>(), 1u);
  close(owner.last<ready>()->connection);
  sim.run_for(1s);
  owner.clear();
  sim.run_until_idle();
  pre.set_security(security_parameters{});
  initiate(pre, owner);
  sim.run_for(1s);
  EXPECT_EQ(owner.count<ready>(), 0u) << "plain text, although security is on";
  ASSERT_EQ(owner.count<establishment_error>(), 1u) << owner.text();
  EXPECT_EQ(owner.last<establishment_error>()->reason.reason(), errc::no_candidates);
}

TEST_F(early_commands, the_longest_times_are_no_times_at_all) {
  action_options for_ever;
  for_ever.timeout = duration::max();
  auto properties = reliable_inorder_stream();
  properties.with(property_id::conn_timeout, duration::max());
  auto conn = initiate(sim.to("192.0.2.1", 80, properties), owner, for_ever);
  sim.run_for(1s);
  ASSERT_EQ(owner.count<ready>(), 1u) << owner.text();
  send(conn, std::string(1024 * 1024, 'x'));
  close(conn);
  sim.run_for(1h);
  EXPECT_EQ(owner.count<closed>(), 1u) << owner.text();
  EXPECT_EQ(sim.network().peers()[0]->received().size(), 1024u * 1024);
}

TEST_F(early_commands, each_send_is_answered_when_a_framer_throws_at_the_first) {
  auto pre = sim.to("192.0.2.1", 80);
  pre.add_framer([] { return std::make_unique<choking_framer>(); });
  auto conn = initiate(pre, owner);
  send(conn, "one");
  send(conn, "two");
  sim.run_for(1s);
  EXPECT_EQ(owner.count<send_error>(), 2u) << owner.text();
  ASSERT_EQ(owner.count<connection_error>(), 1u) << owner.text();
  EXPECT_THAT(to_string(owner.last<connection_error>()->reason), HasSubstr("choking"));
  EXPECT_EQ(owner.last<connection_error>(), &std::get<connection_error>(owner.events().back()));
}

TEST_F(early_commands, accepted_handshakes_end_and_nobody_hears_of_them) {
  auto& server = sim.owner();
  auto place = sim.at(5000);
  place.add_framer([] { return std::make_unique<patient_framer>(); });
  auto listener = listen(place, server);
  sim.settle();
  const auto before = sim.num_residents();
  auto conn = initiate(sim.to("192.0.2.7", 5000), owner);
  sim.run_for(1s);
  ASSERT_EQ(owner.count<ready>(), 1u) << owner.text();
  EXPECT_EQ(sim.num_residents(), before + 2);
  receive(conn);
  sim.run_for(40s);
  EXPECT_EQ(owner.count<connection_error>(), 1u) << owner.text();
  EXPECT_EQ(sim.num_residents(), before);
  EXPECT_EQ(server.text(), "");
  // Nor of those that the end of their owner meets in a handshake.
  auto again = initiate(sim.to("192.0.2.7", 5000), owner);
  sim.run_for(1s);
  server.end();
  sim.run_for(1s);
  EXPECT_EQ(server.text(), "");
}
