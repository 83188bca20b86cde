#pragma once

#include "taps/net/datagram/transport.hpp"

namespace taps {

/// UDP-Lite (RFC 3828) as a kind of datagrams.
[[nodiscard]] const datagram_kind& udplite_kind();

/// Returns null when the kernel has no UDP-Lite.
[[nodiscard]] std::unique_ptr<transport> make_udplite_transport(reactor& loop);

}  // namespace taps
