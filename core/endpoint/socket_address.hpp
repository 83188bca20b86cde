#pragma once

#include "taps/core/endpoint/ip_address.hpp"

#include <functional>

namespace taps {

/// A concrete transport address: what a candidate connects to or binds.
struct socket_address {
  ip_address address;
  std::uint16_t port = 0;
  /// The interface an IPv6 scoped address belongs to, as the kernel's index; 0 for none.
  std::uint32_t scope = 0;

  friend auto operator<=>(const socket_address&, const socket_address&) noexcept = default;

  template<class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, socket_address& x) {
    return f(x.address, x.port, x.scope);
  }
};

/// Returns `192.0.2.1:80` or `[2001:db8::1]:80`, with `%scope` where there is one.
[[nodiscard]] std::string to_string(const socket_address& x);

}  // namespace taps

template<>
struct std::hash<taps::socket_address> {
  std::size_t operator()(const taps::socket_address& x) const noexcept;
};
