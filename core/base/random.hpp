#pragma once

#include <cstdint>

namespace taps {

/// A small, fast, seedable generator (splitmix64): the only source of randomness of `core/`, so
/// that a seed replays a run. Not for cryptography.
class random_source {
public:
  using result_type = std::uint64_t;

  explicit constexpr random_source(std::uint64_t seed) noexcept : state_(seed) {}

  constexpr std::uint64_t operator()() noexcept {
    auto z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }

  /// Returns a value in `[0, bound)`. @pre `bound > 0`
  constexpr std::uint64_t below(std::uint64_t bound) noexcept { return (*this)() % bound; }

  static constexpr std::uint64_t min() noexcept { return 0; }
  static constexpr std::uint64_t max() noexcept { return ~std::uint64_t{0}; }

private:
  std::uint64_t state_;
};

}  // namespace taps
