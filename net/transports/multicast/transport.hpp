#pragma once

#include "taps/net/datagram/transport.hpp"

namespace taps {

/// UDP to multicast groups as a kind of datagrams.
[[nodiscard]] const datagram_kind& multicast_kind();

/// Returns null when the kernel has no UDP.
[[nodiscard]] std::unique_ptr<transport> make_multicast_transport(reactor& loop);

}  // namespace taps
