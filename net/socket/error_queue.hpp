#pragma once

#include "taps/core/base/error.hpp"
#include "taps/core/endpoint/socket_address.hpp"
#include "taps/net/sys/kernel.hpp"

#include <optional>

namespace taps {

/// What became of a packet: an entry of a socket's error queue (ip(7), IP_RECVERR).
struct packet_error {
  int code = 0;
  /// Where the packet was on its way to; port 0 if that is not known.
  socket_address to;
  /// Who says so; absent when it was this host itself.
  std::optional<ip_address> reporter;
};

/// Has the kernel tell of ICMP errors that end nothing. Returns 0 or `-errno`.
int report_soft_errors(sys::kernel& os, int fd, ip_family family);

/// Takes the oldest entry; absent when there is none.
[[nodiscard]] std::optional<packet_error> next_packet_error(sys::kernel& os, int fd);

/// Says what happened to packets that went to `remote`, and who says so.
[[nodiscard]] error describe(const packet_error& what, const socket_address& remote);

}  // namespace taps
