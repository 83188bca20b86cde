// Listeners of a simulation: Tapline at both ends.

#include "taps/tests/support/simulation/simulation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

namespace {

class listening : public ::testing::Test {
protected:
  connection connect(std::string_view host = "192.0.2.7") {
    return initiate(sim.to(host, 5000), client);
  }

  simulation sim{{.shards = 3}};
  recorder& server = sim.owner();
  recorder& client = sim.owner(1);
};

}  // namespace

TEST_F(listening, LST_01_takes_connections_on_every_shard_and_address) {
  auto l = listen(sim.at(5000), server);
  sim.settle();
  // One socket per shard, of IPv6 and of IPv4.
  EXPECT_EQ(sim.network().num_listeners(), 6u);
  std::vector<connection> all;
  for (int i = 0; i < 6; ++i)
    all.push_back(connect(i % 2 ? "192.0.2.7" : "2001:db8::7"));
  sim.run_until_idle();
  EXPECT_EQ(client.count<ready>(), 6u) << client.text();
  ASSERT_EQ(server.count<connection_received>(), 6u);
  std::set<shard*> homes;
  for (const auto* x : server.all<connection_received>()) {
    EXPECT_EQ(x->listener, l);
    homes.insert(
        &pinned_base::of(caf::actor_cast<caf::actor_control_block*>(x->connection))->home());
  }
  EXPECT_THAT(homes, SizeIs(3));
}

TEST_F(listening, refuses_where_nobody_listens) {
  connect();
  sim.run_until_idle();
  EXPECT_THAT(client.lines(), ElementsAre("0.020 establishment_error c1 EstablishmentFailed"));
}

TEST_F(listening, LST_02_stop_frees_the_port_and_keeps_connections) {
  server.on<received_partial>([](auto*, const auto& x) { send(x.connection, x.message); });
  server.on<connection_received>([](auto*, const auto& x) { receive(x.connection); });
  auto first = listen(sim.at(5000), server);
  sim.settle();
  auto c = connect();
  sim.run_for(1s);
  stop(first);
  sim.settle();
  EXPECT_EQ(server.count<stopped>(), 1u);
  EXPECT_EQ(sim.network().num_listeners(), 0u);
  connect();
  send(c, "still there?");
  receive(c);
  sim.run_for(1s);
  EXPECT_EQ(client.count<establishment_error>(), 1u);
  EXPECT_EQ(client.count<received_partial>(), 1u);
  auto second = listen(sim.at(5000), server);
  sim.settle();
  connect();
  sim.run_for(1s);
  EXPECT_EQ(client.count<ready>(), 2u);
}

TEST_F(listening, LST_04_a_port_in_use_is_an_error) {
  auto first = listen(sim.at(5000), server);
  sim.settle();
  auto second = listen(sim.at(5000), server);
  sim.settle();
  ASSERT_EQ(server.count<establishment_error>(), 1u) << server.text();
  EXPECT_EQ(server.last<establishment_error>()->listener, second);
  EXPECT_THAT(server.last<establishment_error>()->reason.text(), HasSubstr("in use"));
  EXPECT_EQ(sim.network().num_listeners(), 6u);
}

TEST_F(listening, the_death_of_its_owner_ends_a_listener_and_what_it_accepted) {
  auto l = listen(sim.at(5000), server);
  sim.settle();
  connect();
  sim.run_for(1s);
  server.end(caf::exit_reason::kill);
  sim.run_until_idle();
  EXPECT_EQ(sim.network().num_listeners(), 0u);
  ASSERT_EQ(client.count<connection_error>(), 1u) << client.text();
  EXPECT_EQ(client.last<connection_error>()->reason.reason(), errc::connection_aborted);
  EXPECT_EQ(sim.num_residents(), 0u);
}

TEST_F(listening, a_connection_that_arrives_while_the_listener_stops_is_reset) {
  auto l = listen(sim.at(5000), server);
  sim.settle();
  connect();
  sim.run_for(20ms - 1ns);
  stop(l);
  sim.run_until_idle();
  EXPECT_EQ(server.count<connection_received>(), 0u);
  EXPECT_EQ(sim.num_residents(), client.count<ready>() - client.count<connection_error>());
}
