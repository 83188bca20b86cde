// The race machine: pacing, failures, late candidates and its ends, in virtual time.

#include "taps/core/racing/race.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

using namespace std::chrono_literals;
using taps::clamped;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

/// Runs a race from a clock that does not begin at zero and shows actions as text.
class race_test : public testing::Test {
protected:
  static std::vector<std::string> texts(const taps::race_actions& actions) {
    std::vector<std::string> out;
    for (const auto& x : actions)
      out.push_back(to_string(x));
    return out;
  }

  void reset(taps::racing_options options) { race_ = taps::race{options}; }
  void start(taps::deadline timeout = {}) { ASSERT_THAT(race_.on_start(now_, timeout), IsEmpty()); }

  auto offer(std::vector<taps::race_leaf> leaves, bool more = false, taps::error why_none = {}) {
    return texts(race_.on_offer(now_, leaves, more, why_none));
  }
  auto ready(taps::leaf_id leaf) { return texts(race_.on_ready(now_, leaf)); }
  auto failed(taps::leaf_id leaf) { return texts(race_.on_failed(now_, leaf)); }

  /// Moves the clock and tells the race.
  auto after(taps::duration x) {
    now_ += x;
    return texts(race_.on_timer(now_));
  }

  /// Moves the clock without telling the race.
  void pass(taps::duration x) { now_ += x; }

  /// Time left until the race wants to be woken.
  taps::duration wait() const { return race_.next_deadline().value() - now_; }

  static constexpr taps::race_leaf v6{6};
  static constexpr taps::race_leaf v4{4};

  taps::race race_;
  taps::time_point now_ = taps::time_point{} + 1h;
};

}  // namespace

// -- pacing --------------------------------------------------------------------

TEST_F(race_test, RAC_01_black_hole_is_overtaken_after_the_attempt_delay) {
  start();
  EXPECT_THAT(offer({v6, v4}), ElementsAre("start 6"));
  EXPECT_EQ(wait(), 250ms);
  EXPECT_THAT(after(250ms), ElementsAre("start 4"));
  pass(3ms);
  EXPECT_THAT(ready(4), ElementsAre("cancel 6", "succeeded 4"));
  EXPECT_EQ(race_.state(), taps::race_state::won);
  EXPECT_FALSE(race_.next_deadline());
}

TEST_F(race_test, RAC_01_boundary_one_millisecond_around_the_delay) {
  start();
  offer({v6, v4});
  EXPECT_THAT(after(249ms), IsEmpty());
  EXPECT_EQ(wait(), 1ms);
  EXPECT_THAT(after(1ms), ElementsAre("start 4"));

  reset({});
  start();
  offer({v6, v4});
  EXPECT_THAT(after(251ms), ElementsAre("start 4"));
}

TEST_F(race_test, RAC_01_a_late_timer_starts_one_attempt_and_the_stagger_counts_from_it) {
  start();
  offer({{1}, {2}, {3}});
  EXPECT_THAT(after(10s), ElementsAre("start 2"));
  EXPECT_EQ(wait(), 250ms);
}

TEST_F(race_test, RAC_02_a_failure_starts_the_next_at_once) {
  start();
  offer({v6, v4});
  pass(20us);
  EXPECT_THAT(failed(6), ElementsAre("start 4"));
}

TEST_F(race_test, RAC_02_also_while_others_still_run_and_the_stagger_starts_anew) {
  start();
  offer({{1}, {2}, {3}, {4}});
  EXPECT_THAT(after(250ms), ElementsAre("start 2"));
  pass(100ms);
  EXPECT_THAT(failed(1), ElementsAre("start 3"));
  EXPECT_EQ(race_.running(), 2u);
  EXPECT_THAT(after(249ms), IsEmpty());
  EXPECT_THAT(after(1ms), ElementsAre("start 4"));
}

TEST_F(race_test, RAC_02_a_failure_without_candidates_left_pulls_a_late_one_forward) {
  start();
  offer({{1}, {2}}, true);
  after(250ms);
  EXPECT_THAT(failed(1), IsEmpty());
  pass(1ms);
  EXPECT_THAT(offer({{3}}), ElementsAre("start 3"));
}

TEST_F(race_test, RAC_06_the_attempt_delay_is_clamped) {
  EXPECT_EQ(clamped({.attempt_delay = 9ms}).attempt_delay, 10ms);
  EXPECT_EQ(clamped({.attempt_delay = 10ms}).attempt_delay, 10ms);
  EXPECT_EQ(clamped({.attempt_delay = 2s}).attempt_delay, 2s);
  EXPECT_EQ(clamped({.attempt_delay = 2s + 1ns}).attempt_delay, 2s);
  EXPECT_EQ(clamped({.path_delay = 1h}).path_delay, 2s);
  EXPECT_EQ(clamped({.resolution_delay = -1ms}).resolution_delay, 0ms);
  EXPECT_EQ(clamped({.attempt_limit = 0s}).attempt_limit, 10ms);
  EXPECT_EQ(clamped({.attempt_limit = 1h}).attempt_limit, 1h);
  EXPECT_EQ(clamped({.max_attempts = 0}).max_attempts, 1u);
  EXPECT_EQ(clamped({}), taps::racing_options{});

  reset({.attempt_delay = 0ms});
  start();
  offer({v6, v4});
  EXPECT_EQ(wait(), 10ms);
  reset({.attempt_delay = 1min});
  start();
  offer({v6, v4});
  EXPECT_EQ(wait(), 2s);
}

TEST_F(race_test, paths_wait_longer_than_addresses) {
  start();
  offer({{1}, {2, taps::delay_class::protocol}, {3, taps::delay_class::path}});
  EXPECT_THAT(after(250ms), ElementsAre("start 2"));
  EXPECT_THAT(after(499ms), IsEmpty());
  EXPECT_THAT(after(1ms), ElementsAre("start 3"));
}

TEST_F(race_test, RAC_07_a_second_attempt_leaves_the_first_alone) {
  start();
  offer({v6, v4});
  EXPECT_THAT(after(250ms), ElementsAre("start 4"));
  pass(5ms);
  EXPECT_THAT(ready(6), ElementsAre("cancel 4", "succeeded 6"));
}

TEST_F(race_test, RAC_08_losers_are_cancelled_before_success_is_told) {
  reset({.mode = taps::racing_mode::simultaneous});
  start();
  EXPECT_THAT(offer({{1}, {2}, {3}}), ElementsAre("start 1", "start 2", "start 3"));
  EXPECT_THAT(ready(2), ElementsAre("cancel 1", "cancel 3", "succeeded 2"));
  EXPECT_THAT(ready(1), IsEmpty());
}

TEST_F(race_test, RAC_10_failover_waits_for_the_failure) {
  reset({.mode = taps::racing_mode::failover});
  start();
  EXPECT_THAT(offer({{1}, {2}}), ElementsAre("start 1"));
  EXPECT_FALSE(race_.next_deadline());
  EXPECT_THAT(after(1h), IsEmpty());
  EXPECT_THAT(failed(1), ElementsAre("start 2"));
}

TEST_F(race_test, RAC_11_attempts_are_capped) {
  std::vector<taps::race_leaf> thousand;
  for (taps::leaf_id i = 0; i < 1000; ++i)
    thousand.push_back({i});
  start();
  auto actions = offer(thousand, true);
  for (taps::leaf_id i = 0; i < 63; ++i)
    EXPECT_THAT(failed(i), ElementsAre("start " + std::to_string(i + 1)));
  EXPECT_EQ(race_.started(), 64u);
  EXPECT_THAT(failed(63), ElementsAre("failed EstablishmentFailed: all 64 attempts failed, 936 "
                                      "candidates untried because of the limit"));

  reset({.mode = taps::racing_mode::simultaneous});
  start();
  EXPECT_EQ(offer(thousand).size(), 64u);
}

// -- late candidates -----------------------------------------------------------

TEST_F(race_test, RAC_15_late_addresses_go_before_untried_ones_and_disturb_nobody) {
  start();
  EXPECT_THAT(offer({{41}, {42}}, true), ElementsAre("start 41"));
  pass(100ms);
  EXPECT_THAT(offer({{61}, {42}}), IsEmpty());
  EXPECT_EQ(race_.running(), 1u);
  EXPECT_EQ(wait(), 150ms);
  EXPECT_THAT(after(150ms), ElementsAre("start 61"));
  EXPECT_THAT(after(250ms), ElementsAre("start 42"));
  EXPECT_THAT(ready(41), ElementsAre("cancel 61", "cancel 42", "succeeded 41"));
}

TEST_F(race_test, RAC_15_a_late_address_starts_at_once_when_its_time_has_passed) {
  start();
  offer({{1}}, true);
  pass(250ms);
  EXPECT_THAT(offer({{2}}), ElementsAre("start 2"));
}

TEST_F(race_test, a_leaf_is_started_once_however_often_it_is_offered) {
  start();
  offer({{1}, {2}}, true);
  EXPECT_THAT(failed(1), ElementsAre("start 2"));
  EXPECT_THAT(offer({{1}, {2}, {3}, {3}}), IsEmpty());
  EXPECT_EQ(race_.startable(), 1u);
  EXPECT_THAT(failed(2), ElementsAre("start 3"));
}

TEST_F(race_test, failures_before_the_last_name_is_resolved_do_not_end_the_race) {
  start();
  offer({{1}}, true);
  EXPECT_THAT(failed(1), IsEmpty());
  EXPECT_EQ(race_.state(), taps::race_state::waiting);
  EXPECT_THAT(offer({{2}}), ElementsAre("start 2"));
}

TEST_F(race_test, failures_become_final_with_the_last_name) {
  start();
  offer({{1}}, true);
  failed(1);
  EXPECT_THAT(offer({}), ElementsAre("failed EstablishmentFailed: the only attempt failed"));
}

// -- ends ----------------------------------------------------------------------

TEST_F(race_test, EST_02_all_refused_is_one_failure) {
  start();
  offer({{1}, {2}});
  EXPECT_THAT(failed(1), ElementsAre("start 2"));
  EXPECT_THAT(failed(2), ElementsAre("failed EstablishmentFailed: all 2 attempts failed"));
  EXPECT_THAT(failed(2), IsEmpty());
  EXPECT_THAT(after(1h), IsEmpty());
}

TEST_F(race_test, EST_02_a_failure_told_twice_counts_once) {
  start();
  offer({{1}, {2}, {3}});
  EXPECT_THAT(failed(1), ElementsAre("start 2"));
  EXPECT_THAT(failed(1), IsEmpty());
  EXPECT_THAT(ready(1), IsEmpty());
}

TEST_F(race_test, EST_03_the_timeout_ends_a_black_hole) {
  start(now_ + 200ms);
  offer({{1}, {2}});
  EXPECT_EQ(wait(), 200ms);
  EXPECT_THAT(after(199ms), IsEmpty());
  EXPECT_THAT(after(1ms),
              ElementsAre("cancel 1",
                          "failed EstablishmentFailed: not established within 200.0 ms: "
                          "1 attempt made, 1 unfinished, 1 candidate untried"));
}

TEST_F(race_test, EST_03_the_timeout_beats_a_start_due_at_the_same_time) {
  start(now_ + 250ms);
  offer({{1}, {2}});
  auto actions = after(250ms);
  ASSERT_EQ(actions.size(), 2u);
  EXPECT_EQ(actions[0], "cancel 1");
}

TEST_F(race_test, EST_03_the_timeout_spans_resolution) {
  start(now_ + 200ms);
  EXPECT_EQ(wait(), 200ms);
  EXPECT_THAT(after(200ms), ElementsAre(HasSubstr("still resolving names")));
}

TEST_F(race_test, EST_04_without_any_candidate_the_given_reason_is_told) {
  start();
  EXPECT_THAT(offer({}, true), IsEmpty());
  EXPECT_THAT(offer({}, false, {taps::errc::resolution_failed, "no such name"}),
              ElementsAre("failed ResolutionFailed: no such name"));

  reset({});
  start();
  EXPECT_THAT(offer({}), ElementsAre(HasSubstr("failed NoCandidates")));
}
