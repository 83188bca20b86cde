// The simulation itself: time, order, names.

#include "taps/tests/support/simulation/simulation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <caf/send.hpp>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace {

class loop : public ::testing::Test {
protected:
  /// Notes `text` with the time, after `delay`.
  event_id note(duration delay, std::string text, std::size_t shard = 0) {
    return sim.shard_at(shard).after(delay, [this, text] { owner.note(text); });
  }

  simulation sim{{.shards = 2}};
  recorder& owner = sim.owner();
};

}  // namespace

// -- time -------------------------------------------------------------------------------------

TEST_F(loop, starts_off_zero) {
  EXPECT_EQ(sim.elapsed(), 0ns);
  EXPECT_GT(sim.shard_at(0).now(), time_point{});
  EXPECT_EQ(sim.shard_at(0).now(), sim.shard_at(1).now());
}

TEST_F(loop, stands_still_while_something_is_runnable) {
  note(0ns, "now");
  note(1ns, "later");
  EXPECT_TRUE(sim.settle());
  EXPECT_THAT(owner.lines(), ElementsAre("0.000 now"));
  EXPECT_EQ(sim.elapsed(), 0ns);
}

TEST_F(loop, runs_what_is_due_at_the_same_time_in_the_order_of_scheduling) {
  for (const auto* x : {"a", "b", "c"})
    note(10ms, x);
  note(5ms, "first");
  sim.run_until_idle();
  EXPECT_THAT(owner.lines(), ElementsAre("0.005 first", "0.010 a", "0.010 b", "0.010 c"));
}

TEST_F(loop, shards_take_turns) {
  note(10ms, "one", 1);
  note(10ms, "zero", 0);
  sim.run_until_idle();
  EXPECT_THAT(owner.lines(), ElementsAre("0.010 zero", "0.010 one"));
}

TEST_F(loop, cancelled_events_do_not_happen) {
  const auto which = note(10ms, "never");
  sim.shard_at(0).cancel(which);
  EXPECT_TRUE(sim.run_until_idle());
  EXPECT_THAT(owner.lines(), IsEmpty());
  EXPECT_EQ(sim.elapsed(), 0ns);
}

TEST_F(loop, run_for_does_everything_in_time_and_advance_late) {
  note(10ms, "a");
  note(20ms, "b");
  note(40ms, "c");
  sim.run_for(20ms);
  EXPECT_EQ(sim.elapsed(), 20ms);
  EXPECT_THAT(owner.lines(), ElementsAre("0.010 a", "0.020 b"));
  sim.advance(1s);
  EXPECT_EQ(owner.lines().back(), "1.020 c");
}

TEST_F(loop, run_until_stops_as_soon_as_it_may) {
  bool done = false;
  sim.shard_at(0).after(30ms, [&] { done = true; });
  note(31ms, "later");
  EXPECT_TRUE(sim.run_until([&] { return done; }));
  EXPECT_EQ(sim.elapsed(), 30ms);
  EXPECT_THAT(owner.lines(), IsEmpty());
  EXPECT_FALSE(sim.run_until([] { return false; }, 5ms));
  EXPECT_EQ(sim.elapsed(), 35ms);
}

TEST_F(loop, run_until_idle_gives_up_on_clocks_that_tick_for_ever) {
  event_id next{};
  std::function<void()> tick = [&] { next = sim.shard_at(0).after(1s, tick); };
  tick();
  EXPECT_FALSE(sim.run_until_idle(10s));
  EXPECT_LE(sim.elapsed(), 10s);
  EXPECT_GE(sim.elapsed(), 9s);
  sim.shard_at(0).cancel(next);
}

TEST_F(loop, settle_tells_that_something_spins) {
  bool stop = false;
  std::function<void()> spin = [&] {
    if (!stop)
      sim.shard_at(0).after(0ns, spin);
  };
  spin();
  EXPECT_FALSE(sim.settle());
  stop = true;
  EXPECT_TRUE(sim.settle());
}

// -- CAF under the same clock --------------------------------------------------------------------

TEST_F(loop, delayed_messages_of_caf_come_in_virtual_time) {
  for (auto* who : {&owner, &sim.unpinned_owner()}) {
    const auto begin = sim.elapsed();
    who->run([who](caf::event_based_actor* self) {
      self->delayed_send(self, 250ms, recorder_task{[who](auto*) { who->note("late"); }});
    });
    sim.run_for(250ms - 1ns);
    EXPECT_THAT(who->lines(), IsEmpty());
    sim.run_for(1ns);
    EXPECT_EQ(who->lines().size(), 1u);
    EXPECT_EQ(sim.elapsed() - begin, 250ms);
  }
}

TEST_F(loop, request_timeouts_of_caf_pass_in_virtual_time) {
  auto mute = sim.system().spawn([](caf::event_based_actor* self) -> caf::behavior {
    self->set_default_handler(caf::skip);
    return {[](caf::unit_t) {}};
  });
  owner.run([&, mute](caf::event_based_actor* self) {
    self->request(mute, 3s, stop_command{})
        .then([](caf::unit_t) {}, [&](const caf::error&) { owner.note("timeout"); });
  });
  sim.run_until_idle();
  EXPECT_THAT(owner.lines(), ElementsAre("3.000 timeout"));
  caf::anon_send_exit(mute, caf::exit_reason::kill);
}

TEST_F(loop, properties_can_be_asked_for) {
  sim.network().accept("192.0.2.1:80");
  auto c = initiate(sim.to("192.0.2.1", 80), owner);
  sim.run_for(1s);
  std::string state;
  owner.run([&](caf::event_based_actor* self) {
    self->request(c, caf::infinite, get_properties_command{}).then([&](const property_list& x) {
      state = to_string(x.get("connState"));
    });
  });
  sim.settle();
  EXPECT_EQ(state, "Established");
}

// -- names --------------------------------------------------------------------------------------

TEST_F(loop, names_answer_by_family_and_in_time) {
  sim.names().add("a.test", ip_family::v6, {"2001:db8::1"}, 7ms);
  sim.names().fail("a.test", ip_family::v4, {errc::resolution_failed, "server failure"}, 3ms);
  auto names = sim.names().make_resolver(sim.shard_at(0));
  std::vector<std::unique_ptr<resolver_query>> queries;
  for (const auto family : {ip_family::v6, ip_family::v4})
    queries.push_back(names->resolve("a.test", family, [&](result<resolved_addresses> x) {
      owner.note(x ? to_string(x->entries.at(0).address) : x.failure().text());
    }));
  EXPECT_THAT(owner.lines(), IsEmpty());
  sim.run_until_idle();
  EXPECT_THAT(owner.lines(), ElementsAre("0.003 server failure", "0.007 2001:db8::1"));
  ASSERT_EQ(sim.names().queries().size(), 2u);
  EXPECT_FALSE(sim.names().queries()[0].cancelled);
}

TEST_F(loop, services_have_ports) {
  sim.names().add_service("chat", 4000);
  sim.network().accept("192.0.2.1:4000");
  auto pre = sim.services().preconnection(
      remote_endpoint{}.with_ip_address("192.0.2.1").with_service("chat"),
      reliable_inorder_stream(), security_parameters::disabled());
  initiate(pre, owner);
  sim.run_until_idle();
  EXPECT_EQ(owner.count<ready>(), 1u) << owner.text();
}

TEST_F(loop, without_a_route_an_address_cannot_be_reached) {
  sim.names().set_source(ip_family::v4, std::nullopt);
  sim.network().accept("192.0.2.1:80");
  initiate(sim.to("192.0.2.1", 80), owner);
  sim.run_until_idle();
  EXPECT_EQ(owner.count<establishment_error>(), 1u) << owner.text();
}
