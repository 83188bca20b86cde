#pragma once

#include "taps/core/candidate/selection.hpp"
#include "taps/core/path/network.hpp"
#include "taps/core/rendezvous/meeting_pair.hpp"
#include "taps/core/transport/resolver.hpp"

#include <map>
#include <span>
#include <string>
#include <vector>

namespace taps {

/// What a Rendezvous, or Resolve on its behalf, is asked for.
struct rendezvous_request {
  std::span<const local_endpoint> locals;
  std::span<const remote_endpoint> remotes;
  const transport_properties& properties;
  security_mode security = security_mode::secure;
  bool framing_preserves_boundaries = false;
  /// What the host's links are.
  const network& where;
  /// What forbids stacks; null for nothing.
  const system_policy* policy = nullptr;
  /// What names stand for, as far as they were looked up.
  std::map<std::string, std::vector<ip_address>> names{};
};

/// A place to meet from.
struct meeting_base {
  /// Port 0 leaves it to the kernel.
  socket_address address;
  /// Interface all packets must use; empty for no restriction.
  std::string interface;
  /// Which Local Endpoint it comes from.
  std::size_t local_index = 0;

  friend bool operator==(const meeting_base&, const meeting_base&) = default;
};

/// The bases that Resolve has told the application of: a Rendezvous is to use the same ports.
struct known_bases {
  /// The stack they are for.
  std::string stack;
  std::vector<meeting_base> bases;
};

/// Selects the stacks, best first, without a look at what endpoints are there: for Resolve.
[[nodiscard]] result<selection> rank_for_rendezvous(const rendezvous_request& what,
                                                    std::span<const protocol_stack> stacks);

/// Checks the endpoints and selects the stacks, best first. A Rendezvous uses the first one that
/// can meet: the sides have no way to agree on one but by the same properties.
[[nodiscard]] result<selection> select_for_rendezvous(const rendezvous_request& what,
                                                      std::span<const protocol_stack> stacks);

/// Returns the names that have to be looked up.
[[nodiscard]] std::vector<std::string> names_of(const rendezvous_request& what);

/// Returns the addresses of this host that the Local Endpoints stand for, those of the kernel's
/// favourite interface first (RFC 8445, section 5.1.1.1). Without an address an endpoint stands for
/// all of them but link-local ones, and loopback ones only if a Remote Endpoint is there or there
/// are no others. An address that no interface has is what some NAT calls us: it is for the peer to
/// know, not for us to bind.
[[nodiscard]] result<std::vector<meeting_base>>
find_bases(const rendezvous_request& what, const protocol_stack& stack, const resolver& lookup);

/// Returns the addresses of the peer, in the order of the Remote Endpoints.
[[nodiscard]] result<std::vector<socket_address>>
find_remotes(const rendezvous_request& what, const protocol_stack& stack, const resolver& lookup);

/// Returns the pairs that may work, at most 100, best first, or why there are none.
[[nodiscard]] result<std::vector<meeting_pair>> pair_up(const rendezvous_request& what,
                                                        const protocol_stack& stack,
                                                        std::span<const meeting_base> bases,
                                                        std::span<const socket_address> remotes);

}  // namespace taps
