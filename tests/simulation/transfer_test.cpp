#include "taps/core/message/framers/length_prefix.hpp"
#include "taps/tests/support/simulation/simulation.hpp"

#include <gtest/gtest.h>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;

namespace {

TEST(SimulatedTransfer, ConnectSendReceiveClose) {
  simulation sim;
  auto& server = sim.owner();
  server.on<connection_received>([](auto*, const auto& x) { receive(x.connection); });
  server.on<received>([](auto*, const auto& x) {
    send(x.connection, "Hello client");
    close(x.connection);
  });
  auto& client = sim.owner();
  client.on<received>([](auto*, const auto& x) { close(x.connection); });
  auto listening = listen(sim.at(5000).add_framer(length_prefix()), server);
  auto conn = initiate(sim.to("127.0.0.1", 5000).add_framer(length_prefix()), client);
  send(conn, "Hello server");
  receive(conn);
  ASSERT_TRUE(sim.run_until_idle());
  EXPECT_EQ(server.text(), "0.020 connection_received l1 c1\n"
                           "0.030 received c1 \"Hello server\"\n"
                           "0.050 closed c1\n");
  EXPECT_EQ(client.text(), "0.020 ready c1 1.1.1 sim_stream 127.0.0.1:5000\n"
                           "0.040 received c1 \"Hello client\"\n"
                           "0.060 closed c1\n");
}

TEST(SimulatedTransfer, OwnersThatCafSchedulesHearTheSame) {
  simulation sim;
  sim.network().accept("192.0.2.1:80", 20ms);
  sim.network().on_peer([](simulated_peer& x) { x.echo(); });
  std::string seen[2];
  for (const auto pinned : {true, false}) {
    auto& owner = pinned ? sim.owner() : sim.unpinned_owner();
    auto conn = initiate(sim.to("192.0.2.1", 80), owner);
    send(conn, "abc");
    receive(conn);
    sim.settle();
    sim.run_for(1s);
    for (const auto& x : owner.lines())
      seen[pinned] += x.substr(x.find(' ')) + "\n";
  }
  EXPECT_EQ(seen[0], seen[1]);
  EXPECT_EQ(seen[0], " ready c1 1.1.1 sim_stream 192.0.2.1:80\n received_partial c1 \"abc\"\n");
}

TEST(SimulatedTransfer, NothingIsReadWithoutDemandAndTheWindowHoldsTheSenderBack) {
  simulation sim;
  sim.network().options().window = 1000;
  sim.network().accept("192.0.2.1:80");
  sim.network().on_peer([](simulated_peer& x) { x.read(false); });
  auto& owner = sim.owner();
  auto conn = initiate(sim.to("192.0.2.1", 80), owner);
  send(conn, std::string(5000, 'x'), {}, {.notify = true});
  sim.run_for(10s);
  EXPECT_EQ(owner.count<sent>(), 0u);
  EXPECT_EQ(sim.network().bytes_sent(), 1000u);
  sim.network().peers()[0]->read(true);
  sim.run_for(10s);
  EXPECT_EQ(owner.count<sent>(), 1u);
  EXPECT_EQ(sim.network().peers()[0]->received().size(), 5000u);
}

TEST(SimulatedTransfer, PartialWritesLoseNothing) {
  simulation sim;
  sim.network().options().max_write = 7;
  sim.network().accept("192.0.2.1:80");
  auto& owner = sim.owner();
  auto conn = initiate(sim.to("192.0.2.1", 80), owner);
  std::string all;
  for (int i = 0; i < 100; ++i)
    all += std::to_string(i) + ",";
  send(conn, all);
  close(conn);
  sim.run_until_idle();
  EXPECT_EQ(sim.network().peers()[0]->received(), all);
  EXPECT_TRUE(sim.network().peers()[0]->finished());
  EXPECT_EQ(owner.count<closed>(), 1u) << owner.text();
}

TEST(SimulatedTransfer, OwnerThatClosesAndQuitsLosesNothing) {
  simulation sim;
  sim.network().accept("192.0.2.1:80");
  auto& owner = sim.owner();
  const std::string megabyte(1 << 20, 'm');
  owner.on<ready>([&](caf::event_based_actor* self, const ready& x) {
    send(x.connection, megabyte);
    close(x.connection);
    self->quit();
  });
  auto conn = initiate(sim.to("192.0.2.1", 80), owner);
  sim.run_until_idle();
  EXPECT_EQ(sim.network().peers()[0]->received().size(), megabyte.size());
  EXPECT_EQ(sim.num_residents(), 0u);
}

TEST(SimulatedTransfer, HalfClosedConnectionsStillReceive) {
  simulation sim;
  sim.network().accept("192.0.2.1:80");
  sim.network().on_peer([](simulated_peer& x) {
    x.on_message([](simulated_peer& self, std::string_view) {
      self.send("answer");
      self.finish();
    });
  });
  auto& owner = sim.owner();
  auto conn = initiate(sim.to("192.0.2.1", 80), owner);
  send(conn, "question", message_context{}.with_final());
  receive(conn);
  receive(conn);
  sim.run_until_idle();
  EXPECT_TRUE(sim.network().peers()[0]->finished());
  ASSERT_GE(owner.count<received_partial>(), 1u) << owner.text();
  EXPECT_EQ(owner.all<received_partial>()[0]->message.view(), "answer");
  EXPECT_EQ(owner.count<closed>(), 1u) << owner.text();
}

TEST(SimulatedTransfer, ResetOfThePeerIsAConnectionError) {
  simulation sim;
  sim.network().accept("192.0.2.1:80", 20ms);
  auto& owner = sim.owner();
  auto conn = initiate(sim.to("192.0.2.1", 80), owner);
  receive(conn);
  sim.run_for(100ms);
  sim.network().peers()[0]->reset();
  sim.run_until_idle();
  ASSERT_EQ(owner.count<connection_error>(), 1u) << owner.text();
  EXPECT_EQ(owner.last<connection_error>()->reason.reason(), errc::connection_aborted);
  EXPECT_EQ(owner.lines().back(), "0.110 connection_error c1 ConnectionAborted");
}

TEST(SimulatedTransfer, CutOffPeerMakesCloseFailInTheEnd) {
  simulation sim;
  sim.network().accept("192.0.2.1:80", 20ms);
  auto& owner = sim.owner();
  auto conn = initiate(sim.to("192.0.2.1", 80), owner);
  sim.run_for(1s);
  sim.network().cut("192.0.2.1:80");
  close(conn);
  sim.run_until_idle();
  EXPECT_EQ(owner.lines().back(), "31.000 connection_error c1 Timeout");
}

TEST(SimulatedTransfer, DatagramsKeepBoundariesAndMakeConnections) {
  simulation sim;
  auto& server = sim.owner();
  server.on<connection_received>([](auto*, const auto& x) { receive(x.connection, {.count = 9}); });
  auto& client = sim.owner();
  auto listening = listen(sim.at(5000, unreliable_datagram()), server);
  auto conn = initiate(sim.to("127.0.0.1", 5000, unreliable_datagram()), client);
  const auto replayable = message_context{}.with_safely_replayable();
  send(conn, "one", replayable);
  send(conn, "two", replayable);
  sim.run_for(1s);
  EXPECT_EQ(server.text(), "0.010 connection_received l1 c1\n"
                           "0.010 received c1 \"one\"\n"
                           "0.010 received c1 \"two\"\n");
}

TEST(SimulatedTransfer, StacksThatTheTestMakesUp) {
  simulation sim{{.protocols = {message_protocol("parcels")}}};
  sim.network().accept("192.0.2.1:80");
  sim.network().on_peer([](simulated_peer& x) { x.echo(); });
  auto& owner = sim.owner();
  auto conn = initiate(sim.to("192.0.2.1", 80, reliable_message()), owner);
  send(conn, "one");
  send(conn, "two");
  receive(conn, {.count = 2});
  sim.run_for(1s);
  EXPECT_EQ(owner.text(), "0.040 ready c1 1.1.1 parcels 192.0.2.1:80\n"
                          "0.060 received c1 \"one\"\n"
                          "0.060 received c1 \"two\"\n");
}

}  // namespace
