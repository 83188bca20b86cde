#include "taps/core/establishment/listening.hpp"

#include "taps/core/candidate/endpoint_check.hpp"
#include "taps/core/establishment/multicast.hpp"
#include "taps/core/path/path_selection.hpp"

#include <algorithm>
#include <utility>

namespace taps {

namespace {

result<selection> select_for_listening(const listening_request& what,
                                       std::span<const protocol_stack> stacks) {
  selection_request wanted;
  wanted.properties = what.properties;
  wanted.how = establishment::listen;
  wanted.security = what.security;
  wanted.framing_preserves_boundaries = what.framing_preserves_boundaries;
  wanted.multicast = is_multicast(what.locals, what.remotes);
  std::vector<policy_answer> verdicts;
  if (what.policy) {
    verdicts = what.policy->ask(stacks, establishment::listen, what.locals, {});
    wanted.policy = [&](const protocol_stack& x) {
      return verdicts[static_cast<std::size_t>(&x - stacks.data())];
    };
  }
  return select_stacks(stacks, wanted);
}

result<void> check_names(const listening_request& what) {
  for (const auto& x : what.remotes)
    if (needs_resolution(x))
      return {errc::not_supported,
              "Listen: Remote Endpoints filter by address, not by name: " + to_string(x)};
  for (const auto& x : what.locals)
    if (needs_resolution(x))
      return {errc::not_supported,
              "Listen: a Local Endpoint needs an address, not the name " + *x.hostname()};
  return {};
}

/// Returns the interface that a Local Endpoint names, if only by an address beside its group.
result<std::optional<std::string>> interface_of(const network& where, const local_endpoint& x) {
  if (x.interface() || !x.multicast_group() || !x.address())
    return x.interface();
  if (const auto* owner = where.owner_of(*x.address()))
    return std::optional{owner->name};
  return {errc::invalid_configuration,
          "Listen: no interface has the address " + to_string(*x.address())};
}

/// Paths for one Local Endpoint. Without anything asked for, one socket serves all interfaces.
result<std::vector<path>> paths_of(const listening_request& what, const local_endpoint& local) {
  auto asked = path_request_of(what.properties, establishment::listen);
  const auto named = interface_of(what.where, local);
  if (!named)
    return named.failure();
  asked.unnamed = !*named;
  if (*named)
    asked.named.push_back(**named);
  auto paths = select_paths(what.where, asked);
  if (paths && paths->front().interface.empty())
    paths->resize(1);
  return paths;
}

result<std::uint16_t> port_of(const local_endpoint& local, const protocol_stack& stack,
                              const resolver& lookup) {
  if (local.port() || !local.service())
    return local.port().value_or(0);
  return lookup.port_of(*local.service(), stack.base().name);
}

/// Adds the places of a Local Endpoint's group at a path. One socket hears the group on all
/// interfaces, but if the address means another group on each: then it is bound to one.
void add_groups(const listening_request& what, const local_endpoint& local, listening_place at,
                std::vector<listening_place>& to) {
  at.address.address = *local.multicast_group();
  at.group = {sources_of(local, what.remotes), {at.by.index}};
  if (at.by.interface.empty())
    at.group->interfaces = interfaces_to_join(what.where, at.address.address);
  if (!at.address.address.needs_zone()) {
    to.push_back(std::move(at));
    return;
  }
  for (const auto index : std::exchange(at.group->interfaces, {})) {
    const auto* on = what.where.find(index);
    at.by = {on ? on->name : "", index};
    at.address.scope = index;
    at.group->interfaces = {index};
    to.push_back(at);
  }
}

/// Adds the addresses of one Local Endpoint at a path.
void add_addresses(const listening_request& what, const local_endpoint& local, listening_place at,
                   std::vector<listening_place>& to) {
  if (local.multicast_group())
    return add_groups(what, local, std::move(at), to);
  std::vector<ip_address> addresses{ip_address::any(ip_family::v6), ip_address::any(ip_family::v4)};
  if (local.address())
    addresses = {*local.address()};
  for (const auto& x : addresses) {
    const auto* owner = at.by.interface.empty() ? nullptr : what.where.owner_of(x);
    if (owner && owner->name != at.by.interface)
      continue;
    at.address.address = x;
    at.address.scope = x.needs_zone() ? at.by.index : 0;
    to.push_back(at);
  }
}

/// Why none of the paths is for the address of a Local Endpoint.
error elsewhere(const listening_request& what, const ip_address& x) {
  return {errc::invalid_configuration, "Listen: " + to_string(x) + " is an address of interface " +
                                           what.where.owner_of(x)->name +
                                           ", which is not among those to listen at"};
}

error no_link(const ip_address& group) {
  return {errc::no_candidates,
          "Listen: no interface is up to hear the group " + to_string(group) + " on"};
}

/// Returns why policy forbids to listen by a path; empty if it does not.
std::string prohibited(const listening_request& what, const protocol_stack& stack, const path& by) {
  if (!what.policy)
    return {};
  auto answer = what.policy->ask({stack, establishment::listen, {}, {}, by.interface});
  return answer.what == policy_answer::verdict::forbid ? std::move(answer.why) : std::string{};
}

/// Adds the places of a stack for one Local Endpoint; returns why there are none.
error add_places(const listening_request& what, const local_endpoint& local,
                 std::span<const protocol_stack> stacks, std::size_t stack,
                 std::span<const path> paths, std::uint16_t port,
                 std::vector<listening_place>& to) {
  error none;
  const auto before = to.size();
  for (const auto& by : paths)
    if (auto why = prohibited(what, stacks[stack], by); !why.empty())
      none = {errc::policy_prohibited, "Listen: forbidden by policy: " + why};
    else
      add_addresses(what, local, {stack, {{}, port}, by}, to);
  if (to.size() > before || none)
    return none;
  return local.multicast_group() ? no_link(*local.multicast_group())
                                 : elsewhere(what, *local.address());
}

/// Leaves one place of those with the same ports, where the better stack serves peers of both.
void drop_served(std::vector<listening_place>& places, std::span<const protocol_stack> stacks) {
  std::vector<listening_place> kept;
  for (auto& x : places) {
    const auto& mine = stacks[x.stack];
    const auto serves = [&](const listening_place& y) {
      const auto& other = stacks[y.stack];
      return x.address == y.address && x.by == y.by &&
             (other.falls_back_to(mine) || mine.falls_back_to(other));
    };
    if (std::ranges::none_of(kept, serves))
      kept.push_back(std::move(x));
  }
  places = std::move(kept);
}

}  // namespace

result<std::vector<listening_place>> find_listening_places(const listening_request& what,
                                                           std::span<const protocol_stack> stacks,
                                                           const resolver& lookup) {
  if (auto fine = check_endpoints(what.locals, what.remotes, establishment::listen); !fine)
    return fine.failure();
  if (auto fine = check_multicast(what.locals, what.remotes, what.properties.direction(),
                                  establishment::listen);
      !fine)
    return fine.failure();
  if (what.policy && what.policy->broken())
    return what.policy->broken();
  auto selected = select_for_listening(what, stacks);
  if (!selected)
    return selected.failure();
  if (auto fine = check_names(what); !fine)
    return fine.failure();
  const auto groups = groups_to_hear(what.locals, what.remotes);
  std::vector<listening_place> places;
  error none{errc::no_candidates, "Listen: no protocol for these Local Endpoints"};
  for (const auto& local : groups.empty() ? what.locals : std::span{groups}) {
    auto paths = paths_of(what, local);
    if (!paths)
      return paths.failure();
    for (const auto& ranked : selected->ranked) {
      if (local.protocol() && !ranked.stack->uses(*local.protocol()))
        continue;
      const auto port = port_of(local, *ranked.stack, lookup);
      if (!port)
        return port.failure();
      const auto stack = static_cast<std::size_t>(ranked.stack - stacks.data());
      if (auto reason = add_places(what, local, stacks, stack, *paths, *port, places))
        none = std::move(reason);
    }
  }
  if (places.empty())
    return none;
  drop_served(places, stacks);
  return places;
}

// -- links that change ------------------------------------------------------------------

bool same_place(const listening_place& x, const listening_place& y) noexcept {
  return x.stack == y.stack && x.address == y.address && x.by.index == y.by.index &&
         x.group.has_value() == y.group.has_value() &&
         (!x.group || x.group->sources == y.group->sources);
}

std::optional<std::vector<listening_place>>
follow_links(const listening_request& what, std::span<const protocol_stack> stacks,
             const resolver& lookup, std::span<const listening_place> open, std::uint16_t port) {
  std::vector<listening_place> places;
  const auto find = [&places](const listening_place& x) {
    return std::ranges::find_if(places, [&](const auto& y) { return same_place(x, y); });
  };
  for (std::size_t i = 0; i < what.locals.size(); ++i) {
    auto one = what;
    one.locals = what.locals.subspan(i, 1);
    if (const auto found = find_listening_places(one, stacks, lookup))
      places.insert(places.end(), found->begin(), found->end());
  }
  for (auto& x : places)
    if (x.address.port == 0)
      x.address.port = port;
  drop_served(places, stacks);
  bool changed = false;
  for (const auto& x : open) {
    const auto same = find(x);
    const auto* on = what.where.find(x.by.index);
    changed = changed ||
              (same == places.end() ? x.by.index != 0 && (!on || on->up) : same->group != x.group);
    if (same == places.end() && (x.by.index == 0 || (on && !on->up)))
      places.push_back(x);
  }
  return changed || places.size() != open.size() ? std::optional{std::move(places)} : std::nullopt;
}

}  // namespace taps
