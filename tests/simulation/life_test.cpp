#include "taps/tests/support/simulation/simulation.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;

namespace {

/// A connection of `owner` that is established or, over a black hole, is not yet.
connection start(simulation& sim, recorder& owner, std::string_view host = "192.0.2.1") {
  auto conn = initiate(sim.to(host, 80), owner);
  sim.run_for(100ms);
  return conn;
}

struct SimulatedLife : ::testing::Test {
  SimulatedLife() {
    sim.network().accept("192.0.2.1:80", 20ms);
    sim.network().black_hole("192.0.2.2:80");
  }

  simulation sim;
};

TEST_F(SimulatedLife, DeathOfTheOwnerAbortsItsConnectionsAndLeavesNothing) {
  const auto before = sim.num_actors();
  auto& owner = sim.owner();
  {
    auto pre = sim.to("192.0.2.1", 80);
    auto late = sim.to("192.0.2.2", 80);
    std::vector<connection> all;
    for (int i = 0; i < 5; ++i) {
      all.push_back(initiate(pre, owner));
      all.push_back(initiate(late, owner));
    }
    sim.run_for(100ms);
    ASSERT_EQ(owner.count<ready>(), 5u);
    owner.end(caf::exit_reason::kill);
    sim.run_until_idle();
  }
  owner.clear();
  sim.run_until_idle();
  EXPECT_EQ(sim.elapsed(), 110ms);
  for (const auto& x : sim.network().peers())
    EXPECT_EQ(x->failure().reason(), errc::connection_aborted);
  EXPECT_EQ(sim.num_residents(), 0u);
  // The two Preconnections, which no handle holds any more, are gone as well.
  EXPECT_EQ(sim.num_actors(), before);
}

TEST_F(SimulatedLife, UnpinnedOwnersAreWatchedToo) {
  auto& owner = sim.unpinned_owner();
  auto conn = start(sim, owner);
  owner.end();
  sim.run_until_idle();
  EXPECT_EQ(sim.network().peers()[0]->failure().reason(), errc::connection_aborted);
  EXPECT_EQ(sim.num_residents(), 0u);
}

TEST_F(SimulatedLife, HandlerThatThrowsEndsItsOwnerAndNobodyElse) {
  auto& thrower = sim.owner();
  thrower.on<ready>([](auto*, const ready&) { throw std::runtime_error{"thrown by a test"}; });
  auto& other = sim.owner();
  auto theirs = initiate(sim.to("192.0.2.1", 80), thrower);
  auto ours = initiate(sim.to("192.0.2.1", 80), other);
  sim.run_for(100ms);
  ASSERT_EQ(sim.network().peers().size(), 2u);
  EXPECT_TRUE(sim.network().peers()[0]->failure());
  EXPECT_FALSE(sim.network().peers()[1]->failure());
  EXPECT_EQ(other.count<ready>(), 1u);
  EXPECT_EQ(sim.num_residents(), 1u);
}

TEST_F(SimulatedLife, MonitorTellsHowAConnectionEnded) {
  auto& owner = sim.owner();
  auto conn = start(sim, owner);
  auto failing = initiate(sim.to("192.0.2.1", 80), owner);
  sim.run_for(100ms);
  owner.run([=](caf::event_based_actor* self) {
    self->monitor(conn);
    self->monitor(failing);
  });
  sim.settle();
  close(conn);
  sim.network().peers()[1]->reset();
  sim.run_for(1s);
  EXPECT_EQ(owner.text(), "0.020 ready c1 1.1.1 sim_stream 192.0.2.1:80\n"
                          "0.120 ready c2 1.1.1 sim_stream 192.0.2.1:80\n"
                          "0.210 connection_error c2 ConnectionAborted\n"
                          "0.210 down c2 ConnectionAborted: connection reset by peer 192.0.2.1:80\n"
                          "0.220 closed c1\n"
                          "0.220 down c1\n");
}

TEST_F(SimulatedLife, LinkedActorsEndWithAConnectionThatFails) {
  auto& owner = sim.owner();
  auto& linked = sim.unpinned_owner();
  auto conn = start(sim, owner);
  linked.run([=](caf::event_based_actor* self) { self->link_to(conn); });
  sim.settle();
  sim.network().peers()[0]->reset();
  sim.run_until_idle();
  linked.run([&](caf::event_based_actor*) { linked.note("alive"); });
  owner.run([&](caf::event_based_actor*) { owner.note("alive"); });
  sim.settle();
  EXPECT_EQ(linked.text(), "");
  EXPECT_EQ(owner.lines().back(), "0.110 alive");
}

TEST_F(SimulatedLife, ConnectionEndsWithWhoIsLinkedToIt) {
  auto& owner = sim.owner();
  auto& linked = sim.unpinned_owner();
  auto conn = start(sim, owner);
  linked.run([=](caf::event_based_actor* self) { self->link_to(conn); });
  sim.settle();
  linked.end();
  sim.run_until_idle();
  EXPECT_EQ(owner.lines().back(), "0.100 connection_error c1 LocalAbort");
  EXPECT_EQ(sim.num_residents(), 0u);
}

TEST_F(SimulatedLife, KilledConnectionStillTellsItsOwner) {
  auto& owner = sim.owner();
  auto conn = start(sim, owner);
  caf::anon_send_exit(conn, caf::exit_reason::kill);
  sim.run_until_idle();
  EXPECT_EQ(owner.lines().back(), "0.100 connection_error c1 LocalAbort");
  EXPECT_TRUE(sim.network().peers()[0]->failure());
  EXPECT_EQ(sim.num_residents(), 0u);
}

TEST_F(SimulatedLife, TimeoutsOfCafKeepVirtualTime) {
  auto& owner = sim.owner();
  owner.run([&](caf::event_based_actor* self) {
    self->delayed_send(self, 250ms, recorder_task{[&](auto*) { owner.note("late"); }});
  });
  sim.run_until_idle();
  EXPECT_EQ(owner.text(), "0.250 late\n");
}

}  // namespace
