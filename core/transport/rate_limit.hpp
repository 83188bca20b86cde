#pragma once

#include "taps/core/base/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace taps {

/// Keeps what passes below a bit rate (RFC 9622, section 8.1.8): in any second at most what the
/// rate allows, however little was used before. Streams are spread over the second in small
/// portions, so that peer and network see no bursts.
class rate_limit {
public:
  explicit rate_limit(std::int64_t bits_per_second) noexcept { set(bits_per_second); }

  /// Changes the rate; what passed already counts.
  void set(std::int64_t bits_per_second) noexcept;

  /// Returns how many bytes of a stream may pass now.
  [[nodiscard]] std::size_t available(time_point now) noexcept;

  /// Tells whether a Message that cannot be cut may pass now. One that is larger than a second's
  /// worth may when nothing else passed for a second.
  [[nodiscard]] bool allows(time_point now, std::size_t size) noexcept;

  /// Counts what passed.
  void spend(time_point now, std::size_t bytes) noexcept;

  /// Returns when more may pass than at `now`.
  [[nodiscard]] time_point next(time_point now) const noexcept;

private:
  static constexpr std::int64_t slots_per_second = 32;
  static constexpr duration slot_length =
      std::chrono::nanoseconds{1'000'000'000 / slots_per_second};

  static std::int64_t slot_of(time_point x) noexcept { return x.time_since_epoch() / slot_length; }
  void advance(time_point now) noexcept;
  [[nodiscard]] std::uint64_t& current() noexcept {
    return slots_[static_cast<std::size_t>(newest_) % slots_.size()];
  }

  std::uint64_t limit_ = 0;
  /// What may pass in one slot.
  std::uint64_t portion_ = 0;
  /// Any second lies within so many slots.
  std::array<std::uint64_t, slots_per_second + 1> slots_{};
  std::uint64_t sum_ = 0;
  std::int64_t newest_ = 0;
};

}  // namespace taps
