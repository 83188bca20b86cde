#pragma once

#include "taps/core/base/result.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace taps {

enum class ip_family : std::uint8_t { v4, v6 };

/// An IPv4 or IPv6 address without zone. Ordered and hashable by value.
class ip_address {
public:
  using v4_bytes = std::array<std::uint8_t, 4>;
  using v6_bytes = std::array<std::uint8_t, 16>;

  /// The IPv4 wildcard `0.0.0.0`.
  constexpr ip_address() noexcept = default;
  explicit constexpr ip_address(const v4_bytes& bytes) noexcept {
    for (std::size_t i = 0; i < 4; ++i)
      bytes_[i] = bytes[i];
  }
  explicit constexpr ip_address(const v6_bytes& bytes) noexcept
      : family_(ip_family::v6), bytes_(bytes) {}

  /// Reads `192.0.2.1` or `2001:db8::1` (RFC 4291, section 2.2). No zone, no port, no brackets.
  static result<ip_address> parse(std::string_view text);

  static constexpr ip_address any(ip_family family) noexcept {
    return family == ip_family::v4 ? ip_address{} : ip_address{v6_bytes{}};
  }
  static constexpr ip_address loopback(ip_family family) noexcept {
    if (family == ip_family::v4)
      return ip_address{v4_bytes{127, 0, 0, 1}};
    v6_bytes bytes{};
    bytes[15] = 1;
    return ip_address{bytes};
  }

  [[nodiscard]] constexpr ip_family family() const noexcept { return family_; }
  [[nodiscard]] constexpr bool is_v4() const noexcept { return family_ == ip_family::v4; }
  [[nodiscard]] constexpr bool is_v6() const noexcept { return family_ == ip_family::v6; }

  /// The bytes in network order; an IPv4 address uses the first four.
  [[nodiscard]] constexpr const v6_bytes& bytes() const noexcept { return bytes_; }

  [[nodiscard]] bool is_any() const noexcept;
  [[nodiscard]] bool is_loopback() const noexcept;
  [[nodiscard]] bool is_multicast() const noexcept;
  /// True for `169.254/16` and `fe80::/10`.
  [[nodiscard]] bool is_link_local() const noexcept;
  /// True for IPv6 addresses, multicast groups included, that mean another thing on each link
  /// (RFC 4007): nothing can be sent there without a zone.
  [[nodiscard]] bool needs_zone() const noexcept;
  /// True for `::ffff:0:0/96`.
  [[nodiscard]] bool is_v4_mapped() const noexcept;
  /// Turns `::ffff:192.0.2.1` into `192.0.2.1`; returns others unchanged.
  [[nodiscard]] ip_address unmapped() const noexcept;

  friend constexpr auto operator<=>(const ip_address&, const ip_address&) noexcept = default;

  template<class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, ip_address& x) {
    return f(x.family_, x.bytes_);
  }

private:
  ip_family family_ = ip_family::v4;
  v6_bytes bytes_{};
};

/// Returns how many bits two addresses have in common from the front; 0 for different families.
[[nodiscard]] unsigned common_prefix_length(const ip_address& x, const ip_address& y) noexcept;

/// Tells whether `x` is one of the addresses that begin with the first `length` bits of `prefix`.
[[nodiscard]] bool is_in_prefix(const ip_address& x, const ip_address& prefix,
                                unsigned length) noexcept;

/// Returns "IPv4" or "IPv6".
[[nodiscard]] std::string_view to_string(ip_family family) noexcept;

/// Returns the canonical text (RFC 5952 for IPv6).
[[nodiscard]] std::string to_string(const ip_address& address);

}  // namespace taps

template<>
struct std::hash<taps::ip_address> {
  std::size_t operator()(const taps::ip_address& x) const noexcept;
};
