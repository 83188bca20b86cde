#pragma once

#include "taps/core/endpoint/socket_address.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

namespace taps {

/// A socket address the way the kernel reads and writes it.
class native_address {
public:
  /// Room for the kernel to write into.
  native_address() noexcept { store_.any.sa_family = AF_UNSPEC; }

  explicit native_address(const socket_address& x) noexcept;

  [[nodiscard]] const sockaddr* data() const noexcept { return &store_.any; }
  [[nodiscard]] sockaddr* data() noexcept { return &store_.any; }
  [[nodiscard]] socklen_t size() const noexcept { return size_; }
  /// Where a system call writes how much it wrote; starts as the room there is.
  [[nodiscard]] socklen_t* size_out() noexcept {
    size_ = sizeof store_;
    return &size_;
  }
  static constexpr socklen_t capacity() noexcept { return sizeof(storage); }

  /// Returns the address without what only the kernel cares for; `0.0.0.0:0` for an unknown family.
  [[nodiscard]] socket_address get() const noexcept;

private:
  union storage {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };

  storage store_{.v6 = {}};
  socklen_t size_ = sizeof(storage);
};

[[nodiscard]] ip_address from_native(const in_addr& x) noexcept;
[[nodiscard]] ip_address from_native(const in6_addr& x) noexcept;
[[nodiscard]] in_addr to_native_v4(const ip_address& x) noexcept;
[[nodiscard]] in6_addr to_native_v6(const ip_address& x) noexcept;

/// Returns `AF_INET` or `AF_INET6`.
[[nodiscard]] constexpr int native_family(ip_family family) noexcept {
  return family == ip_family::v4 ? AF_INET : AF_INET6;
}

}  // namespace taps
