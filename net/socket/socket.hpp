#pragma once

#include "taps/core/transport/protocol.hpp"
#include "taps/net/sys/kernel.hpp"

#include <optional>

namespace taps {

/// What all protocols on IP sockets do alike. Errors name the address they are about.

// -- making sockets ------------------------------------------------------------------

[[nodiscard]] result<sys::descriptor> open_socket(sys::kernel& os, ip_family family, int type,
                                                  int protocol);

/// Whether the kernel knows such sockets, of either family.
[[nodiscard]] bool has_protocol(sys::kernel& os, int type, int protocol);

/// Restricts all packets to one interface; an empty name does nothing.
[[nodiscard]] result<void> bind_to_interface(sys::kernel& os, int fd, std::string_view name);

/// Binds, or says what stands in the way: a port in use is named.
[[nodiscard]] result<void> bind_socket(sys::kernel& os, int fd, const socket_address& local);

/// Opens a socket with its local end as the request wants it. Not connected yet.
[[nodiscard]] result<sys::descriptor> open_for(sys::kernel& os, const connect_request& request,
                                               int type, int protocol);

// -- reading ---------------------------------------------------------------------------

/// Returns the address the socket is bound to.
[[nodiscard]] socket_address local_address(sys::kernel& os, int fd);

/// Fetches and clears the pending error of a socket; 0 for none.
[[nodiscard]] int take_error(sys::kernel& os, int fd);

// -- options -----------------------------------------------------------------------------

/// Returns 0 or `-errno`.
int set_option(sys::kernel& os, int fd, int level, int name, int value);

/// Whether a socket knows an option whose value is a number.
[[nodiscard]] bool has_option(sys::kernel& os, int fd, int level, int name);

/// Limits how far packets to `destination`, a host or a multicast group, go.
void set_hop_limit(sys::kernel& os, int fd, const ip_address& destination, std::uint8_t hops);

/// Marks packets with the DSCP of a capacity profile and leaves the ECN bits to the kernel
/// (RFC 9622, section 8.1.6).
int set_profile(sys::kernel& os, int fd, ip_family family, capacity_profile profile);

/// Has the kernel choose the source address as `useTemporaryLocalAddress` wants it (RFC 5014).
/// Returns 0 or `-errno`.
int prefer_source(sys::kernel& os, int fd, ip_family family, preference temporary);

}  // namespace taps
