#include "taps/core/candidate/endpoint_check.hpp"

#include <algorithm>
#include <array>

namespace taps {

namespace {

error invalid(std::string text) { return {errc::invalid_configuration, std::move(text)}; }

error needs_zone(std::string_view whose, const ip_address& x) {
  const auto text = to_string(x);
  return invalid(std::string{whose} + " Endpoint: '" + text + "' is a link-local " +
                 (x.is_multicast() ? "group" : "address") + " and needs a zone, such as '" + text +
                 "%eth0'");
}

// -- one endpoint ---------------------------------------------------------------------------------

result<void> check_remote(const remote_endpoint& x, bool any_local_interface, establishment how) {
  if (const auto ok = x.check(); !ok)
    return invalid("Remote Endpoint: " + ok.failure().text());
  if (x.address() && x.address()->is_multicast())
    return invalid("Remote Endpoint: '" + to_string(*x.address()) +
                   "' is a multicast address, which goes into with_multicast_group_ip");
  // On a Listener a Remote Endpoint is a filter, and may leave anything open.
  if (how == establishment::listen)
    return {};
  if (!x.hostname() && !x.address() && !x.multicast_group())
    return invalid("Remote Endpoint (" + to_string(x) + ") has neither host name nor address");
  if (!x.port() && !x.service())
    return invalid("Remote Endpoint (" + to_string(x) + ") has neither port nor service");
  const auto& target = x.multicast_group() ? x.multicast_group() : x.address();
  if (target && target->needs_zone() && !x.interface() && !any_local_interface)
    return needs_zone("Remote", *target);
  return {};
}

result<void> check_local(const local_endpoint& x) {
  if (const auto ok = x.check(); !ok)
    return invalid("Local Endpoint: " + ok.failure().text());
  if (x.address() && x.address()->is_multicast())
    return invalid("Local Endpoint: '" + to_string(*x.address()) +
                   "' is a multicast address and cannot be bound");
  if (x.address() && x.address()->needs_zone() && !x.interface())
    return needs_zone("Local", *x.address());
  return {};
}

// -- combinations ---------------------------------------------------------------------------------

/// Returns why two endpoints do not go together, or an empty text.
std::string conflict(const local_endpoint& local, const remote_endpoint& remote) {
  const auto& target = remote.multicast_group() ? remote.multicast_group() : remote.address();
  if (local.address() && target && local.address()->family() != target->family())
    return "Local Endpoint address " + to_string(*local.address()) + " (" +
           std::string{to_string(local.address()->family())} + ") cannot reach " +
           to_string(*target) + " (" + std::string{to_string(target->family())} + ")";
  if (local.interface() && remote.interface() && local.interface() != remote.interface())
    return "Local Endpoint interface " + *local.interface() + " contradicts interface " +
           *remote.interface() + " of the Remote Endpoint";
  return {};
}

result<void> check_pairs(std::span<const local_endpoint> locals,
                         std::span<const remote_endpoint> remotes) {
  std::string first;
  for (const auto& local : locals)
    for (const auto& remote : remotes) {
      auto text = conflict(local, remote);
      if (text.empty())
        return {};
      if (first.empty())
        first = std::move(text);
    }
  return first.empty() ? result<void>{} : invalid(std::move(first));
}

result<void> check_presence(bool locals, bool remotes, establishment how) {
  switch (how) {
  case establishment::initiate:
    if (!remotes)
      return invalid("Initiate needs a Remote Endpoint");
    break;
  case establishment::listen:
    if (!locals)
      return invalid("Listen needs a Local Endpoint");
    break;
  case establishment::rendezvous:
    if (!locals || !remotes)
      return invalid("Rendezvous needs a Local and a Remote Endpoint");
    break;
  }
  return {};
}

// -- after resolution -----------------------------------------------------------------------------

template<class Endpoints>
bool has_family(const Endpoints& endpoints, ip_family family) {
  return std::any_of(endpoints.begin(), endpoints.end(), [&](const auto& x) {
    return std::any_of(x.addresses.begin(), x.addresses.end(),
                       [&](const auto& address) { return address.family() == family; });
  });
}

std::string families_of(const auto& endpoints) {
  const auto v4 = has_family(endpoints, ip_family::v4);
  const auto v6 = has_family(endpoints, ip_family::v6);
  if (v4 && v6)
    return "IPv4 and IPv6";
  return v4 ? "IPv4" : v6 ? "IPv6" : "no";
}

/// Names the interfaces and what they do not reach; empty when the kernel chooses.
std::string unreached(const gather_input& input) {
  std::string names;
  for (const auto& x : input.paths) {
    if (x.interface.empty())
      return {};
    names += (names.empty() ? "" : ", ") + x.interface;
  }
  std::string addresses;
  for (const auto& remote : input.remotes)
    for (const auto& x : remote.addresses)
      addresses += (addresses.empty() ? "" : ", ") + to_string(x);
  return "no way by interface " + names + " to " + addresses;
}

/// Names Local Endpoints' addresses that belong to other interfaces than the paths; empty for none.
std::string misplaced(const gather_input& input) {
  std::string text;
  for (const auto& local : input.locals)
    for (const auto& x : local.addresses) {
      const auto* owner = input.where ? input.where->owner_of(x) : nullptr;
      const auto fits = [owner](const path& y) {
        return y.interface.empty() || y.interface == owner->name;
      };
      if (owner && std::none_of(input.paths.begin(), input.paths.end(), fits))
        text += (text.empty() ? "" : ", ") + to_string(x) + " belongs to " + owner->name;
    }
  return text;
}

}  // namespace

result<void> check_endpoints(std::span<const local_endpoint> locals,
                             std::span<const remote_endpoint> remotes, establishment how) {
  if (auto ok = check_presence(!locals.empty(), !remotes.empty(), how); !ok)
    return ok;
  const auto any_local_interface = std::any_of(
      locals.begin(), locals.end(), [](const auto& x) { return x.interface().has_value(); });
  for (const auto& x : locals)
    if (auto ok = check_local(x); !ok)
      return ok;
  for (const auto& x : remotes)
    if (auto ok = check_remote(x, any_local_interface, how); !ok)
      return ok;
  return check_pairs(locals, remotes);
}

error no_leaves(const gather_input& input) {
  const auto& remotes = input.remotes;
  if (std::all_of(remotes.begin(), remotes.end(),
                  [](const auto& x) { return x.addresses.empty(); }))
    return {errc::resolution_failed, "no Remote Endpoint has an address"};
  if (std::none_of(remotes.begin(), remotes.end(),
                   [](const auto& x) { return x.port || !x.service_ports.empty(); }))
    return {errc::resolution_failed, "no Remote Endpoint has a port"};
  if (!input.locals.empty() && std::all_of(input.locals.begin(), input.locals.end(),
                                           [](const auto& x) { return x.unresolved; }))
    return {errc::resolution_failed, "no Local Endpoint has an address"};
  const auto bound = std::any_of(input.locals.begin(), input.locals.end(),
                                 [](const auto& x) { return !x.addresses.empty(); });
  if (bound && !(has_family(input.locals, ip_family::v4) && has_family(remotes, ip_family::v4)) &&
      !(has_family(input.locals, ip_family::v6) && has_family(remotes, ip_family::v6)))
    return invalid("the Local Endpoints have " + families_of(input.locals) +
                   " addresses, the Remote Endpoints " + families_of(remotes) + " addresses");
  if (input.temporary_address_required && !has_family(remotes, ip_family::v6))
    return {errc::no_candidates, "useTemporaryLocalAddress (Require): the Remote Endpoints have no "
                                 "IPv6 addresses, and IPv4 has no temporary ones"};
  if (const auto text = misplaced(input); !text.empty())
    return invalid("no path has an address of the Local Endpoints: " + text);
  if (const auto text = unreached(input); !text.empty())
    return {errc::no_candidates, text};
  std::string stacks;
  for (const auto& x : input.stacks)
    stacks += (stacks.empty() ? "" : ", ") + x.stack->name;
  return {errc::no_candidates, "no pair of Local and Remote Endpoints goes together for " + stacks};
}

}  // namespace taps
