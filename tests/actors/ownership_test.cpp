// Who ends with whom, and what is left behind: nothing.

#include "taps/tests/conformance/support/fixture.hpp"

#include <future>
#include <thread>

#include <dirent.h>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;

namespace {

class ownership : public conformance {
protected:
  static std::size_t descriptors() {
    std::size_t result = 0;
    auto* folder = ::opendir("/proc/self/fd");
    while (::readdir(folder))
      ++result;
    ::closedir(folder);
    return result;
  }

  /// Waits until nothing of Tapline's holds descriptors; asks the threads again and again.
  bool nobody_left(std::size_t but = 0) {
    const auto limit = std::chrono::steady_clock::now() + 20s;
    while (net_.num_residents() > but)
      if (std::chrono::steady_clock::now() > limit)
        return false;
    return true;
  }
};

}  // namespace

TEST_F(ownership, ten_thousand_connections_leave_nothing) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr int rounds = 500;
#else
  constexpr int rounds = 10000;
#endif
  auto finished = std::make_shared<std::promise<void>>();
  auto server = net_.spawn([]() -> caf::behavior {
    return {
        [](const connection_received& x) { receive(x.connection); },
        [](const received_partial& x) { close(x.connection); },
        [](const receive_error&) {},
        [](const closed&) {},
        [](const connection_error&) {},
        [](const stopped&) {},
    };
  });
  auto listener = taps::listen(at(loopback_local()), server);
  auto pre = to(loopback_remote(port_of(listener)));
  std::size_t before_descriptors = 0;
  std::size_t before_memory = 0;
  net_.spawn([&, pre, left = rounds](caf::event_based_actor* self) mutable -> caf::behavior {
    initiate(pre, self);
    return {
        [](const ready& x) { close(x.connection); },
        [&, self, pre, left, finished](const closed&) mutable {
          // After the first hundred, everything that is kept has been allocated.
          if (--left == rounds - 100) {
            before_descriptors = descriptors();
            before_memory = resident_kilobytes();
          }
          if (left > 0) {
            initiate(pre, self);
          } else {
            finished->set_value();
            self->quit();
          }
        },
        [self, finished](const establishment_error& x) {
          ADD_FAILURE() << to_string(x.reason);
          finished->set_value();
          self->quit();
        },
    };
  });
  ASSERT_EQ(finished->get_future().wait_for(120s), std::future_status::ready);
  caf::anon_send_exit(server, caf::exit_reason::kill);
  EXPECT_TRUE(nobody_left());
  EXPECT_LE(descriptors(), before_descriptors);
#if !defined(__SANITIZE_ADDRESS__)
  // The sanitizer keeps freed memory to itself, and looks for leaks itself.
  EXPECT_LT(resident_kilobytes(), before_memory + 8 * 1024);
#endif
}

TEST_F(ownership, the_death_of_the_owner_aborts) {
  auto listener = posix_bind();
  auto pre = to(loopback_remote(listener.port()));
  std::promise<caf::actor> spawned;
  auto mine = net_.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    initiate(pre, self);
    return {[&, self](const ready&) { spawned.set_value(self); }};
  });
  spawned.get_future().wait_for(10s);
  auto peer = posix_accept(listener);
  caf::anon_send_exit(mine, caf::exit_reason::kill);
  int failure = 0;
  peer.read(1, &failure);
  EXPECT_EQ(failure, ECONNRESET);
  EXPECT_TRUE(nobody_left());
}

TEST_F(ownership, who_answers_each_error_with_a_receive_does_not_keep_the_shard) {
  auto listener = posix_bind();
  auto pre = to(loopback_remote(listener.port()));
  auto over = std::make_shared<std::promise<void>>();
  net_.spawn([=](caf::event_based_actor* self) -> caf::behavior {
    self->set_default_handler(caf::drop);
    auto mine = initiate(pre, self);
    taps::send(mine, "x");
    receive(mine);
    return {
        [](const ready& x) { close(x.connection); },
        [](const receive_error& x) { receive(x.connection); },
        [=](const closed&) {
          over->set_value();
          self->quit();
        },
    };
  });
  auto peer = posix_accept(listener);
  EXPECT_EQ(peer.read(), "x");
  peer.close();
  EXPECT_EQ(over->get_future().wait_for(20s), std::future_status::ready);
}

TEST_F(ownership, the_death_of_the_owner_stops_a_race_and_a_listener) {
  black_hole hole;
  auto pre = to(loopback_remote(hole.port()));
  auto place = at(loopback_local());
  std::promise<taps::listener> made;
  auto mine = net_.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    initiate(pre, self);
    made.set_value(taps::listen(place, self));
    return {[](int) {}};
  });
  // Before it listens, and thereby also races, there is nothing to stop.
  EXPECT_NE(port_of(made.get_future().get()), 0);
  EXPECT_GT(net_.num_residents(), 0u);
  caf::anon_send_exit(mine, caf::exit_reason::kill);
  EXPECT_TRUE(nobody_left());
}

TEST_F(ownership, ending_the_actor_still_tells_the_owner) {
  auto server = listen_at(at(loopback_local()));
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(server.port)), me.actor);
  me.log->wait("ready");
  caf::anon_send_exit(made, caf::exit_reason::kill);
  EXPECT_EQ(me.log->wait("connection_error").reason.reason(), errc::local_abort);
}

TEST_F(ownership, owners_of_every_kind) {
  auto server = listen_at(at(loopback_local()), [](auto*, const told& x) {
    if (x.what == "connection_received")
      taps::send(x.connection, "hi");
  });
  auto pre = to(loopback_remote(server.port));
  // A blocking actor.
  caf::scoped_actor self{system_};
  receive(initiate(pre, self));
  bool got = false;
  self->receive([](const ready&) {}, caf::after(10s) >> [] { FAIL(); });
  self->receive([&](const received_partial& x) { got = x.message.view() == "hi"; },
                caf::after(10s) >> [] { FAIL(); });
  EXPECT_TRUE(got);
  // An actor of CAF's own scheduler.
  auto log = std::make_shared<event_log>();
  auto free = system_.spawn(recorder, log, reaction{});
  receive(initiate(pre, free));
  EXPECT_EQ(log->wait("received_partial").data.view(), "hi");
  EXPECT_EQ(log->names(), "ready received_partial");
  caf::anon_send_exit(free, caf::exit_reason::kill);
}

TEST_F(ownership, a_throwing_owner_ends_with_its_connections) {
  auto listener = posix_bind();
  auto pre = to(loopback_remote(listener.port()));
  net_.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    initiate(pre, self);
    return {[](const ready&) { throw std::runtime_error{"a bug of the application"}; }};
  });
  auto peer = posix_accept(listener);
  int failure = 0;
  peer.read(1, &failure);
  EXPECT_EQ(failure, ECONNRESET);
  EXPECT_TRUE(nobody_left());
}

TEST_F(ownership, killing_from_other_threads_while_data_flows) {
  auto server = listen_at(at(loopback_local()), [](auto*, const told& x) {
    if (x.what == "connection_received")
      receive(x.connection, {.count = receive_request::unlimited});
    if (x.what == "received_partial")
      taps::send(x.connection, x.data);
  });
  auto pre = to(loopback_remote(server.port));
  std::vector<caf::actor> owners;
  for (int i = 0; i < 50; ++i)
    owners.push_back(net_.spawn([pre](caf::event_based_actor* self) -> caf::behavior {
      auto made = initiate(pre, self);
      taps::send(made, "ball");
      receive(made, {.count = receive_request::unlimited});
      return {
          [](const ready&) {},
          [](const received_partial& x) { taps::send(x.connection, x.message); },
          [](const connection_error&) {},
          [](const receive_error&) {},
          [](const send_error&) {},
      };
    }));
  server.by.log->wait("received_partial", 50);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      for (auto& x : owners)
        caf::anon_send_exit(x, caf::exit_reason::kill);
    });
  for (auto& x : threads)
    x.join();
  owners.clear();
  caf::anon_send_exit(server.by.actor, caf::exit_reason::kill);
  EXPECT_TRUE(nobody_left());
}

TEST_F(ownership, shutdown_ends_everything_and_copies_stay_harmless) {
  auto copy = net_;
  auto server = listen_at(at(loopback_local()));
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(server.port)), me.actor);
  me.log->wait("ready");
  net_.shutdown(100ms);
  EXPECT_EQ(me.log->wait("connection_error").reason.reason(), errc::local_abort);
  caf::scoped_actor self{system_};
  taps::send(made, "too late");
  auto late = initiate(copy.preconnection(loopback_remote(server.port)), self);
  bool told_so = false;
  self->receive(
      [&](const establishment_error& x) { told_so = x.reason.reason() == errc::connection_closed; },
      caf::after(10s) >> [] { FAIL(); });
  EXPECT_TRUE(told_so);
}

TEST_F(ownership, lack_of_descriptors_passes) {
  auto server = listen_at(at(loopback_local()), [](auto*, const told& x) {
    if (x.what == "connection_received")
      taps::send(x.connection, "welcome");
  });
  auto first = posix_socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::vector<int> hogs;
  for (int fd = ::dup(0); fd >= 0; fd = ::dup(0))
    hogs.push_back(fd);
  sockaddr_storage address;
  const auto size = loopback(address, AF_INET, server.port);
  ASSERT_EQ(::connect(first.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  pollfd wait{first.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, 200), 0);
  for (auto fd : hogs)
    ::close(fd);
  EXPECT_EQ(first.read(7), "welcome");
}
