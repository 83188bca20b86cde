#pragma once

#include "taps/core/properties/transport_properties.hpp"
#include "taps/net/datagram/checksums.hpp"
#include "taps/net/datagram/kind.hpp"

#include <optional>

namespace taps {

/// How properties become options of a datagram socket: one table, in options.cpp. For a new socket,
/// with null for all defaults. Advice to the kernel: a refusal is no failure.
void apply_options(sys::kernel& os, int fd, const datagram_kind& kind, ip_family family,
                   const transport_properties* properties);

/// Changes a running socket. Properties without effect on it are accepted, a value that the kernel
/// refuses is an error.
result<void> change_option(sys::kernel& os, int fd, const datagram_kind& kind, ip_family family,
                           property_id id, const property_value& value);

/// What properties ask for each datagram that leaves, rather than for the socket.
struct datagram_wishes {
  datagram_wishes() noexcept = default;
  /// Takes the initial values; null for all defaults.
  explicit datagram_wishes(const transport_properties* properties);

  /// Takes a new value; properties of other kinds are none of its business.
  void take(property_id id, const property_value& value);

  /// `msgChecksumLen` of Messages that have none themselves.
  std::int64_t checksum_length = full_checksum;
  /// `msgCapacityProfile` likewise; absent: the socket's.
  std::optional<capacity_profile> profile;
  /// `connCapacityProfile`, where the socket cannot have it.
  std::optional<capacity_profile> connection_profile;
  /// Bits per second; 0 for Unlimited.
  std::int64_t max_send_rate = 0;
  bool soft_errors = false;
};

}  // namespace taps
