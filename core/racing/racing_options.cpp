#include "taps/core/racing/racing_options.hpp"

#include <algorithm>

namespace taps {

std::string_view to_string(racing_mode mode) noexcept {
  switch (mode) {
  case racing_mode::staggered:
    return "staggered";
  case racing_mode::simultaneous:
    return "simultaneous";
  case racing_mode::failover:
    return "failover";
  }
  return "unknown";
}

racing_options clamped(racing_options x) noexcept {
  constexpr auto low = racing_options::min_attempt_delay;
  constexpr auto high = racing_options::max_attempt_delay;
  x.attempt_delay = std::clamp(x.attempt_delay, low, high);
  x.path_delay = std::clamp(x.path_delay, low, high);
  x.resolution_delay = std::clamp(x.resolution_delay, duration::zero(), high);
  x.attempt_limit = std::max(x.attempt_limit, low);
  x.max_attempts = std::max<std::size_t>(x.max_attempts, 1);
  return x;
}

}  // namespace taps
