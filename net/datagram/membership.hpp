#pragma once

#include "taps/core/base/result.hpp"
#include "taps/core/endpoint/ip_address.hpp"
#include "taps/net/sys/kernel.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace taps {

/// Keeps a new socket from hearing what other sockets of this host have joined.
void hear_own_memberships_only(sys::kernel& os, int fd, ip_family family);

/// The interfaces at which a socket has joined its multicast group, for any source or for some
/// (RFC 3678). The socket, which must outlive it, leaves the group when it closes.
class membership {
public:
  /// `sources` is empty for any.
  membership(sys::kernel& os, int fd, const ip_address& group,
             std::vector<ip_address> sources) noexcept
      : os_(&os), fd_(fd), group_(group), sources_(std::move(sources)) {}

  /// Joins at these interfaces and leaves at all others; 0 stands for the kernel's choice. An
  /// interface that went meanwhile is no failure, as long as there is another one; a limit of the
  /// kernel's is.
  [[nodiscard]] result<void> hear_at(std::span<const std::uint32_t> interfaces);

private:
  [[nodiscard]] result<void> join(std::uint32_t interface);
  void leave(std::uint32_t interface);
  /// Returns 0 or `-errno`.
  int ask(bool join, std::uint32_t interface, const ip_address* source);

  sys::kernel* os_;
  int fd_;
  ip_address group_;
  std::vector<ip_address> sources_;
  std::vector<std::uint32_t> joined_;
};

}  // namespace taps
