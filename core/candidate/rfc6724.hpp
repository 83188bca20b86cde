#pragma once

#include "taps/core/base/time.hpp"
#include "taps/core/endpoint/ip_address.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace taps {

/// Answers which address the system would use to reach a destination; absent without a route.
using source_lookup = std::function<std::optional<ip_address>(const ip_address& destination)>;

/// What earlier attempts taught about an address.
struct address_experience {
  /// Failed there, whatever was tried.
  bool dead = false;
  /// How long a handshake takes; absent if none was completed.
  std::optional<duration> handshake;

  friend bool operator==(const address_experience&, const address_experience&) = default;
};

using experience_lookup = std::function<address_experience(const ip_address& destination)>;

/// Sorts destinations as RFC 6724, section 6 says, with its default policy table: rules 1 (avoid
/// unusable ones), 2 (matching scope), 5 (matching label), 6 (higher precedence), 8 (smaller
/// scope), 9 (longest matching prefix) and 10 (leave the rest in order).
///
/// Rules 3, 4 and 7 need facts that no Linux interface tells for a mere look-up. Rule 9 counts the
/// 64 bits of an IPv6 network, and not for IPv4, where it would undo the rotation of DNS servers.
/// Asks `source_for` once per destination; without one, all are usable and rules 2, 5 and 9 idle.
///
/// Experience adds the rules of RFC 8305, section 4, between 8 and 9: quick addresses first, then
/// others used before. Times within a power of two count as equal, so that they do not undo the
/// other rules for nothing. Dead ones go last whatever else is true of them; returns how many come
/// before.
std::size_t sort_destinations(std::vector<ip_address>& destinations,
                              const source_lookup& source_for,
                              const experience_lookup& experience_of = nullptr);

/// Puts sorted addresses in the order in which to try them (RFC 8305, section 4): the families take
/// turns, once the family of the best address had its first `first_family_count`. After an attempt
/// with `previous` it is the other family's turn.
[[nodiscard]] std::vector<ip_address>
interleave_families(const std::vector<ip_address>& sorted, std::size_t first_family_count = 1,
                    std::optional<ip_family> previous = std::nullopt);

}  // namespace taps
