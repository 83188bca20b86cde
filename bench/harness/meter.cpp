#include "taps/bench/harness/meter.hpp"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <string>
#include <utility>

namespace bench {

namespace {

constexpr auto forever = std::numeric_limits<std::uint64_t>::max();

double process_cpu_us() {
  timespec ts{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  return static_cast<double>(ts.tv_sec) * 1e6 + static_cast<double>(ts.tv_nsec) / 1e3;
}

double seconds(std::chrono::nanoseconds d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

// -- rate ---------------------------------------------------------------------

rate_meter::rate_meter(std::chrono::nanoseconds duration,
                       std::function<void(const rate_sample&)> done)
    : duration_(duration), done_(std::move(done)) {
  // nop
}

void rate_meter::reached() {
  if (phase_ == phase::over)
    return;
  auto now = clock::now();
  if (phase_ == phase::first) {
    phase_ = phase::warming;
    since_ = now;
    base_ = count_;
    next_ = count_ + 1;
    return;
  }
  auto spent = now - since_;
  if (phase_ == phase::warming && spent >= duration_ / 5) {
    begin(now);
  } else if (phase_ == phase::measuring && spent >= duration_) {
    finish(now);
    return;
  }
  auto rate = static_cast<double>(count_ - base_) / std::max(seconds(spent), 1e-9);
  next_ = count_ + std::max<std::uint64_t>(1, static_cast<std::uint64_t>(rate * 0.0005));
}

void rate_meter::begin(clock::time_point now) {
  phase_ = phase::measuring;
  since_ = now;
  base_ = count_;
  cpu_us_ = process_cpu_us();
  next_ = count_ + 1;
}

void rate_meter::finish(clock::time_point now) {
  phase_ = phase::over;
  next_ = forever;
  auto units = static_cast<double>(count_ - base_);
  done_({.units_per_second = units / seconds(now - since_),
         .cpu_us_per_unit = (process_cpu_us() - cpu_us_) / units});
}

// -- milestones ---------------------------------------------------------------

milestone_meter::milestone_meter(std::uint64_t early_at, std::function<void()> early,
                                 std::uint64_t wanted, std::function<void()> done)
    : early_at_(early_at), wanted_(wanted), early_(std::move(early)), done_(std::move(done)) {
  next_ = std::min(early_at_, wanted_);
}

void milestone_meter::reached() {
  if (count_ >= early_at_ && early_)
    std::exchange(early_, nullptr)();
  next_ = count_ < wanted_ ? wanted_ : forever;
  if (count_ >= wanted_)
    done_();
}

// -- memory -------------------------------------------------------------------

std::uint64_t resident_bytes() {
  // Not statm: its counters are summed up from per-thread ones only now and then.
  std::ifstream in("/proc/self/smaps_rollup");
  std::string word;
  while (in >> word) {
    std::uint64_t kib = 0;
    if (word == "Rss:" && in >> kib)
      return kib * 1024;
  }
  return 0;
}

}  // namespace bench
