#pragma once

#include "taps/core/properties/transport_properties.hpp"
#include "taps/core/transport/outbound.hpp"
#include "taps/net/socket/native_address.hpp"
#include "taps/net/sys/kernel.hpp"

namespace taps {

// Data with the first packet of a handshake (RFC 7413). The kernel keeps the cookies
// and falls back by itself: data that a server does not take is sent again after the handshake.

/// Whether `net.ipv4.tcp_fastopen` lets this host's sockets send data with the handshake, or take
/// it. Reads a file.
[[nodiscard]] bool fast_open_permitted(establishment how);

/// Fails when fast open is required, and this host does not permit it.
[[nodiscard]] result<void> check_fast_open(preference wanted, establishment how);

/// Connects with as much of `early` as the kernel takes, which then leaves the queue; nothing of it
/// without a cookie. Returns what `connect` would.
int connect_with_data(sys::kernel& os, int fd, const native_address& remote, outbound_queue& early);

/// Has a listening socket take such data.
void accept_with_data(sys::kernel& os, int fd);

/// Whether an accepted socket brought some.
[[nodiscard]] bool came_with_data(sys::kernel& os, int fd);

}  // namespace taps
