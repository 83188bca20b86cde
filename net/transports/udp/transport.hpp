#pragma once

#include "taps/net/datagram/transport.hpp"

namespace taps {

/// UDP (RFC 768) as a kind of datagrams.
[[nodiscard]] const datagram_kind& udp_kind();

/// Returns null when the kernel has no UDP.
[[nodiscard]] std::unique_ptr<transport> make_udp_transport(reactor& loop);

}  // namespace taps
