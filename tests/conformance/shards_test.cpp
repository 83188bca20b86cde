// LST with several threads: one Listener has an acceptor on each, at one port.

#include "taps/tests/conformance/support/fixture.hpp"

#include <atomic>
#include <fstream>
#include <map>
#include <set>
#include <thread>

using namespace taps;
using namespace taps::testing;

namespace {

class shards : public conformance {
protected:
  explicit shards(std::size_t number = 2) : conformance(options(number)) {}

  static std::set<shard*> homes_of(const owner& server) {
    std::set<shard*> result;
    for (const auto& x : server.log->all())
      if (x.what == "connection_received")
        result.insert(
            &pinned_base::of(caf::actor_cast<caf::actor_control_block*>(x.connection))->home());
    return result;
  }

  /// How many sockets of this machine are bound to `port`: listening ones of streams, all of
  /// datagrams. `table` is one of /proc/net.
  static int bound(const std::string& table, std::uint16_t port) {
    std::ifstream file{"/proc/self/net/" + table};
    std::string line;
    std::getline(file, line);
    int result = 0;
    while (std::getline(file, line)) {
      unsigned local = 0;
      unsigned state = 0;
      if (std::sscanf(line.c_str(), "%*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x", &local, &state) == 2 &&
          local == port && (table.substr(0, 3) == "udp" || state == 0x0a))
        ++result;
    }
    return result;
  }
};

class many_shards : public shards {
protected:
  many_shards() : shards(8) {}
};

const reaction echo = [](auto*, const told& x) {
  if (x.what == "connection_received")
    receive(x.connection, {.count = 100});
  if (x.what == "received" || x.what == "received_partial")
    taps::send(x.connection, x.data);
};

const reaction answer_last = [](auto*, const told& x) {
  if (x.what == "connection_received")
    receive(x.connection, {.count = 1'000'000});
  if (x.what == "received" && x.data.view() == "last")
    taps::send(x.connection, "l");
};

}  // namespace

TEST_F(shards, LST_01_each_connection_comes_exactly_once) {
  constexpr std::size_t many = 200;
  auto server = listen_at(at(loopback_local()), echo);
  std::vector<posix_socket> peers;
  for (std::size_t i = 0; i < many; ++i) {
    peers.push_back(posix_connect(server.port));
    ASSERT_TRUE(peers.back().send("number " + std::to_string(i)));
  }
  for (std::size_t i = 0; i < many; ++i) {
    const auto text = "number " + std::to_string(i);
    EXPECT_EQ(peers[i].read(text.size()), text);
  }
  server.by.log->wait("received_partial", many);
  std::map<std::string, int> got;
  for (const auto& x : server.by.log->all())
    if (x.what == "received_partial")
      ++got[x.data.str()];
  EXPECT_EQ(got.size(), many);
  EXPECT_EQ(server.by.log->count("connection_received"), many);
  // By chance they might all be on one: 1 in 2^199.
  EXPECT_EQ(homes_of(server.by).size(), 2u);
}

TEST_F(shards, LST_05_each_source_of_datagrams_is_one_connection) {
  constexpr std::size_t many = 64;
  auto server = listen_at(at(loopback_local(), unreliable_datagram()), echo);
  std::vector<posix_socket> peers;
  for (std::size_t i = 0; i < many; ++i)
    peers.push_back(posix_connect(server.port, AF_INET, SOCK_DGRAM));
  for (const auto* turn : {"a", "b", "c"})
    for (const auto& x : peers) {
      ASSERT_TRUE(x.send(turn));
      EXPECT_EQ(x.read(1), turn);
    }
  EXPECT_EQ(server.by.log->count("connection_received"), many);
  EXPECT_EQ(homes_of(server.by).size(), 2u);
}

TEST_F(shards, EP_09_the_kernel_chooses_one_port_for_all) {
  auto either = transport_properties{}
                    .no_preference(property_id::reliability)
                    .no_preference(property_id::preserve_order)
                    .no_preference(property_id::congestion_control)
                    .with(property_id::safely_replayable, true);
  auto server = listen_at(at(local_endpoint{}, either), echo);
  ASSERT_NE(server.port, 0);
  for (const auto* table : {"tcp", "tcp6", "udp", "udp6"})
    EXPECT_EQ(bound(table, server.port), 2) << table;
  for (const auto family : {AF_INET, AF_INET6})
    for (const auto type : {SOCK_STREAM, SOCK_DGRAM})
      for (int i = 0; i < 16; ++i) {
        auto peer = posix_connect(server.port, family, type);
        ASSERT_TRUE(peer.send("x"));
        EXPECT_EQ(peer.read(1), "x");
      }
  EXPECT_EQ(server.by.log->count("connection_received"), 64u);
  EXPECT_EQ(server.by.log->count("establishment_error"), 0u);
}

TEST_F(shards, LST_02_stop_ends_every_acceptor) {
  for (const auto& wanted : {reliable_inorder_stream(), unreliable_datagram()}) {
    const auto type = wanted == unreliable_datagram() ? SOCK_DGRAM : SOCK_STREAM;
    auto server = listen_at(at(loopback_local(), wanted), echo);
    std::vector<posix_socket> old;
    for (int i = 0; i < 16; ++i) {
      old.push_back(posix_connect(server.port, AF_INET, type));
      ASSERT_TRUE(old.back().send("x"));
      EXPECT_EQ(old.back().read(1), "x");
    }
    stop(server.listener);
    stop(server.listener);
    server.by.log->wait("stopped");
    EXPECT_EQ(bound("tcp", server.port), 0);
    for (int i = 0; i < 16; ++i) {
      auto late = posix_connect(server.port, AF_INET, type);
      if (type == SOCK_STREAM) {
        EXPECT_LT(late.get(), 0);
      } else {
        late.send("late");
      }
    }
    // What was accepted lives on, on both threads.
    for (const auto& x : old) {
      ASSERT_TRUE(x.send("y"));
      EXPECT_EQ(x.read(1), "y");
    }
    EXPECT_EQ(homes_of(server.by).size(), 2u);
    EXPECT_EQ(server.by.log->count("connection_received"), 16u);
    EXPECT_EQ(server.by.log->count("stopped"), 1u);
  }
}

TEST_F(shards, LST_02_stop_while_peers_connect_leaves_nobody_waiting) {
  auto server = listen_at(at(loopback_local()), echo);
  std::vector<posix_socket> peers;
  for (int i = 0; i < 100; ++i) {
    if (i == 50)
      stop(server.listener);
    peers.push_back(posix_connect(server.port));
    if (peers.back().get() >= 0)
      peers.back().send("x");
  }
  server.by.log->wait("stopped");
  // Each was refused, is served, or learns that it is not.
  std::size_t served = 0;
  for (const auto& x : peers) {
    int failure = 0;
    if (x.get() >= 0 && x.read(1, &failure) == "x")
      ++served;
    EXPECT_NE(failure, EAGAIN);
  }
  EXPECT_EQ(server.by.log->count("connection_received"), served);
  EXPECT_EQ(server.by.log->all().size(), 2 * served + 1) << server.by.log->names();
}

TEST_F(many_shards, LST_05_each_source_is_one_connection_while_the_listener_opens) {
  for (int round = 0; round < 10; ++round) {
    std::vector<posix_socket> peers;
    auto holder = posix_bind(0, AF_INET, SOCK_DGRAM);
    for (int i = 0; i < 20; ++i)
      peers.push_back(posix_connect(holder.port(), AF_INET, SOCK_DGRAM));
    const auto port = holder.port();
    holder.close();
    std::atomic<bool> done{false};
    std::thread crowd{[&] {
      while (!done)
        for (const auto& x : peers)
          x.send("x");
    }};
    auto server = listen_at(at(loopback_local(port), unreliable_datagram()), answer_last);
    done = true;
    crowd.join();
    // What came before them has been dispatched when the last ones are answered. The crowd may have
    // left no room for them.
    for (const auto& x : peers) {
      const timeval soon{0, 50'000};
      ::setsockopt(x.get(), SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
      std::string answer;
      for (int tries = 0; tries < 200 && answer.empty(); ++tries) {
        x.send("last");
        answer = x.read(1);
      }
      ASSERT_EQ(answer, "l");
    }
    EXPECT_EQ(server.by.log->count("connection_received"), peers.size()) << "round " << round;
    caf::anon_send_exit(server.by.actor, caf::exit_reason::kill);
  }
}

TEST_F(many_shards, LST_02_stop_leaves_every_flow_of_datagrams_where_it_is) {
  auto server = listen_at(at(loopback_local(), unreliable_datagram()), echo);
  // Fewer than threads, so that some have nothing to do once there is no Listener.
  std::vector<posix_socket> peers;
  for (int i = 0; i < 6; ++i) {
    peers.push_back(posix_connect(server.port, AF_INET, SOCK_DGRAM));
    ASSERT_TRUE(peers.back().send("x"));
    ASSERT_EQ(peers.back().read(1), "x");
  }
  stop(server.listener);
  server.by.log->wait("stopped");
  for (const auto& x : peers) {
    ASSERT_TRUE(x.send("y"));
    ASSERT_EQ(x.read(1), "y");
  }
  // Nor does the end of some move the others, until all are gone.
  for (std::size_t i = 0; i < peers.size(); ++i) {
    abort(server.by.log->wait("connection_received", i + 1).connection);
    server.by.log->wait("connection_error", i + 1);
    for (auto j = i + 1; j < peers.size(); ++j) {
      ASSERT_TRUE(peers[j].send("z"));
      ASSERT_EQ(peers[j].read(1), "z");
    }
  }
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (bound("udp", server.port) != 0 && std::chrono::steady_clock::now() < limit)
    std::this_thread::yield();
  EXPECT_EQ(bound("udp", server.port), 0);
}

TEST_F(shards, LST_04_a_port_in_use_is_one_error) {
  for (const auto& wanted : {reliable_inorder_stream(), unreliable_datagram()}) {
    auto first = listen_at(at(loopback_local(), wanted));
    auto me = make_owner();
    auto second = listen(at(loopback_local(first.port), wanted), me.actor);
    const auto ev = me.log->wait("establishment_error");
    EXPECT_EQ(ev.listener, second);
    EXPECT_NE(ev.reason.text().find("in use"), std::string::npos) << ev.reason.text();
    stop(first.listener);
    first.by.log->wait("stopped");
    // The port is free for the next one, and nothing came twice.
    EXPECT_EQ(listen_at(at(loopback_local(first.port), wanted)).port, first.port);
    EXPECT_EQ(me.log->names(), "establishment_error");
  }
}

TEST_F(shards, LST_04_of_many_at_once_one_gets_the_port) {
  constexpr std::size_t many = 8;
  for (int round = 0; round < 20; ++round)
    for (const auto& wanted : {reliable_inorder_stream(), unreliable_datagram()}) {
      auto before = listen_at(at(loopback_local(), wanted));
      stop(before.listener);
      before.by.log->wait("stopped");
      std::vector<owner> owners;
      std::vector<taps::listener> all;
      for (std::size_t i = 0; i < many; ++i) {
        owners.push_back(make_owner());
        all.push_back(listen(at(loopback_local(before.port), wanted), owners.back().actor));
      }
      // Who is refused ends, and then has no properties to tell; the one that listens has.
      std::size_t got = 0;
      for (std::size_t i = 0; i < many; ++i) {
        caf::scoped_actor self{system_};
        self->request(all[i], std::chrono::seconds{10}, get_properties_command{})
            .receive([&](const property_list&) { ++got; },
                     [&](const caf::error&) {
                       const auto text = owners[i].log->wait("establishment_error").reason.text();
                       EXPECT_NE(text.find("port " + std::to_string(before.port) + " is in use"),
                                 std::string::npos)
                           << text;
                     });
      }
      EXPECT_EQ(got, 1u) << "round " << round;
      for (std::size_t i = 0; i < many; ++i)
        if (owners[i].log->count("establishment_error") == 0) {
          stop(all[i]);
          owners[i].log->wait("stopped");
        }
    }
}

TEST_F(shards, LST_02_the_death_of_the_owner_ends_every_acceptor) {
  auto server = listen_at(at(loopback_local()), echo);
  auto peer = posix_connect(server.port);
  ASSERT_TRUE(peer.send("x"));
  EXPECT_EQ(peer.read(1), "x");
  caf::anon_send_exit(server.by.actor, caf::exit_reason::kill);
  int failure = 0;
  EXPECT_EQ(peer.read(1, &failure), "");
  EXPECT_EQ(failure, ECONNRESET);
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (net_.num_residents() != 0 && std::chrono::steady_clock::now() < limit)
    std::this_thread::yield();
  EXPECT_EQ(bound("tcp", server.port), 0);
}
