#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>

namespace bench {

/// Counts what was done; called by the subjects on their hot paths, on one thread.
class meter {
public:
  virtual ~meter() = default;

  /// Adds `n` finished units.
  void add(std::uint64_t n) {
    count_ += n;
    if (count_ >= next_)
      reached();
  }

protected:
  /// Called when the count reaches `next_`; sets a new `next_`.
  virtual void reached() = 0;

  std::uint64_t count_ = 0;
  std::uint64_t next_ = 1;
};

/// Counts nothing: for the end that is not asked.
class no_meter : public meter {
protected:
  void reached() override { next_ = std::numeric_limits<std::uint64_t>::max(); }
};

/// What a rate meter found.
struct rate_sample {
  double units_per_second = 0;
  /// CPU time of the whole process, in microseconds.
  double cpu_us_per_unit = 0;
};

/// Measures units per second after a warm-up. It reads the clock about every half millisecond,
/// whatever the rate, so that the measuring weighs the same for every subject.
class rate_meter : public meter {
public:
  using clock = std::chrono::steady_clock;

  /// Measures for `duration` after a fifth of it as warm-up, then calls `done` once.
  rate_meter(std::chrono::nanoseconds duration, std::function<void(const rate_sample&)> done);

protected:
  void reached() override;

private:
  void begin(clock::time_point now);
  void finish(clock::time_point now);

  enum class phase { first, warming, measuring, over };

  std::chrono::nanoseconds duration_;
  std::function<void(const rate_sample&)> done_;
  phase phase_ = phase::first;
  clock::time_point since_;
  std::uint64_t base_ = 0;
  double cpu_us_ = 0;
};

/// Calls `done` when the `wanted`-th unit was added, and `early` at the `early_at`-th.
class milestone_meter : public meter {
public:
  milestone_meter(std::uint64_t early_at, std::function<void()> early, std::uint64_t wanted,
                  std::function<void()> done);

protected:
  void reached() override;

private:
  std::uint64_t early_at_;
  std::uint64_t wanted_;
  std::function<void()> early_;
  std::function<void()> done_;
};

/// Resident bytes of this process.
std::uint64_t resident_bytes();

}  // namespace bench
