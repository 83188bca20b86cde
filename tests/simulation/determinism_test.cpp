#include "taps/core/message/framers/length_prefix.hpp"
#include "taps/tests/support/simulation/simulation.hpp"

#include <gtest/gtest.h>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;

namespace {

/// Clients on all shards talk to a server over a network that delays and loses; returns what
/// everybody saw, in one text.
std::string busy_day(std::uint64_t seed, std::size_t shards) {
  simulation sim{{.seed = seed, .shards = shards}};
  sim.network().options().jitter = 30ms;
  sim.network().options().lost_per_mille = 100;
  sim.network().options().window = 3000;
  sim.names().add("server.test", {"2001:db8::1", "127.0.0.1"}, 5ms);
  sim.network().black_hole("[2001:db8::1]:5000");
  auto& server = sim.owner();
  server.on<connection_received>(
      [](auto*, const auto& x) { receive(x.connection, {.count = 99}); });
  server.on<received>([](auto*, const received& x) { send(x.connection, x.message); });
  auto listening = listen(sim.at(5000).add_framer(length_prefix()), server);
  auto pre = sim.to("server.test", 5000).add_framer(length_prefix());
  std::vector<recorder*> clients;
  for (std::size_t i = 0; i < 6; ++i) {
    auto& client = i % 3 == 2 ? sim.unpinned_owner() : sim.owner(i % shards);
    clients.push_back(&client);
    auto conn = initiate(pre, client);
    for (std::size_t n = 1; n <= 5; ++n)
      send(conn, std::string(n * 300 + i, 'x'));
    receive(conn, {.count = 5});
    client.on<received>([&client](caf::event_based_actor* self, const received& x) {
      if (client.count<received>() == 3 && client.lines().size() % 2 == 0)
        self->quit();
      if (client.count<received>() == 5)
        close(x.connection);
    });
    sim.run_for(3ms);
  }
  EXPECT_TRUE(sim.run_until_idle());
  auto all = server.text();
  for (auto* x : clients)
    all += "--\n" + x->text();
  for (const auto& x : sim.network().attempts())
    all += to_string(x.local) + " " + std::string{to_string(x.outcome)} + " " +
           std::to_string(x.started.count()) + "\n";
  return all;
}

class Determinism : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Determinism, TheSameSeedGivesTheSameByteForByte) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto first = busy_day(seed, GetParam());
    EXPECT_EQ(first, busy_day(seed, GetParam())) << "seed " << seed;
    EXPECT_NE(first.find("received"), std::string::npos);
  }
}

TEST_P(Determinism, AnotherSeedGivesAnotherRun) {
  EXPECT_NE(busy_day(1, GetParam()), busy_day(2, GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Shards, Determinism, ::testing::Values(1, 3));

}  // namespace
