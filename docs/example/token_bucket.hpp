#pragma once

#include "taps/core/base/time.hpp"

#include <cstddef>

namespace taps {

/// Lets `rate` bytes pass per second, and up to `burst` at once. Sans-IO: it owns no timer and
/// reads no clock. Used by one thread.
class token_bucket {
public:
  /// Full at first. @pre `gap` is positive
  token_bucket(duration gap, std::size_t burst, time_point now) noexcept;

  // -- inputs -------------------------------------------------------------------------

  /// Takes `n` tokens if there are as many; returns whether it did.
  [[nodiscard]] bool take(time_point now, std::size_t n) noexcept;

  // -- properties ---------------------------------------------------------------------

  /// Returns when `n` tokens can be taken; absent if never, as they exceed `burst`.
  [[nodiscard]] deadline next_deadline(std::size_t n) const noexcept;

private:
  void refill(time_point now) noexcept;

  duration gap_;
  std::size_t burst_;
  std::size_t tokens_;
  time_point filled_at_;
};

}  // namespace taps
