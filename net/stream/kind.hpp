#pragma once

#include "taps/core/transport/descriptor.hpp"
#include "taps/net/sys/kernel.hpp"

namespace taps {

/// What tells one protocol of connected byte streams from another, as far as sockets show it. Lives
/// as long as the program.
struct stream_kind {
  const transport_descriptor& descriptor;
  /// As `socket` takes it.
  int protocol = 0;
  /// Whether a socket still is what it was opened as, and not what the descriptor falls back to.
  /// Null for protocols without a fallback.
  bool (*is_genuine)(sys::kernel& os, int fd) = nullptr;
};

}  // namespace taps
