#include "taps/docs/example/token_bucket.hpp"

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace {

// Not zero, so that a forgotten "now" shows.
constexpr taps::time_point start{1h};

}  // namespace

TEST(token_bucket, lets_a_burst_pass_and_then_one_per_gap) {
  taps::token_bucket bucket{10ms, 3, start};
  EXPECT_TRUE(bucket.take(start, 3));
  EXPECT_FALSE(bucket.take(start + 9ms, 1));
  EXPECT_TRUE(bucket.take(start + 10ms, 1));
  EXPECT_FALSE(bucket.take(start + 1h, 4));
}

TEST(token_bucket, names_the_moment_from_which_tokens_can_be_taken) {
  taps::token_bucket bucket{10ms, 3, start};
  EXPECT_EQ(bucket.next_deadline(4), std::nullopt);
  ASSERT_TRUE(bucket.take(start, 2));
  const auto next = bucket.next_deadline(3);
  ASSERT_TRUE(next);
  EXPECT_FALSE(bucket.take(*next - 1ns, 3));
  EXPECT_TRUE(bucket.take(*next, 3));
}
