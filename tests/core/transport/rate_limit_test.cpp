#include "taps/core/transport/rate_limit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

using namespace taps;
using namespace std::chrono_literals;

namespace {

/// What passed when.
struct passage {
  time_point when;
  std::size_t bytes;
};

/// The most that passed in any second.
std::size_t busiest_second(const std::vector<passage>& all) {
  std::size_t most = 0;
  for (auto first = all.begin(); first != all.end(); ++first) {
    std::size_t sum = 0;
    for (auto i = first; i != all.end() && i->when < first->when + 1s; ++i)
      sum += i->bytes;
    most = std::max(most, sum);
  }
  return most;
}

std::size_t total(const std::vector<passage>& all) {
  std::size_t sum = 0;
  for (const auto& x : all)
    sum += x.bytes;
  return sum;
}

}  // namespace

TEST(rate_limit, a_stream_uses_nearly_all_of_it_and_no_second_sees_more) {
  for (const std::int64_t rate : {8LL, 800LL, 12345LL, 800000LL, 10'000'000'000LL}) {
    rate_limit limit{rate};
    std::vector<passage> all;
    time_point now{};
    for (const auto end = now + 10s; now < end; now = limit.next(now))
      if (const auto n = limit.available(now); n > 0) {
        limit.spend(now, n);
        all.push_back({now, n});
      }
    EXPECT_LE(busiest_second(all), static_cast<std::size_t>(rate / 8)) << rate;
    if (rate >= 12345) {
      EXPECT_GE(total(all) * 8, static_cast<std::size_t>(rate) * 9) << rate;
    }
  }
}

TEST(rate_limit, messages_are_whole_and_wait_for_their_turn) {
  const auto seed = std::random_device{}();
  std::mt19937 random{seed};
  rate_limit limit{800000};
  std::vector<passage> all;
  time_point now{};
  std::size_t size = 1;
  for (const auto end = now + 30s; now < end; now += std::chrono::microseconds{random() % 20000}) {
    if (!limit.allows(now, size))
      continue;
    limit.spend(now, size);
    all.push_back({now, size});
    size = random() % 60000;
  }
  EXPECT_LE(busiest_second(all), 100000u) << "seed " << seed;
  EXPECT_GE(total(all), 1000000u) << "seed " << seed;
}

TEST(rate_limit, a_message_larger_than_a_second_goes_alone) {
  rate_limit limit{8000};
  time_point now{};
  ASSERT_TRUE(limit.allows(now, 5000));
  limit.spend(now, 5000);
  EXPECT_FALSE(limit.allows(now + 1s - 1ns, 1));
  EXPECT_TRUE(limit.allows(now + 2s, 1));
}

TEST(rate_limit, a_higher_rate_counts_at_once) {
  rate_limit limit{8000};
  const time_point now{5s};
  limit.spend(now, 1000);
  EXPECT_EQ(limit.available(now), 0u);
  limit.set(800000);
  EXPECT_GT(limit.available(now), 1000u);
}
