#pragma once

#include <chrono>
#include <optional>

namespace taps {

/// The monotonic clock of the system. `core/` uses its types only and never reads it: the current
/// time is always an argument.
using clock = std::chrono::steady_clock;
using time_point = clock::time_point;
using duration = clock::duration;

/// A point in time that may be absent, for instance "no timer is running".
using deadline = std::optional<time_point>;

/// Returns the sooner of two deadlines; an absent one never wins.
constexpr deadline sooner(deadline x, deadline y) noexcept {
  if (!x)
    return y;
  if (!y)
    return x;
  return *x < *y ? x : y;
}

/// Returns `now + span`, or the end of time where that lies beyond.
constexpr time_point later(time_point now, duration span) noexcept {
  return span > time_point::max() - now ? time_point::max() : now + span;
}

}  // namespace taps
