#include "taps/core/transport/rate_limit.hpp"

#include <algorithm>

namespace taps {

void rate_limit::set(std::int64_t bits_per_second) noexcept {
  limit_ = static_cast<std::uint64_t>(std::max<std::int64_t>(bits_per_second / 8, 1));
  portion_ = std::max<std::uint64_t>(limit_ / slots_per_second, 1);
}

void rate_limit::advance(time_point now) noexcept {
  const auto slot = slot_of(now);
  if (slot - newest_ >= static_cast<std::int64_t>(slots_.size())) {
    slots_.fill(0);
    sum_ = 0;
    newest_ = slot;
  }
  while (newest_ < slot) {
    ++newest_;
    sum_ -= current();
    current() = 0;
  }
}

std::size_t rate_limit::available(time_point now) noexcept {
  advance(now);
  const auto left = limit_ - std::min(sum_, limit_);
  return std::min(left, portion_ - std::min(current(), portion_));
}

bool rate_limit::allows(time_point now, std::size_t size) noexcept {
  advance(now);
  const auto fits_slot = current() == 0 || current() + size <= portion_;
  return fits_slot && (sum_ == 0 || sum_ + size <= limit_);
}

void rate_limit::spend(time_point now, std::size_t bytes) noexcept {
  advance(now);
  current() += bytes;
  sum_ += bytes;
}

time_point rate_limit::next(time_point now) const noexcept {
  return time_point{(slot_of(now) + 1) * slot_length};
}

}  // namespace taps
