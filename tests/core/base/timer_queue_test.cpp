#include "taps/core/base/random.hpp"
#include "taps/core/base/timer_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include <memory>
#include <vector>

using namespace taps;
using namespace std::chrono_literals;

namespace {

const time_point start = time_point{} + 1h;

struct entry {
  int id = 0;
  std::vector<int>* fired = nullptr;
  timer clockwork{[](void* self) {
                    auto* x = static_cast<entry*>(self);
                    x->fired->push_back(x->id);
                  },
                  this};
};

}  // namespace

TEST(timer_queue, fires_in_order_and_ties_by_insertion) {
  timer_queue queue;
  std::vector<int> fired;
  entry a{1, &fired};
  entry b{2, &fired};
  entry c{3, &fired};
  queue.schedule(b.clockwork, start + 2ms);
  queue.schedule(c.clockwork, start + 2ms);
  queue.schedule(a.clockwork, start + 1ms);
  EXPECT_EQ(queue.next(), start + 1ms);
  EXPECT_EQ(queue.run(start), 0u);
  EXPECT_EQ(queue.run(start + 2ms), 3u);
  EXPECT_EQ(fired, (std::vector{1, 2, 3}));
  EXPECT_FALSE(queue.next());
}

TEST(timer_queue, a_timer_that_schedules_itself_waits_for_the_next_run) {
  timer_queue queue;
  struct again {
    timer_queue& queue;
    int count = 0;
    timer clockwork{[](void* self) {
                      auto* x = static_cast<again*>(self);
                      ++x->count;
                      x->queue.schedule(x->clockwork, start);
                    },
                    this};
  } x{queue};
  queue.schedule(x.clockwork, start);
  EXPECT_EQ(queue.run(start), 1u);
  EXPECT_EQ(x.count, 1);
}

TEST(timer_queue, destruction_and_absent_deadlines_cancel) {
  timer_queue queue;
  std::vector<int> fired;
  {
    entry gone{1, &fired};
    queue.schedule(gone.clockwork, start);
  }
  entry stopped{2, &fired};
  queue.schedule(stopped.clockwork, start);
  queue.schedule(stopped.clockwork, deadline{});
  EXPECT_EQ(queue.run(start + 1h), 0u);
}

TEST(timer_queue, keeps_any_order_straight) {
  random_source random{7};
  timer_queue queue;
  std::vector<int> fired;
  std::vector<std::unique_ptr<entry>> entries;
  for (int i = 0; i < 500; ++i) {
    entries.push_back(std::make_unique<entry>());
    entries.back()->fired = &fired;
  }
  for (int i = 0; i < 5000; ++i) {
    auto& x = *entries[random.below(entries.size())];
    if (random.below(4) == 0) {
      x.clockwork.cancel();
    } else {
      x.id = static_cast<int>(random.below(1000));
      queue.schedule(x.clockwork, start + std::chrono::milliseconds{x.id});
    }
  }
  const auto left = queue.size();
  EXPECT_EQ(queue.run(start + 1h), left);
  EXPECT_TRUE(std::is_sorted(fired.begin(), fired.end()));
}
