#pragma once

#include "taps/core/path/network.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace taps {

/// Returns the name servers that a file of resolver configuration names: lines `nameserver ADDRESS`
/// (resolv.conf) or `DNS=ADDRESS ...` (systemd's and NetworkManager's state). Lines it does not
/// understand are somebody else's.
[[nodiscard]] std::vector<ip_address> name_servers_in(std::string_view text);

/// Adds a provisioning domain for each interface that has resolver configuration of its own
/// (RFC 7556, section 2), named after the interface, unless there is one of that name.
void add_derived_domains(std::span<const network_interface> interfaces,
                         std::span<const std::string> folders,
                         std::vector<provisioning_domain>& to);

}  // namespace taps
