// Random schedules through the race machine against a model that keeps its own books.
//
// TAPLINE_SEED repeats a run, TAPLINE_SEQUENCES changes its length. Sequence n uses seed + n, so a
// failure is replayed alone with TAPLINE_SEED=<its seed> TAPLINE_SEQUENCES=1.

#include "taps/core/base/random.hpp"
#include "taps/core/racing/race.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using taps::race_action;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TAPLINE_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TAPLINE_SANITIZED 1
#endif

namespace {

#if defined(TAPLINE_SANITIZED)
constexpr std::uint64_t default_sequences = 20'000;
#else
constexpr std::uint64_t default_sequences = 1'000'000;
#endif

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr && *text != '\0' ? std::strtoull(text, nullptr, 0) : otherwise;
}

/// How often what happened, to show that the schedules reach every corner.
struct coverage {
  std::array<std::uint64_t, 4> actions{};
  std::uint64_t pulled_forward = 0;
  std::uint64_t pulled_forward_beside_others = 0;
  std::uint64_t capped = 0;
  std::uint64_t late_inputs = 0;
  std::uint64_t inserted = 0;
  std::uint64_t timeouts = 0;
};

/// One random schedule.
class schedule {
public:
  schedule(std::uint64_t seed, coverage& seen, bool trace)
      : random_(seed), seen_(seen), trace_(trace), options_(random_options()), race_(options_) {}

  /// Returns what went wrong, or nothing.
  std::string run() {
    if (chance(2))
      timeout_ = now_ + 1ms * (1 + random_.below(3000));
    for (auto n = random_.below(9); n > 0; --n)
      add_leaf();
    begin();
    for (int step = 0; step < 24 && wrong_.empty() && !ended_; ++step)
      random_input();
    if (wrong_.empty() && !ended_)
      drain();
    for (int step = 0; step < 3 && wrong_.empty(); ++step) {
      ++seen_.late_inputs;
      random_input();
    }
    if (wrong_.empty())
      check_books();
    return wrong_;
  }

private:
  // -- random things -----------------------------------------------------------

  bool chance(std::uint64_t one_in) { return random_.below(one_in) == 0; }

  taps::racing_options random_options() {
    static constexpr std::array<taps::duration, 5> delays{0ms, 10ms, 100ms, 250ms, 5s};
    taps::racing_options out;
    out.mode =
        chance(2) ? taps::racing_mode::staggered : static_cast<taps::racing_mode>(random_.below(3));
    out.attempt_delay = delays[random_.below(delays.size())];
    out.path_delay = delays[random_.below(delays.size())];
    out.max_attempts = chance(3) ? 1 + random_.below(5) : 64;
    return out;
  }

  void add_leaf() {
    if (next_leaf_ == 32)
      return;
    taps::race_leaf leaf{next_leaf_++, static_cast<taps::delay_class>(random_.below(3))};
    auto position = static_cast<std::ptrdiff_t>(random_.below(untried_.size() + 1));
    untried_.insert(untried_.begin() + position, leaf);
  }

  taps::leaf_id random_leaf() { return static_cast<taps::leaf_id>(random_.below(next_leaf_ + 2)); }

  /// A running leaf, if there is one; sometimes any.
  taps::leaf_id likely_leaf() {
    if (running_ == 0 || chance(6))
      return random_leaf();
    auto skip = random_.below(static_cast<std::uint64_t>(std::popcount(running_)));
    auto bits = running_;
    for (; skip > 0; --skip)
      bits &= bits - 1;
    return static_cast<taps::leaf_id>(std::countr_zero(bits));
  }

  // -- inputs ------------------------------------------------------------------

  void begin() {
    note("start", race_.on_start(now_, timeout_));
    // As long as no name is resolved, the shell offers nothing.
    more_to_come_ = true;
    if (!chance(8))
      offer();
  }

  void random_input() {
    now_ += chance(3) ? 1ms * random_.below(400) : taps::duration{};
    switch (random_.below(10)) {
    case 0:
    case 1:
      return fail(likely_leaf());
    case 2:
      return chance(3) ? succeed(likely_leaf()) : fail(likely_leaf());
    case 3:
      if (chance(2)) {
        ++seen_.inserted;
        add_leaf();
      }
      return offer();
    case 4:
    case 5:
    case 6:
      return tick();
    default:
      if (auto next = race_.next_deadline())
        now_ = std::max(now_, *next - (chance(4) ? 1ms : 0ms));
      return tick();
    }
  }

  void offer() {
    more_to_come_ = more_to_come_ && !chance(3);
    auto list = untried_;
    // Started leaves and repetitions have no effect.
    if (started_ != 0 && chance(5))
      list.insert(list.begin(), {static_cast<taps::leaf_id>(std::countr_zero(started_))});
    if (chance(5) && !list.empty())
      list.push_back(list.front());
    offered_ = true;
    note("offer", race_.on_offer(now_, list, more_to_come_));
  }

  void tick() {
    note("timer", race_.on_timer(now_));
    if (auto next = race_.next_deadline(); next && *next <= now_)
      complain("the deadline did not move on: a busy loop");
  }

  void succeed(taps::leaf_id leaf) {
    auto ran = is_running(leaf);
    if (ran)
      winner_ = leaf;
    note("ready " + label(leaf), race_.on_ready(now_, leaf));
    if (ran && won_ != 1)
      complain("a ready attempt did not win");
  }

  void fail(taps::leaf_id leaf) {
    auto ran = is_running(leaf);
    auto before = starts_;
    auto expects = ran && left() > 0;
    if (ran) {
      running_ &= ~(1u << leaf);
      ++failed_;
      credit_ = true;
    }
    if (options_.mode == taps::racing_mode::failover)
      expects = expects && running_ == 0;
    auto others = running_ != 0;
    note("failed " + label(leaf), race_.on_failed(now_, leaf));
    if (expects != (starts_ > before))
      complain(expects ? "a failure did not start the next at once" : "an unexpected start");
    seen_.pulled_forward += expects;
    seen_.pulled_forward_beside_others += expects && others;
  }

  /// Ends a schedule in a way that must lead to the terminal action.
  void drain() {
    more_to_come_ = false;
    offered_ = true;
    note("last offer", race_.on_offer(now_, untried_, false));
    for (int guard = 0; guard < 64 && !ended_ && wrong_.empty(); ++guard) {
      if (running_ == 0)
        return complain("hangs: nothing runs, nothing will come");
      fail(static_cast<taps::leaf_id>(std::countr_zero(running_)));
    }
    if (!ended_ && wrong_.empty())
      complain("hangs: no end although everything has failed");
  }

  // -- checks ------------------------------------------------------------------

  void note(const std::string& input, const taps::race_actions& actions) {
    if (trace_)
      std::cout << (now_ - taps::time_point{}) / 1ms << " ms: " << input << "\n";
    if (ended_ && !actions.empty())
      complain("an action after the terminal one");
    auto starts = starts_;
    auto ran = running_ != 0;
    for (const auto& x : actions) {
      if (trace_)
        std::cout << "    " << to_string(x) << "\n";
      ++seen_.actions[static_cast<std::size_t>(x.what)];
      if (ended_)
        complain("an action behind the terminal one");
      apply(x, ran);
    }
    if (options_.mode != taps::racing_mode::simultaneous && starts_ > starts + 1)
      complain("two starts at once");
    check_waiting();
  }

  void apply(const race_action& x, bool ran) {
    switch (x.what) {
    case race_action::kind::start_attempt:
      return apply_start(x.leaf, ran);
    case race_action::kind::cancel_attempt:
      if (!is_running(x.leaf) || x.leaf == winner_)
        complain("cancels what does not run");
      running_ &= ~(1u << x.leaf);
      ++cancelled_;
      return;
    case race_action::kind::succeeded:
      if (x.leaf != winner_ || !is_running(x.leaf))
        complain("success of the wrong leaf");
      running_ &= ~(1u << x.leaf);
      ++won_;
      break;
    case race_action::kind::failed:
      if (!x.reason || x.reason.text().empty())
        complain("a failure without a reason");
      seen_.timeouts += timeout_ && *timeout_ <= now_;
      seen_.capped += x.reason.text().ends_with("limit");
      if (!(timeout_ && *timeout_ <= now_) && (left() > 0 || (more_to_come_ && !is_capped())))
        complain("gave up too early");
      break;
    }
    if (running_ != 0)
      complain("the terminal action leaves attempts running");
    ended_ = true;
  }

  void apply_start(taps::leaf_id leaf, bool ran) {
    if ((started_ >> leaf & 1) != 0)
      complain("a second start of " + label(leaf));
    if (untried_.empty() || untried_.front().id != leaf)
      return complain("a start out of order");
    if (is_capped())
      complain("more attempts than allowed");
    if (ran && !credit_ && is_staggered() && now_ < last_start_ + delay_of(untried_.front()))
      complain("a start before its time");
    if (running_ != 0 && options_.mode == taps::racing_mode::failover)
      complain("two attempts in failover");
    untried_.erase(untried_.begin());
    started_ |= 1u << leaf;
    running_ |= 1u << leaf;
    ++starts_;
    credit_ = false;
    last_start_ = now_;
  }

  void check_waiting() {
    auto next = race_.next_deadline();
    if (ended_) {
      if (next)
        complain("a deadline after the end");
      return;
    }
    if (race_.running() != static_cast<std::size_t>(std::popcount(running_)))
      complain("the count of running attempts is wrong");
    if (timeout_ && (!next || *next > *timeout_))
      complain("the timeout is forgotten");
    if (!offered_)
      return;
    if (running_ == 0 && (left() > 0 || !more_to_come_ || is_capped()))
      complain("nothing runs, nothing is awaited");
    if (is_staggered() && left() > 0 && credit_)
      complain("a leaf waits although a failure has called for it");
    if (is_staggered() && left() > 0 && (!next || *next > last_start_ + delay_of(untried_.front())))
      complain("nobody will start the next leaf");
    if (is_simultaneous() && left() > 0)
      complain("a leaf was not started although all should");
  }

  void check_books() {
    if (!ended_)
      return complain("no terminal action");
    if (starts_ != won_ + cancelled_ + failed_)
      complain("started " + std::to_string(starts_) + " != won " + std::to_string(won_) +
               " + cancelled " + std::to_string(cancelled_) + " + failed " +
               std::to_string(failed_));
  }

  void complain(std::string what) {
    if (wrong_.empty())
      wrong_ = std::move(what);
  }

  // -- the model ---------------------------------------------------------------

  bool is_staggered() const { return options_.mode == taps::racing_mode::staggered; }
  bool is_simultaneous() const { return options_.mode == taps::racing_mode::simultaneous; }
  bool is_capped() const { return starts_ >= options_.max_attempts; }
  bool is_running(taps::leaf_id leaf) const { return leaf < 32 && (running_ >> leaf & 1) != 0; }
  std::size_t left() const { return is_capped() || !offered_ ? 0 : untried_.size(); }
  static std::string label(taps::leaf_id leaf) { return std::to_string(leaf); }

  taps::duration delay_of(const taps::race_leaf& leaf) const {
    auto delay =
        leaf.delay == taps::delay_class::path ? options_.path_delay : options_.attempt_delay;
    return std::clamp<taps::duration>(delay, 10ms, 2s);
  }

  taps::random_source random_;
  coverage& seen_;
  bool trace_;
  taps::racing_options options_;
  taps::race race_;
  std::string wrong_;
  taps::time_point now_ = taps::time_point{} + 1h;
  taps::deadline timeout_;
  taps::leaf_id next_leaf_ = 0;
  taps::leaf_id winner_ = 99;
  std::vector<taps::race_leaf> untried_;
  std::uint32_t started_ = 0;
  std::uint32_t running_ = 0;
  std::size_t starts_ = 0;
  std::size_t won_ = 0;
  std::size_t cancelled_ = 0;
  std::size_t failed_ = 0;
  taps::time_point last_start_{};
  bool credit_ = false;
  bool more_to_come_ = true;
  bool offered_ = false;
  bool ended_ = false;
};

}  // namespace

TEST(race_property, random_schedules_end_once_and_keep_their_books) {
  auto seed = number_from("TAPLINE_SEED", 20261123);
  auto sequences = number_from("TAPLINE_SEQUENCES", default_sequences);
  std::cout << "seed " << seed << ", " << sequences << " sequences\n";
  coverage seen;
  for (std::uint64_t i = 0; i < sequences; ++i) {
    auto wrong = schedule{seed + i, seen, false}.run();
    if (wrong.empty())
      continue;
    schedule{seed + i, seen, true}.run();
    FAIL() << wrong << "; replay with TAPLINE_SEED=" << seed + i << " TAPLINE_SEQUENCES=1";
  }
  std::cout << "starts " << seen.actions[0] << ", cancels " << seen.actions[1] << ", won "
            << seen.actions[2] << ", failed " << seen.actions[3] << "; pulled forward "
            << seen.pulled_forward << ", of these beside " << seen.pulled_forward_beside_others
            << "; capped " << seen.capped << ", timeouts " << seen.timeouts << ", inserted "
            << seen.inserted << "\n";
  if (sequences < 1000)
    return;
  for (auto n : seen.actions)
    EXPECT_GT(n, 0u);
  EXPECT_EQ(seen.actions[2] + seen.actions[3], sequences);
  EXPECT_GT(seen.pulled_forward_beside_others, 0u);
  EXPECT_GT(seen.capped, 0u);
  EXPECT_GT(seen.timeouts, 0u);
  EXPECT_GT(seen.inserted, 0u);
}
