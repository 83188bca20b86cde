#pragma once

#include "taps/core/base/result.hpp"
#include "taps/core/path/network.hpp"
#include "taps/net/sys/kernel.hpp"

#include <string>
#include <vector>

namespace taps {

/// What the kernel's routing socket says of this host, at one moment.
struct netlink_facts {
  std::vector<network_interface> interfaces;
  /// Of the main table; policy rules are not looked at.
  std::vector<network_route> routes;
};

/// Asks the kernel for interfaces, addresses and routes. Does not wait: the kernel makes its answer
/// while it is read. `sysfs` as for `type_of`.
[[nodiscard]] result<netlink_facts> dump_network(sys::kernel& os, const std::string& sysfs);

/// Opens a routing socket that tells of changes to links, addresses and routes.
[[nodiscard]] result<sys::descriptor> open_network_events(sys::kernel& os);

}  // namespace taps
