#pragma once

#include "taps/core/candidate/selection.hpp"
#include "taps/core/endpoint/socket_address.hpp"
#include "taps/core/path/network.hpp"
#include "taps/core/path/path.hpp"
#include "taps/core/transport/protocol.hpp"
#include "taps/core/transport/resolver.hpp"

#include <memory>
#include <optional>
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
  /// Only packets that come by this interface; an empty name for all.
  path by;
  /// For a multicast group, which `address` is then.
  std::optional<group_membership> group{};
  /// From the first acceptor there, for further ones.
  std::shared_ptr<shared_place> shared{};
};

/// Tells whether one socket serves both; a group may be joined elsewhere meanwhile.
[[nodiscard]] bool same_place(const listening_place& x, const listening_place& y) noexcept;

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

/// Returns where to listen now that the links are as in `what`; null when that is where there are
/// sockets already, the `open` ones. Local Endpoints whose interfaces are not there wait for them,
/// and what is open stays open while its interface is merely down. `port` stands in for 0.
[[nodiscard]] std::optional<std::vector<listening_place>>
follow_links(const listening_request& what, std::span<const protocol_stack> stacks,
             const resolver& lookup, std::span<const listening_place> open, std::uint16_t port);

}  // namespace taps
