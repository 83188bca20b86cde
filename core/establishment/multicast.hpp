#pragma once

#include "taps/core/endpoint/endpoint.hpp"
#include "taps/core/path/network.hpp"
#include "taps/core/properties/transport_properties.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace taps {

// Multicast groups on endpoints (RFC 9622, section 6.1.1): a group on a Remote Endpoint is where
// Initiate sends; one on a Local Endpoint is what Listen hears, and so is one on a Remote Endpoint
// if no Local Endpoint has one. Remote Endpoints with addresses are the sources then.

/// Tells whether a request is about groups.
[[nodiscard]] bool is_multicast(std::span<const local_endpoint> locals,
                                std::span<const remote_endpoint> remotes) noexcept;

/// Fails with `InvalidConfiguration` for groups that contradict each other, the direction or what
/// is to be done: Initiate or Listen. Nothing to object to without groups.
[[nodiscard]] result<void> check_multicast(std::span<const local_endpoint> locals,
                                           std::span<const remote_endpoint> remotes, direction flow,
                                           establishment how);

/// Returns the Local Endpoints of a Listener with the groups it is to hear, whichever kind of
/// endpoint they come from.
[[nodiscard]] std::vector<local_endpoint> groups_to_hear(std::span<const local_endpoint> locals,
                                                         std::span<const remote_endpoint> remotes);

/// Returns from whom it is to hear the group of one of those; empty for anybody.
[[nodiscard]] std::vector<ip_address> sources_of(const local_endpoint& group,
                                                 std::span<const remote_endpoint> remotes);

/// Returns the indices of the interfaces at which a group is joined when none is asked for; 0 where
/// nobody knows the links.
[[nodiscard]] std::vector<std::uint32_t> interfaces_to_join(const network& where,
                                                            const ip_address& group);

}  // namespace taps
