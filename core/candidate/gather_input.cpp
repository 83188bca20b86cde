#include "taps/core/candidate/gather.hpp"

#include <algorithm>

namespace taps {

bool needs_resolution(const endpoint& x) noexcept {
  return x.hostname() && !x.address() && !x.multicast_group();
}

resolved_remote describe(std::size_t index, const remote_endpoint& x) {
  resolved_remote result;
  result.index = index;
  result.hostname = x.hostname().value_or("");
  result.is_group = x.multicast_group().has_value();
  if (result.is_group)
    result.addresses.push_back(*x.multicast_group());
  else if (x.address())
    result.addresses.push_back(*x.address());
  result.port = x.port();
  result.interface = x.interface().value_or("");
  result.protocol = x.protocol();
  result.hop_limit = x.hop_limit();
  return result;
}

resolved_local describe(std::size_t index, const local_endpoint& x) {
  resolved_local result;
  result.index = index;
  if (x.address())
    result.addresses.push_back(*x.address());
  result.unresolved = needs_resolution(x);
  result.port = x.port().value_or(0);
  result.interface = x.interface().value_or("");
  result.protocol = x.protocol();
  result.hop_limit = x.hop_limit();
  return result;
}

void add_groups(std::span<const resolved_remote> remotes, path_request& to) {
  const auto zoned = [](const resolved_remote& x) { return x.is_group && !x.interface.empty(); };
  to.unnamed = to.unnamed && !std::ranges::all_of(remotes, zoned);
  for (const auto& x : remotes)
    if (zoned(x))
      to.named.push_back(x.interface);
}

experience_lookup experience_at(const gather_input& input, const resolved_remote& remote) {
  if (!input.experience_of)
    return nullptr;
  auto port = remote.port.value_or(0);
  if (!remote.port && !remote.service_ports.empty())
    port = remote.service_ports.front().second;
  return [&input, port, scope = remote.scope](const ip_address& x) {
    return input.experience_of({x, port, x.needs_zone() ? scope : 0});
  };
}

}  // namespace taps
