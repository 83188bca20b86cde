#pragma once

#include "taps/core/candidate/gather.hpp"
#include "taps/core/racing/endpoint_resolution.hpp"
#include "taps/core/transport/resolver.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace taps {

/// How a Remote Endpoint names its service.
struct service_name {
  /// Without decoration, for tables of ports.
  std::string_view service;
  /// The only carrier asked about; empty for whatever the stacks have.
  std::string_view carrier;
  /// The name is one of DNS: `_service` or `_service._carrier`.
  bool from_dns = false;
};

[[nodiscard]] service_name parse_service(std::string_view text) noexcept;

/// Fills in the ports that tables give the service of `from`, by the carriers of `stacks`, and
/// returns what DNS is to be asked about it, which needs a host name that is not resolved yet:
///
/// - for `https` the HTTPS records of the host, by port if that is another one (RFC 9460, section
///   9.1), whether or not the endpoint has a port;
/// - without a port, for all other services the SRV records for each carrier (RFC 2782). `http` has
///   none, for no specification says so.
///
/// Fails if there is no port and nobody to ask for it.
[[nodiscard]] result<std::vector<service_question>>
find_service(const remote_endpoint& from, std::span<const ranked_stack> stacks,
             const resolver& lookup, resolved_remote& to);

}  // namespace taps
