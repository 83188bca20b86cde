#pragma once

#include "taps/net/stream/transport.hpp"

namespace taps {

/// TCP (RFC 9293) as a kind of byte stream.
[[nodiscard]] const stream_kind& tcp_kind();

/// Returns null when the kernel has no TCP.
[[nodiscard]] std::unique_ptr<transport> make_tcp_transport(reactor& loop);

}  // namespace taps
