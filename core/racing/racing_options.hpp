#pragma once

#include "taps/core/base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace taps {

/// How candidates are set against each other (RFC 9623, section 4.3).
enum class racing_mode : std::uint8_t {
  /// The next candidate follows after a delay, or at once when one failed; earlier ones go on.
  staggered,
  /// All candidates at once. Wasteful to networks and peers; never the default.
  simultaneous,
  /// The next candidate follows only when the one before it has failed, which it has after
  /// `attempt_limit` at the latest.
  failover,
};

[[nodiscard]] std::string_view to_string(racing_mode mode) noexcept;

/// The pace of a race. The delays are those of RFC 8305, section 8.
struct racing_options {
  static constexpr duration min_attempt_delay = std::chrono::milliseconds{10};
  static constexpr duration max_attempt_delay = std::chrono::seconds{2};

  racing_mode mode = racing_mode::staggered;
  /// From one attempt to the next on the same path. Clamped to `[10 ms, 2 s]`.
  duration attempt_delay = std::chrono::milliseconds{250};
  /// From the last attempt on one path to the first one on the next. Clamped likewise.
  duration path_delay = std::chrono::milliseconds{500};
  /// How long IPv4 addresses wait for IPv6 ones. Clamped to `[0, 2 s]`.
  duration resolution_delay = std::chrono::milliseconds{50};
  /// Failover only: how long an attempt may take to connect; at least 10 ms. In other modes
  /// attempts do not hold up one another: they end with the race, or when the kernel gives up.
  duration attempt_limit = std::chrono::seconds{30};
  /// Attempts of one establishment at most, however many addresses the network sends; at least 1.
  std::size_t max_attempts = 64;

  friend bool operator==(const racing_options&, const racing_options&) = default;
};

/// Returns `x` with every value brought into its range.
[[nodiscard]] racing_options clamped(racing_options x) noexcept;

}  // namespace taps
