// EST and RAC over the whole stack in virtual time, where establishment_test.cpp leaves something
// open. One way takes 10 ms.

#include "taps/tests/simulation/support/example_host.hpp"

#include <algorithm>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

class whole_stack : public example_host {
protected:
  /// The kinds of the events, in order.
  std::string kinds() {
    std::string result;
    for (const auto& line : owner.lines()) {
      const auto begin = line.find(' ') + 1;
      result += (result.empty() ? "" : " ") + line.substr(begin, line.find(' ', begin) - begin);
    }
    return result;
  }

  /// All bytes that all peers got.
  std::string arrived() {
    std::string result;
    for (const auto& x : sim.network().peers())
      result += x->received();
    return result;
  }
};

}  // namespace

// -- establishment ------------------------------------------------------------------------------

TEST_F(whole_stack, EST_01_ready_once_and_before_any_data) {
  sim.network().accept(v6);
  // The peer's data travels with its acceptance.
  sim.network().on_peer([](simulated_peer& x) { x.send("early"); });
  receive(initiate(sim.to("example.test", 80), owner), {.count = 2});
  sim.run_until_idle();
  EXPECT_EQ(kinds(), "ready received_partial") << owner.text();
}

TEST_F(whole_stack, EST_05_datagrams_are_ready_at_once_and_silently) {
  initiate(sim.to("192.0.2.1", 80, unreliable_datagram()), owner);
  sim.run_until_idle();
  EXPECT_THAT(owner.lines(), ElementsAre(HasSubstr("0.000 ready c1")));
  EXPECT_EQ(sim.network().packets_sent(), 0u);
}

TEST_F(whole_stack, EST_06_sends_before_ready_leave_once_and_in_order) {
  sim.network().black_hole(v6);
  sim.network().accept(v4);
  auto c = initiate(sim.to("example.test", 80), owner);
  for (const auto* x : {"a", "b", "c"})
    send(c, x, {}, {.notify = true});
  sim.run_until_idle();
  EXPECT_EQ(kinds(), "ready sent sent sent") << owner.text();
  EXPECT_EQ(arrived(), "abc");
}

TEST_F(whole_stack, EST_08_initiate_with_send_fails_with_one_event) {
  sim.network().refuse(v6);
  sim.network().refuse(v4);
  initiate_with_send(sim.to("example.test", 80), owner, slice::copy_of("lost"));
  sim.run_until_idle();
  EXPECT_EQ(kinds(), "establishment_error") << owner.text();
}

TEST_F(whole_stack, EST_09_the_message_of_initiate_with_send_is_first) {
  sim.network().accept(v6);
  auto c = initiate_with_send(sim.to("example.test", 80), owner, slice::copy_of("first "));
  send(c, "second");
  sim.run_until_idle();
  EXPECT_EQ(arrived(), "first second");
}

TEST_F(whole_stack, EST_10_a_failure_is_the_only_answer_to_receives) {
  sim.network().refuse(v6);
  sim.network().refuse(v4);
  receive(initiate(sim.to("example.test", 80), owner), {.count = 3});
  sim.run_until_idle();
  EXPECT_EQ(kinds(), "establishment_error") << owner.text();
}

// -- paths --------------------------------------------------------------------------------------

TEST_F(whole_stack, SEL_08_a_better_path_beats_a_better_protocol) {
  auto second = stream_protocol("other_stream");
  ++second.default_order;
  example_world world{{.protocols = {stream_protocol(), second}}};
  const std::vector<interface_address> own{{*ip_address::parse("192.0.2.99"), 24}};
  world.set_links({{{"eth0", 1, interface_type::wired, true, 1500, own},
                    {"eth1", 2, interface_type::wired, true, 1500, own}},
                   {}});
  world.network().accept(v4);
  // The better protocol is to be had by eth0 only.
  auto wanted = reliable_inorder_stream();
  wanted = wanted.with(property_id::interface, interface_preferences{{preference::prefer, "eth1"}});
  auto pre = world.to("192.0.2.1", 80, wanted);
  pre.add_remote(remote_endpoint{}
                     .with_ip_address("192.0.2.1")
                     .with_port(80)
                     .with_interface("eth0")
                     .with_protocol("sim_stream"));
  auto& me = world.owner();
  initiate(pre, me);
  world.run_until_idle();
  ASSERT_EQ(me.count<ready>(), 1u) << me.text();
  const auto& first = me.last<ready>()->report.candidates.front();
  EXPECT_EQ(first.fate, candidate_fate::won);
  EXPECT_EQ(first.who.path + " " + first.who.stack, "eth1 other_stream");
}

// -- racing -------------------------------------------------------------------------------------

TEST_F(whole_stack, RAC_09_paths_then_protocols_then_endpoints) {
  auto second = stream_protocol("other_stream");
  ++second.default_order;
  example_world world{{.protocols = {stream_protocol(), second}}};
  const std::vector<interface_address> own{{*ip_address::parse("192.0.2.99"), 24},
                                           {*ip_address::parse("2001:db8::99"), 32}};
  world.set_links({{{"eth0", 1, interface_type::wired, true, 1500, own},
                    {"eth1", 2, interface_type::wired, true, 1500, own}},
                   {}});
  world.network().refuse(v6);
  world.network().refuse(v4);
  auto pre = world.to("example.test", 80);
  pre.add_local(local_endpoint{}.with_interface("eth0"));
  pre.add_local(local_endpoint{}.with_interface("eth1"));
  auto& me = world.owner();
  initiate(pre, me);
  world.run_until_idle();
  ASSERT_EQ(me.count<establishment_error>(), 1u) << me.text();
  std::vector<std::string> tree;
  for (const auto& x : me.last<establishment_error>()->report.candidates)
    tree.push_back(x.who.node + " " + x.who.path + " " + x.who.stack + " " +
                   to_string(x.who.remote));
  EXPECT_THAT(
      tree,
      ElementsAre("1.1.1 eth0 sim_stream [2001:db8::1]:80", "1.1.2 eth0 sim_stream 192.0.2.1:80",
                  "1.2.1 eth0 other_stream [2001:db8::1]:80",
                  "1.2.2 eth0 other_stream 192.0.2.1:80", "2.1.1 eth1 sim_stream [2001:db8::1]:80",
                  "2.1.2 eth1 sim_stream 192.0.2.1:80", "2.2.1 eth1 other_stream [2001:db8::1]:80",
                  "2.2.2 eth1 other_stream 192.0.2.1:80"));
}

TEST_F(whole_stack, RAC_10_failover_never_has_two_at_a_time) {
  sim.names().add("example.test", {"2001:db8::1", "192.0.2.1", "192.0.2.2"});
  sim.network().refuse(v6, 5s);
  sim.network().refuse(v4, 7s);
  sim.network().accept("192.0.2.2:80");
  auto pre = sim.to("example.test", 80);
  pre.set_racing({.mode = racing_mode::failover});
  initiate(pre, owner);
  sim.run_until_idle();
  const auto& all = sim.network().attempts();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[1].started, all[0].ended);
  EXPECT_EQ(all[2].started, all[1].ended);
  EXPECT_EQ(kinds(), "ready");
}

TEST_F(whole_stack, RAC_13_a_message_goes_to_one_of_those_who_race) {
  // Both get through, in either order or at the same time.
  for (const auto late : {255ms, 280ms, 290ms}) {
    example_world world;
    world.network().accept(v6, late);
    world.network().accept(v4, 30ms);
    auto& me = world.owner();
    auto c = initiate(world.to("example.test", 80), me);
    send(c, "once", message_context{}.with_safely_replayable(false), {.notify = true});
    world.run_until_idle();
    std::string got;
    for (const auto& x : world.network().peers())
      got += x->received();
    EXPECT_EQ(got, "once") << late.count();
    EXPECT_EQ(world.network().attempts().size(), 2u);
    EXPECT_EQ(me.count<ready>(), 1u);
    EXPECT_EQ(me.count<sent>(), 1u);
  }
}

TEST_F(whole_stack, RAC_02_a_failure_with_candidates_left_starts_the_next_in_that_instant) {
  sim.names().add("example.test", {"2001:db8::1", "192.0.2.1", "192.0.2.2"});
  sim.network().refuse(v6, 100ms);
  sim.network().refuse(v4, 100ms);
  sim.network().accept("192.0.2.2:80");
  initiate(sim.to("example.test", 80), owner);
  sim.run_until_idle();
  std::vector<duration> starts;
  for (const auto& x : sim.network().attempts())
    starts.push_back(x.started);
  EXPECT_THAT(starts, ElementsAre(0ms, 100ms, 200ms));
}
