#pragma once

#include "taps/core/transport/descriptor.hpp"

#include <string>
#include <vector>

namespace taps {

/// A base protocol with the layers above it, seen as one: what a candidate speaks. The descriptors
/// must outlive it.
struct protocol_stack {
  /// From the base up.
  std::vector<const transport_descriptor*> parts;
  /// From the top down: `"layer/base"`.
  std::string name;
  /// What the application sees.
  data_unit unit = data_unit::byte_stream;
  feature_vector features;
  /// Properties with an effect on any part, in the order of the ids.
  std::vector<property_id> honours;
  /// Until the whole stack is ready.
  unsigned round_trips = 0;
  /// True when no part exchanges anything with the peer before it is ready.
  bool connectionless = false;
  bool multiplexes = false;
  /// Unknown when that of any part is.
  reachability reach = reachability::assumed;
  /// The sum over the parts.
  int default_order = 0;
  /// Name of the part that encrypts; empty for plain stacks. Stacks with the same one are secured
  /// equally.
  std::string_view security;

  [[nodiscard]] const transport_descriptor& base() const noexcept { return *parts.front(); }
  [[nodiscard]] const transport_descriptor& top() const noexcept { return *parts.back(); }

  /// Tells whether this stack is for multicast groups; all others are for single peers.
  [[nodiscard]] bool multicast() const noexcept { return base().multicast; }

  /// Returns the base protocol whose ports and service names it uses: what it falls back to, if
  /// anything.
  [[nodiscard]] std::string_view carrier() const noexcept {
    return base().falls_back_to ? base().falls_back_to->name : base().name;
  }

  /// Tells whether this stack becomes `other` when the peer does not speak its base protocol.
  [[nodiscard]] bool falls_back_to(const protocol_stack& other) const noexcept;

  /// Tells whether `name` is the stack, or one of its parts; letter case does not matter.
  [[nodiscard]] bool uses(std::string_view protocol) const noexcept;
};

/// Returns the stack of a base protocol alone.
[[nodiscard]] protocol_stack make_stack(const transport_descriptor& base);

/// Puts a layer on a stack, feature by feature:
/// - what the layer sets is what the new stack has, also where that is "never";
/// - what it does not set stays as below, except that a byte stream has no message boundaries.
[[nodiscard]] protocol_stack add_layer(const protocol_stack& below,
                                       const transport_descriptor& layer);

/// Returns every stack that can be built: each base protocol, followed by what layers make of it. A
/// layer fits where its `runs_over` is the unit of the stack below. No stack has a layer twice, nor
/// two parts that encrypt, nor a layer above multicast: layers talk to a peer.
[[nodiscard]] std::vector<protocol_stack>
compose_stacks(const std::vector<const transport_descriptor*>& protocols);

}  // namespace taps
