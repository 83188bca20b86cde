#pragma once

#include "taps/core/candidate/selection.hpp"
#include "taps/core/endpoint/socket_address.hpp"
#include "taps/core/path/network.hpp"
#include "taps/core/transport/protocol.hpp"
#include "taps/core/transport/resolver.hpp"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace taps {

/// Somewhere to listen: a protocol at an address.
struct listening_place {
  /// Number of the stack in the list of stacks.
  std::size_t stack = 0;
  /// Port 0 leaves it to the kernel.
  socket_address address;
  /// Only packets that come by this interface; empty for all.
  std::string interface;
  /// Which Local Endpoint it comes from.
  std::size_t local_index = 0;
  /// From the first acceptor there, for further ones.
  std::shared_ptr<shared_place> shared{};

  friend bool operator==(const listening_place&, const listening_place&) = default;
};

struct listening_request {
  std::span<const local_endpoint> locals;
  /// Who may connect; empty for everybody.
  std::span<const remote_endpoint> remotes;
  const transport_properties& properties;
  security_mode security = security_mode::secure;
  bool framing_preserves_boundaries = false;
  /// What the host's links are.
  const network& where;
  /// What forbids stacks; null for nothing.
  const system_policy* policy = nullptr;
};

/// Returns the places for all protocols that fit and all paths that the properties allow (RFC 9623,
/// section 4.7), or what contradicts or is missing. Of `lookup` only what answers at once is used.
[[nodiscard]] result<std::vector<listening_place>>
find_listening_places(const listening_request& what, std::span<const protocol_stack> stacks,
                      const resolver& lookup);

}  // namespace taps
