#include "taps/docs/example/token_bucket.hpp"

#include <algorithm>

namespace taps {

token_bucket::token_bucket(duration gap, std::size_t burst, time_point now) noexcept
    : gap_(gap), burst_(burst), tokens_(burst), filled_at_(now) {
  // nop
}

bool token_bucket::take(time_point now, std::size_t n) noexcept {
  refill(now);
  if (n > tokens_)
    return false;
  tokens_ -= n;
  return true;
}

deadline token_bucket::next_deadline(std::size_t n) const noexcept {
  if (n > burst_)
    return {};
  const auto missing = n > tokens_ ? n - tokens_ : 0;
  return filled_at_ + gap_ * missing;
}

void token_bucket::refill(time_point now) noexcept {
  const auto gained = (now - filled_at_) / gap_;
  // Counts from the last whole token, so that nothing is lost to rounding.
  filled_at_ += gap_ * gained;
  tokens_ = std::min(burst_, tokens_ + static_cast<std::size_t>(gained));
}

}  // namespace taps
