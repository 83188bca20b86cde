#pragma once

#include "taps/core/base/result.hpp"
#include "taps/core/path/network.hpp"
#include "taps/core/path/path.hpp"
#include "taps/core/properties/transport_properties.hpp"

#include <string>
#include <vector>

namespace taps {

/// What decides by which interfaces to go.
struct path_request {
  interface_preferences interfaces;
  interface_preferences domains;
  /// Temporary local addresses; only Require excludes paths.
  preference temporary_address = preference::no_preference;
  /// Interfaces that Local Endpoints name, in their order.
  std::vector<std::string> named;
  /// Some Local Endpoint names no interface, or there is none: the kernel may choose.
  bool unnamed = true;
};

/// Returns what the properties ask for, without the Local Endpoints' share.
[[nodiscard]] path_request path_request_of(const transport_properties& properties,
                                           establishment how);

/// Returns the paths to try, best first (RFC 9623, section 4.2.1). Where nothing is asked for, that
/// is the kernel's choice, then the other interfaces with a default route. Preferences about
/// interfaces and provisioning domains leave only those that match every Require entry and no
/// Prohibit entry, those with more Prefer entries first, fewer Avoid entries decide between equals,
/// then the kernel's order.
///
/// Fails with `InvalidConfiguration` when an interface that a Local Endpoint names does not exist
/// or all of them are ruled out, and with `NoCandidates` when no interface is left.
[[nodiscard]] result<std::vector<path>> select_paths(const network& where,
                                                     const path_request& request);

}  // namespace taps
