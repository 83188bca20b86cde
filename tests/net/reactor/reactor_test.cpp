#include "taps/net/reactor/reactor.hpp"
#include "taps/tests/support/scripted_kernel/scripted_kernel.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <functional>
#include <memory>
#include <thread>

namespace taps {

namespace {

using namespace std::chrono_literals;
using testing::scripted_kernel;

/// A source whose callbacks a test writes in place.
class probe : public io_source {
public:
  std::function<void(std::uint32_t)> io = [](std::uint32_t) {};
  std::function<void()> later = [] {};
  int ios = 0;
  int laters = 0;

  void on_io(std::uint32_t events) override {
    ++ios;
    // A copy, for the callback may destroy this source.
    const auto call = io;
    call(events);
  }

  void on_later() override {
    ++laters;
    const auto call = later;
    call();
  }
};

/// A timer that counts.
struct alarm_clock {
  int rings = 0;
  timer bell{[](void* self) { ++static_cast<alarm_clock*>(self)->rings; }, this};
};

class reactor_test : public ::testing::Test {
protected:
  /// Returns the far end of a pair of stream sockets whose near end `source` watches.
  sys::descriptor watch(probe& source, std::uint32_t events = EPOLLIN) {
    std::array<int, 2> fds{-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
    near_.emplace_back(os, fds[0]);
    EXPECT_TRUE(loop.add(fds[0], events, source));
    return {os, fds[1]};
  }

  void send(const sys::descriptor& to) { EXPECT_EQ(os.write(to.get(), "x", 1), 1); }

  int near(std::size_t i) const { return near_[i].get(); }

  scripted_kernel os;
  reactor loop{os};

private:
  std::vector<sys::descriptor> near_;
};

// -- descriptors -------------------------------------------------------------------

TEST_F(reactor_test, reports_a_level_each_turn_and_an_edge_once) {
  probe level;
  probe edge;
  const auto to_level = watch(level);
  const auto to_edge = watch(edge, EPOLLIN | EPOLLET);
  send(to_level);
  send(to_edge);
  while (loop.poll(false) && level.ios < 3) {
  }
  EXPECT_EQ(level.ios, 3);
  EXPECT_EQ(edge.ios, 1);
  send(to_edge);
  EXPECT_TRUE(loop.poll(true));
  EXPECT_EQ(edge.ios, 2);
  loop.remove(level);
  EXPECT_FALSE(loop.poll(false));
}

TEST_F(reactor_test, reports_only_what_a_source_waits_for_now) {
  probe x;
  std::uint32_t seen = 0;
  x.io = [&](std::uint32_t events) { seen = events; };
  const auto far = watch(x, EPOLLIN);
  EXPECT_FALSE(loop.poll(false));
  ASSERT_TRUE(loop.modify(x, EPOLLIN | EPOLLOUT));
  EXPECT_TRUE(loop.poll(true));
  EXPECT_EQ(seen, std::uint32_t{EPOLLOUT});
  send(far);
  os.report(near(0), EPOLLHUP);
  EXPECT_TRUE(loop.poll(true));
  EXPECT_EQ(seen, std::uint32_t{EPOLLIN | EPOLLOUT | EPOLLHUP});
}

TEST_F(reactor_test, says_why_a_descriptor_cannot_be_watched) {
  probe x;
  const auto bad = loop.add(-1, EPOLLIN, x);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.failure().os_code(), EBADF);
  EXPECT_NE(bad.failure().text().find("descriptor -1"), std::string::npos);
  os.fail_next("epoll_ctl", ENOSPC);
  const auto full = loop.add(0, EPOLLIN, x);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.failure().os_code(), ENOSPC);
  EXPECT_FALSE(loop.modify(x, EPOLLIN));
  EXPECT_EQ(loop.num_sources(), 0u);
  const auto far = watch(x);
  EXPECT_FALSE(loop.add(far.get(), EPOLLIN, x)) << "a source has one descriptor";
  EXPECT_EQ(loop.num_sources(), 1u);
  loop.remove(x);
  loop.remove(x);
  EXPECT_EQ(loop.num_sources(), 0u);
}

TEST_F(reactor_test, drops_events_of_a_source_removed_in_the_same_turn) {
  probe first;
  probe second;
  const auto to_first = watch(first);
  const auto to_second = watch(second);
  // Whoever comes first silences the other.
  first.io = [&](std::uint32_t) { loop.remove(second); };
  second.io = [&](std::uint32_t) { loop.remove(first); };
  send(to_first);
  send(to_second);
  EXPECT_TRUE(loop.poll(true));
  EXPECT_EQ(first.ios + second.ios, 1);
  EXPECT_EQ(loop.num_sources(), 1u);
}

TEST_F(reactor_test, drops_events_of_a_source_destroyed_in_the_same_turn) {
  std::array<std::unique_ptr<probe>, 3> sources;
  std::vector<sys::descriptor> fars;
  int calls = 0;
  for (auto& x : sources) {
    x = std::make_unique<probe>();
    // Destroys all, itself included.
    x->io = [&](std::uint32_t) {
      ++calls;
      for (auto& y : sources)
        y.reset();
    };
    fars.push_back(watch(*x));
  }
  for (const auto& x : fars)
    send(x);
  EXPECT_TRUE(loop.poll(true));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(loop.num_sources(), 0u);
  EXPECT_FALSE(loop.poll(false));
}

TEST_F(reactor_test, does_not_give_old_events_to_a_source_that_came_back) {
  probe first;
  probe second;
  const auto to_first = watch(first, EPOLLIN | EPOLLET);
  const auto to_second = watch(second, EPOLLIN | EPOLLET);
  int idle = -1;
  first.io = second.io = [&](std::uint32_t) {
    // The other source now watches for something that does not happen.
    auto& other = first.ios == 0 ? first : second;
    loop.remove(other);
    EXPECT_TRUE(loop.add(idle, EPOLLIN, other));
  };
  sys::descriptor silent{os, os.eventfd()};
  idle = silent.get();
  send(to_first);
  send(to_second);
  EXPECT_TRUE(loop.poll(true));
  EXPECT_FALSE(loop.poll(false));
  EXPECT_EQ(first.ios + second.ios, 1);
}

TEST_F(reactor_test, takes_an_interrupted_wait_for_nothing) {
  os.fail_next("epoll_wait", EINTR);
  EXPECT_FALSE(loop.poll(true));
  loop.wake();
  EXPECT_TRUE(loop.poll(true));
}

TEST(reactor, tells_when_it_could_not_be_set_up) {
  for (const auto* call : {"epoll_create", "eventfd", "epoll_ctl"}) {
    scripted_kernel os;
    os.fail_next(call, EMFILE);
    reactor loop{os};
    const auto ok = loop.check();
    ASSERT_FALSE(ok) << call;
    EXPECT_EQ(ok.failure().os_code(), EMFILE) << call;
  }
  EXPECT_TRUE(reactor{}.check());
}

// -- timers ------------------------------------------------------------------------

TEST_F(reactor_test, fires_timers_never_early_and_at_most_a_millisecond_late) {
  os.stop_clock();
  alarm_clock x;
  const auto start = os.now();
  loop.timers().schedule(x.bell, start + 1'500'001ns);
  EXPECT_TRUE(loop.poll(true));
  EXPECT_EQ(x.rings, 1);
  EXPECT_EQ(loop.now() - start, 2ms);
  EXPECT_EQ(loop.now(), os.now());
}

TEST_F(reactor_test, fires_a_timer_after_real_time_too) {
  alarm_clock x;
  const auto due = os.now() + 5ms;
  loop.timers().schedule(x.bell, due);
  while (x.rings == 0)
    loop.poll(true);
  EXPECT_GE(os.now(), due);
}

TEST_F(reactor_test, counts_the_time_a_turn_took_when_it_waits) {
  os.stop_clock();
  alarm_clock x;
  const auto start = os.now();
  loop.timers().schedule(x.bell, start + 10ms);
  os.advance(4ms);
  EXPECT_TRUE(loop.poll(true));
  EXPECT_EQ(loop.now() - start, 10ms);
  EXPECT_EQ(x.rings, 1);
}

TEST_F(reactor_test, serves_descriptors_before_timers_and_reads_the_clock_in_between) {
  os.stop_clock();
  alarm_clock x;
  probe source;
  const auto far = watch(source);
  int rings_at_io = -1;
  time_point now_at_io;
  source.io = [&](std::uint32_t) {
    rings_at_io = x.rings;
    now_at_io = loop.now();
    loop.remove(source);
  };
  send(far);
  loop.timers().schedule(x.bell, os.now() + 3ms);
  os.advance(3ms);
  EXPECT_TRUE(loop.poll(true));
  EXPECT_EQ(rings_at_io, 0);
  EXPECT_EQ(now_at_io, os.now());
  EXPECT_EQ(x.rings, 1);
}

TEST_F(reactor_test, does_not_wait_unless_told) {
  os.stop_clock();
  alarm_clock x;
  const auto start = os.now();
  loop.timers().schedule(x.bell, start + 1h);
  EXPECT_FALSE(loop.poll(false));
  EXPECT_EQ(os.now(), start);
  probe later;
  loop.run_later(later);
  EXPECT_FALSE(loop.poll(true));
  EXPECT_EQ(os.now(), start);
}

// -- waking --------------------------------------------------------------------------

TEST_F(reactor_test, shows_what_another_thread_wrote_before_it_woke) {
  constexpr int rounds = 2'000;
  std::atomic<int> asked{0};
  std::atomic<int> seen{0};
  std::thread other{[&] {
    for (int i = 1; i <= rounds; ++i) {
      asked.store(i, std::memory_order_relaxed);
      loop.wake();
      // Half of the time the next wake comes while the reactor is busy with this one.
      if (i % 2 == 0)
        while (seen.load(std::memory_order_acquire) < i)
          std::this_thread::yield();
    }
  }};
  while (seen < rounds) {
    loop.poll(true);
    seen.store(asked.load(std::memory_order_relaxed), std::memory_order_release);
  }
  other.join();
}

TEST_F(reactor_test, sends_one_wakeup_for_many) {
  for (int i = 0; i < 10; ++i)
    loop.wake();
  EXPECT_EQ(os.num_calls("write"), 1u);
  EXPECT_TRUE(loop.poll(true));
  EXPECT_FALSE(loop.poll(false));
  loop.wake();
  EXPECT_EQ(os.num_calls("write"), 2u);
  EXPECT_TRUE(loop.poll(true));
}

// -- run_later -------------------------------------------------------------------------

TEST_F(reactor_test, calls_later_once_and_in_order) {
  std::string order;
  probe a;
  probe b;
  a.later = [&] {
    order += 'a';
    if (a.laters == 1)
      loop.run_later(a);
  };
  b.later = [&] { order += 'b'; };
  loop.run_later(a);
  loop.run_later(b);
  loop.run_later(a);
  EXPECT_TRUE(loop.run_deferred());
  EXPECT_EQ(order, "ab");
  loop.run_later(b);
  EXPECT_TRUE(loop.run_deferred());
  EXPECT_EQ(order, "abab");
  EXPECT_FALSE(loop.run_deferred());
}

TEST_F(reactor_test, does_not_call_later_what_is_gone) {
  auto a = std::make_unique<probe>();
  auto b = std::make_unique<probe>();
  auto c = std::make_unique<probe>();
  int calls = 0;
  a->later = [&] {
    ++calls;
    // One that waits in this run, itself, and one that is added and goes before the next.
    b.reset();
    loop.run_later(*a);
    a.reset();
    loop.run_later(*c);
  };
  c->later = [&] { ++calls; };
  loop.run_later(*a);
  loop.run_later(*b);
  EXPECT_TRUE(loop.run_deferred());
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(loop.run_deferred());
  EXPECT_EQ(calls, 2);
  loop.run_later(*c);
  c.reset();
  EXPECT_FALSE(loop.run_deferred());
}

TEST_F(reactor_test, forgets_the_right_one_of_those_added_during_a_run) {
  probe a;
  auto b = std::make_unique<probe>();
  probe c;
  a.later = [&] {
    loop.run_later(*b);
    loop.run_later(c);
  };
  loop.run_later(a);
  EXPECT_TRUE(loop.run_deferred());
  b.reset();
  EXPECT_TRUE(loop.run_deferred());
  EXPECT_EQ(c.laters, 1);
}

TEST_F(reactor_test, keeps_a_call_for_later_when_the_descriptor_goes) {
  probe x;
  const auto far = watch(x);
  loop.run_later(x);
  loop.remove(x);
  EXPECT_TRUE(loop.run_deferred());
  EXPECT_EQ(x.laters, 1);
}

TEST(reactor, leaves_sources_behind_that_were_to_be_called_later) {
  probe x;
  {
    reactor first;
    first.run_later(x);
  }
  reactor second;
  second.run_later(x);
  EXPECT_TRUE(second.run_deferred());
  EXPECT_EQ(x.laters, 1);
}

}  // namespace

}  // namespace taps
