#pragma once

#include "taps/core/endpoint/ip_address.hpp"
#include "taps/core/transport/descriptor.hpp"
#include "taps/net/sys/kernel.hpp"

#include <cstdint>
#include <optional>

namespace taps {

/// A socket option, and what it is to be.
struct checksum_option {
  int level = 0;
  int name = 0;
  int value = 0;
  /// What a new socket has; absent when that is none of the values.
  std::optional<int> initial = 0;
};

/// What tells one protocol of datagrams from another, as far as sockets show it. Lives as long as
/// the program.
struct datagram_kind {
  const transport_descriptor& descriptor;
  /// As `socket` takes it.
  int protocol = 0;
  /// How to have checksums cover at least the first `length` bytes of what is sent; all of them for
  /// `full_checksum`, which is what a new socket does.
  checksum_option (*sent)(ip_family family, std::int64_t length) = nullptr;
  /// How to have what comes in dropped unless its checksum covers that much.
  checksum_option (*received)(ip_family family, std::int64_t length) = nullptr;
};

}  // namespace taps
