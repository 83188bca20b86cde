// Defects of other implementations of TAPS that are about time, each named `<whose>_<what>`. The
// others are in tests/conformance/peer_defects_test.cpp. One way takes 10 ms.

#include "taps/tests/simulation/support/example_host.hpp"

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

class peer_defects : public example_host {};

}  // namespace

TEST_F(peer_defects, neat_a_refusal_answered_after_135_seconds) {
  // Every source was paired with every destination, also across families.
  sim.network().refuse(v6);
  sim.network().refuse(v4);
  initiate(sim.to("example.test", 80), owner);
  sim.run_until_idle();
  EXPECT_THAT(owner.lines(), ElementsAre("0.040 establishment_error c1 EstablishmentFailed"));
  EXPECT_EQ(sim.network().attempts().size(), 2u);
}

TEST_F(peer_defects, ctaps_a_black_hole_answered_after_135_seconds) {
  sim.network().black_hole(v6);
  sim.network().black_hole(v4);
  initiate(sim.to("example.test", 80), owner, {.timeout = 1s});
  sim.run_until_idle();
  EXPECT_THAT(owner.lines(), ElementsAre("1.000 establishment_error c1 EstablishmentFailed"));
  EXPECT_EQ(sim.num_residents(), 0u);
}

TEST_F(peer_defects, neat_ctaps_pytaps_a_refused_candidate_delays_the_next) {
  // 14 ms, 250.9 ms and 100 ms; ideal is the round trip that the refusal takes.
  sim.network().refuse(v6);
  sim.network().accept(v4);
  initiate(sim.to("example.test", 80), owner);
  sim.run_until_idle();
  EXPECT_THAT(owner.lines(), ElementsAre(HasSubstr("0.040 ready c1")));
}

TEST_F(peer_defects, neat_waits_for_names_although_all_have_come) {
  // A fixed 100 ms. Both answers are there after 5 ms.
  sim.names().add("example.test", {"192.0.2.1", "2001:db8::1"}, 5ms);
  sim.network().accept(v6);
  initiate(sim.to("example.test", 80), owner);
  sim.run_until_idle();
  EXPECT_THAT(owner.lines(), ElementsAre(HasSubstr("0.025 ready c1")));
}

TEST_F(peer_defects, neat_a_timer_even_for_literal_addresses) {
  sim.network().accept(v4);
  initiate(sim.to("192.0.2.1", 80), owner);
  sim.settle();
  ASSERT_EQ(sim.network().attempts().size(), 1u);
  EXPECT_EQ(sim.network().attempts()[0].started, 0ns);
  EXPECT_THAT(sim.names().queries(), IsEmpty());
}

TEST_F(peer_defects, neat_ipv4_first_whatever_rfc_6724_says) {
  sim.network().accept(v6);
  sim.network().accept(v4);
  initiate(sim.to("example.test", 80), owner);
  sim.run_until_idle();
  ASSERT_EQ(sim.network().attempts().size(), 1u);
  EXPECT_EQ(sim.network().attempts()[0].remote, address_of(v6));
  // Nor IPv6 first where it has no route.
  simulation other;
  other.names().set_source(ip_family::v6, std::nullopt);
  other.names().add("example.test", {"2001:db8::1", "192.0.2.1"});
  other.network().accept(v4);
  auto& me = other.owner();
  initiate(other.to("example.test", 80), me);
  other.run_until_idle();
  EXPECT_THAT(me.lines(), ElementsAre(HasSubstr("0.020 ready c1")));
}

TEST_F(peer_defects, pytaps_one_connect_cancels_the_timers_of_another) {
  sim.network().black_hole(v6);
  sim.network().accept(v4);
  initiate(sim.to("example.test", 80), owner);
  sim.run_for(100ms);
  // Others come and go in every way meanwhile.
  auto& other = sim.owner();
  initiate(sim.to("192.0.2.1", 80), other);
  abort(initiate(sim.to("example.test", 80), other));
  close(initiate(sim.to("example.test", 80), other));
  initiate(sim.to("absent.test", 80), other);
  sim.run_until_idle();
  EXPECT_THAT(owner.lines(), ElementsAre("0.270 ready c1 1.1.2 sim_stream 192.0.2.1:80"));
}
