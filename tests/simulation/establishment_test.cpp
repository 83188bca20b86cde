// From Initiate to Ready or an error, by the public API in virtual time. One way takes 10 ms.

#include "taps/tests/simulation/support/example_host.hpp"

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

/// Never finds its peer ready.
class undecided_framer final : public framer {
public:
  [[nodiscard]] std::string_view name() const noexcept override { return "undecided"; }
  void start(framer_context&) override {}
  result<void> new_sent_message(framer_context&, slice, const message_context&, bool) override {
    return {};
  }
  void handle_received_data(framer_context&) override {}
};

/// A host with an address of each family.
class establishing : public example_host {
protected:
  /// When attempts started, in the order of their start.
  std::vector<duration> starts() {
    std::vector<duration> all;
    for (const auto& x : sim.network().attempts())
      all.push_back(x.started);
    return all;
  }

  const attempt_record& attempt(std::size_t number) { return sim.network().attempts().at(number); }

  connection initiate_example(const action_options& options = {}) {
    return initiate(sim.to("example.test", 80), owner, options);
  }
};

}  // namespace

// -- success ------------------------------------------------------------------------------------

TEST_F(establishing, connects_sends_receives_and_closes) {
  sim.network().accept(v6);
  sim.network().on_peer([](simulated_peer& x) { x.echo(); });
  owner.on<received_partial>([](auto*, const auto& x) { close(x.connection); });
  auto c = initiate_example();
  send(c, "hello");
  receive(c);
  ASSERT_TRUE(sim.run_until_idle());
  EXPECT_THAT(owner.lines(), ElementsAre("0.020 ready c1 1.1.1 sim_stream [2001:db8::1]:80",
                                         "0.040 received_partial c1 \"hello\"", "0.060 closed c1"));
  ASSERT_EQ(sim.network().peers().size(), 1u);
  EXPECT_EQ(sim.network().peers()[0]->received(), "hello");
  EXPECT_TRUE(sim.network().peers()[0]->finished());
}

TEST_F(establishing, needs_no_name) {
  sim.network().accept(v4);
  initiate(sim.to("192.0.2.1", 80), owner);
  sim.run_until_idle();
  EXPECT_EQ(owner.count<ready>(), 1u);
  EXPECT_THAT(sim.names().queries(), IsEmpty());
}

TEST_F(establishing, an_unpinned_owner_hears_the_same) {
  sim.network().accept(v6);
  auto& other = sim.unpinned_owner();
  for (auto* x : {&owner, &other})
    initiate(sim.to("example.test", 80), *x);
  sim.run_until_idle();
  EXPECT_THAT(owner.lines(), ElementsAre(HasSubstr("0.020 ready c1")));
  EXPECT_EQ(owner.lines(), other.lines());
}

// -- staggering -----------------------------------------------------------------------------------

TEST_F(establishing, RAC_01_black_hole_first_then_good) {
  sim.network().black_hole(v6);
  sim.network().accept(v4);
  initiate_example();
  sim.run_for(250ms - 1ns);
  EXPECT_THAT(starts(), ElementsAre(0ms));
  sim.run_for(1ns);
  EXPECT_THAT(starts(), ElementsAre(0ms, 250ms));
  sim.run_until_idle();
  EXPECT_THAT(owner.lines(), ElementsAre("0.270 ready c1 1.1.2 sim_stream 192.0.2.1:80"));
  EXPECT_EQ(attempt(0).outcome, attempt_outcome::cancelled);
  EXPECT_EQ(attempt(1).outcome, attempt_outcome::ready);
  EXPECT_EQ(sim.num_residents(), 1u);
}

TEST_F(establishing, RAC_01_the_delay_ends_between_249_and_251_ms) {
  for (const auto answer : {249ms, 251ms}) {
    example_world world;
    world.network().accept(v6, answer);
    world.network().accept(v4);
    auto& me = world.owner();
    initiate(world.to("example.test", 80), me);
    world.run_until_idle();
    EXPECT_THAT(me.lines(), ElementsAre(HasSubstr("1.1.1 sim_stream [2001:db8::1]:80")));
    EXPECT_EQ(world.network().attempts().size(), answer < 250ms ? 1u : 2u) << answer.count();
  }
}

TEST_F(establishing, RAC_07_the_first_attempt_goes_on_and_may_win) {
  sim.network().accept(v6, 260ms);
  sim.network().accept(v4, 100ms);
  initiate_example();
  sim.run_until_idle();
  EXPECT_THAT(owner.lines(), ElementsAre("0.260 ready c1 1.1.1 sim_stream [2001:db8::1]:80"));
  EXPECT_THAT(starts(), ElementsAre(0ms, 250ms));
  EXPECT_EQ(attempt(1).outcome, attempt_outcome::cancelled);
}

TEST_F(establishing, RAC_08_two_in_the_same_instant_make_one_ready) {
  sim.network().accept(v6, 300ms);
  sim.network().accept(v4, 50ms);
  initiate_example();
  sim.run_until_idle();
  EXPECT_EQ(owner.count<ready>(), 1u);
  EXPECT_EQ(sim.num_residents(), 1u);
  // The loser's peer hears of it; it got nothing.
  for (const auto& x : sim.network().peers())
    EXPECT_EQ(x->received(), "");
}

TEST_F(establishing, RAC_06_the_delay_is_an_option_within_limits) {
  for (const auto& [wanted, got] :
       {std::pair<duration, duration>{100ms, 100ms}, std::pair<duration, duration>{1ms, 10ms},
        std::pair<duration, duration>{5s, 2s}}) {
    example_world world;
    world.network().black_hole(v6);
    world.network().accept(v4);
    auto pre = world.to("example.test", 80);
    racing_options pace;
    pace.attempt_delay = wanted;
    pre.set_racing(pace);
    initiate(pre, world.owner());
    world.run_until_idle();
    ASSERT_EQ(world.network().attempts().size(), 2u);
    EXPECT_EQ(world.network().attempts()[1].started, got);
  }
}

// -- failures that start the next -----------------------------------------------------------------

TEST_F(establishing, RAC_02_refused_first_starts_the_next_at_once) {
  sim.network().refuse(v6);
  sim.network().accept(v4);
  initiate_example();
  sim.run_until_idle();
  EXPECT_THAT(starts(), ElementsAre(0ms, 20ms));
  EXPECT_THAT(owner.lines(), ElementsAre("0.040 ready c1 1.1.2 sim_stream 192.0.2.1:80"));
}

TEST_F(establishing, RAC_02_unreachable_first_starts_the_next_in_the_same_instant) {
  sim.network().unreachable(v6);
  sim.network().accept(v4);
  initiate_example();
  sim.run_until_idle();
  EXPECT_THAT(starts(), ElementsAre(0ms, 0ms));
  EXPECT_THAT(owner.lines(), ElementsAre(HasSubstr("0.020 ready c1 1.1.2")));
}

TEST_F(establishing, RAC_10_failover_waits_for_the_failure) {
  sim.network().refuse(v6, 3s);
  sim.network().accept(v4);
  auto pre = sim.to("example.test", 80);
  racing_options pace;
  pace.mode = racing_mode::failover;
  pre.set_racing(pace);
  initiate(pre, owner);
  sim.run_until_idle();
  EXPECT_THAT(starts(), ElementsAre(0s, 3s));
}

TEST_F(establishing, RAC_10_failover_does_not_wait_for_ever) {
  sim.network().black_hole(v6);
  sim.network().accept(v4);
  auto pre = sim.to("example.test", 80);
  pre.set_racing({.mode = racing_mode::failover});
  initiate(pre, owner);
  pre.set_racing({.mode = racing_mode::failover, .attempt_limit = 5s});
  initiate(pre, owner);
  sim.run_until_idle();
  EXPECT_THAT(starts(), ElementsAre(0s, 0s, 5s, 30s));
  EXPECT_EQ(attempt(0).outcome, attempt_outcome::cancelled);
  EXPECT_EQ(owner.count<ready>(), 2u) << owner.text();
  EXPECT_THAT(to_string(owner.last<ready>()->report), HasSubstr("not connected within 30.00 s"));
}

TEST_F(establishing, RAC_10_failover_gives_up_when_nothing_answers) {
  sim.network().black_hole(v6);
  sim.network().black_hole(v4);
  auto pre = sim.to("example.test", 80);
  pre.set_racing({.mode = racing_mode::failover});
  initiate(pre, owner);
  ASSERT_TRUE(sim.run_until_idle());
  EXPECT_THAT(owner.lines(),
              ElementsAre(HasSubstr("60.000 establishment_error c1 EstablishmentFailed")));
  EXPECT_EQ(sim.num_residents(), 0u);
}

TEST_F(establishing, framers_that_never_get_ready_fail_their_attempt) {
  sim.network().accept(v6);
  sim.network().accept(v4);
  auto pre = sim.to("example.test", 80);
  pre.add_framer([] { return std::make_unique<undecided_framer>(); });
  initiate(pre, owner);
  ASSERT_TRUE(sim.run_until_idle());
  EXPECT_THAT(starts(), ElementsAre(0ms, 250ms));
  EXPECT_THAT(owner.lines(),
              ElementsAre(HasSubstr("30.270 establishment_error c1 EstablishmentFailed")));
  EXPECT_THAT(to_string(owner.last<establishment_error>()->report),
              HasSubstr("the Message Framers were not ready within 30.00 s"));
  EXPECT_EQ(sim.num_residents(), 0u);
}

TEST_F(establishing, EST_02_all_refused_is_one_error_with_every_cause) {
  sim.network().refuse(v6);
  sim.network().refuse(v4);
  initiate_example();
  sim.run_until_idle();
  EXPECT_THAT(owner.lines(), ElementsAre("0.040 establishment_error c1 EstablishmentFailed"));
  const auto& event = *owner.last<establishment_error>();
  EXPECT_THAT(event.reason.text(), HasSubstr("2001:db8::1"));
  EXPECT_THAT(event.reason.text(), HasSubstr("192.0.2.1"));
  EXPECT_THAT(event.reason.text(), HasSubstr("refused"));
  EXPECT_EQ(event.report.candidates.size(), 2u);
}

TEST_F(establishing, EST_03_the_timeout_is_kept_to_the_nanosecond) {
  sim.network().black_hole(v6);
  sim.network().black_hole(v4);
  action_options options;
  options.timeout = 200ms;
  initiate_example(options);
  sim.run_for(200ms - 1ns);
  EXPECT_THAT(owner.lines(), IsEmpty());
  sim.run_for(1ns);
  EXPECT_THAT(owner.lines(), ElementsAre("0.200 establishment_error c1 EstablishmentFailed"));
  EXPECT_EQ(sim.num_residents(), 0u);
}

// -- names ----------------------------------------------------------------------------------------

TEST_F(establishing, EST_04_a_name_that_does_not_exist) {
  initiate(sim.to("nowhere.test", 80), owner);
  sim.run_until_idle();
  EXPECT_THAT(owner.lines(), ElementsAre("0.000 establishment_error c1 ResolutionFailed"));
  EXPECT_THAT(starts(), IsEmpty());
}

TEST_F(establishing, RAC_03_the_first_answer_waits_50_ms_for_ipv6) {
  for (const auto late : {30ms, 90ms}) {
    simulation world;
    world.names().add("example.test", ip_family::v4, {"192.0.2.1"}, 20ms);
    world.names().add("example.test", ip_family::v6, {"2001:db8::1"}, late);
    world.network().accept(v6);
    world.network().accept(v4);
    auto& me = world.owner();
    initiate(world.to("example.test", 80), me);
    world.run_until_idle();
    const auto& first = world.network().attempts().at(0);
    EXPECT_EQ(first.started, late == 30ms ? 30ms : 70ms);
    EXPECT_EQ(first.remote, address_of(late == 30ms ? v6 : v4));
    EXPECT_EQ(me.count<ready>(), 1u);
  }
}

TEST_F(establishing, RAC_04_no_ipv6_addresses_start_ipv4_at_once) {
  sim.names().add("example.test", ip_family::v6, {}, 5ms);
  sim.names().add("example.test", ip_family::v4, {"192.0.2.1"}, 5ms);
  sim.network().accept(v4);
  initiate_example();
  sim.run_until_idle();
  EXPECT_THAT(starts(), ElementsAre(5ms));
}

TEST_F(establishing, RAC_05_families_take_turns) {
  sim.names().add("example.test", {"2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"});
  for (const auto* x : {"[2001:db8::1]:80", "[2001:db8::2]:80", "192.0.2.1:80", "192.0.2.2:80"})
    sim.network().refuse(x);
  initiate_example();
  sim.run_until_idle();
  std::vector<ip_family> families;
  for (const auto& x : sim.network().attempts())
    families.push_back(x.remote.address.family());
  EXPECT_THAT(families, ElementsAre(ip_family::v6, ip_family::v4, ip_family::v6, ip_family::v4));
}

TEST_F(establishing, RAC_15_a_late_answer_joins_the_race) {
  sim.names().add("example.test", ip_family::v4, {"192.0.2.1", "192.0.2.2"});
  sim.names().add("example.test", ip_family::v6, {"2001:db8::1"}, 100ms);
  sim.network().black_hole(v4);
  sim.network().black_hole("192.0.2.2:80");
  sim.network().accept(v6);
  initiate_example();
  sim.run_until_idle();
  EXPECT_THAT(starts(), ElementsAre(50ms, 300ms));
  EXPECT_EQ(attempt(1).remote, address_of(v6));
  EXPECT_EQ(attempt(0).outcome, attempt_outcome::cancelled);
  EXPECT_EQ(owner.count<ready>(), 1u);
}

TEST_F(establishing, RAC_11_the_number_of_attempts_has_a_limit) {
  sim.network().refuse("192.0.2.0:0");
  auto pre = sim.to("example.test", 80);
  for (int i = 0; i < 1000; ++i) {
    const std::array<std::uint8_t, 4> bytes{10, 0, static_cast<std::uint8_t>(i / 250),
                                            static_cast<std::uint8_t>(1 + i % 250)};
    pre.add_remote(remote_endpoint{}.with_ip_address(ip_address{bytes}).with_port(80));
  }
  initiate(pre, owner);
  sim.run_until_idle();
  EXPECT_EQ(sim.network().attempts().size(), racing_options{}.max_attempts);
  EXPECT_EQ(owner.count<establishment_error>(), 1u);
}

// -- giving up ------------------------------------------------------------------------------------

TEST_F(establishing, EST_11_close_while_establishing) {
  sim.network().black_hole(v6);
  sim.network().black_hole(v4);
  auto c = initiate_example();
  sim.run_for(260ms);
  ASSERT_EQ(sim.network().attempts().size(), 2u);
  close(c);
  sim.run_until_idle();
  EXPECT_THAT(owner.lines(), ElementsAre("0.260 closed c1"));
  for (const auto& x : sim.network().attempts()) {
    EXPECT_EQ(x.outcome, attempt_outcome::cancelled);
    EXPECT_EQ(x.ended, 260ms);
  }
  EXPECT_EQ(sim.num_residents(), 0u);
}

TEST_F(establishing, EST_12_abort_while_establishing) {
  sim.network().black_hole(v6);
  auto c = initiate_example();
  sim.run_for(10ms);
  abort(c);
  sim.run_until_idle();
  EXPECT_THAT(owner.lines(), ElementsAre("0.010 connection_error c1 LocalAbort"));
  EXPECT_EQ(attempt(0).outcome, attempt_outcome::cancelled);
  EXPECT_EQ(sim.num_residents(), 0u);
}

TEST_F(establishing, abort_while_names_are_looked_up_cancels_the_queries) {
  sim.names().silence("slow.test", ip_family::v6);
  sim.names().silence("slow.test", ip_family::v4);
  auto c = initiate(sim.to("slow.test", 80), owner);
  sim.run_for(1s);
  abort(c);
  sim.run_until_idle();
  EXPECT_THAT(owner.lines(), ElementsAre("1.000 connection_error c1 LocalAbort"));
  ASSERT_EQ(sim.names().queries().size(), 2u);
  for (const auto& x : sim.names().queries())
    EXPECT_TRUE(x.cancelled);
}

TEST_F(establishing, EST_07_sends_fail_before_the_establishment_does) {
  sim.network().refuse(v6);
  sim.network().refuse(v4);
  auto c = initiate_example();
  send(c, "one");
  send(c, "two");
  receive(c);
  sim.run_until_idle();
  EXPECT_THAT(owner.lines(), ElementsAre(HasSubstr("send_error c1"), HasSubstr("send_error c1"),
                                         HasSubstr("establishment_error c1")));
}
