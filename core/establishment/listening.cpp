#include "taps/core/establishment/listening.hpp"

#include "taps/core/candidate/endpoint_check.hpp"
#include "taps/core/path/path_selection.hpp"

#include <algorithm>

namespace taps {

namespace {

result<selection> select_for_listening(const listening_request& what,
                                       std::span<const protocol_stack> stacks) {
  selection_request wanted;
  wanted.properties = what.properties;
  wanted.how = establishment::listen;
  wanted.security = what.security;
  wanted.framing_preserves_boundaries = what.framing_preserves_boundaries;
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

/// Paths for one Local Endpoint. Without anything asked for, one socket serves all interfaces.
result<std::vector<path>> paths_of(const listening_request& what, const local_endpoint& local) {
  auto asked = path_request_of(what.properties, establishment::listen);
  asked.unnamed = !local.interface();
  if (local.interface())
    asked.named.push_back(*local.interface());
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

/// Adds the addresses of one Local Endpoint at a path.
void add_addresses(const listening_request& what, std::size_t local_index, std::size_t stack,
                   const path& by, std::uint16_t port, std::vector<listening_place>& to) {
  const auto& local = what.locals[local_index];
  std::vector<ip_address> addresses{ip_address::any(ip_family::v6), ip_address::any(ip_family::v4)};
  if (local.address())
    addresses = {*local.address()};
  for (const auto& x : addresses) {
    const auto* owner = by.interface.empty() ? nullptr : what.where.owner_of(x);
    if (!owner || owner->name == by.interface)
      to.push_back({stack, {x, port, x.is_link_local() ? by.index : 0}, by.interface, local_index});
  }
}

/// Why none of the paths is for the address of a Local Endpoint.
error elsewhere(const listening_request& what, const ip_address& x) {
  return {errc::invalid_configuration, "Listen: " + to_string(x) + " is an address of interface " +
                                           what.where.owner_of(x)->name +
                                           ", which is not among those to listen at"};
}

/// Returns why policy forbids to listen by a path; empty if it does not.
std::string prohibited(const listening_request& what, const protocol_stack& stack, const path& by) {
  if (!what.policy)
    return {};
  auto answer = what.policy->ask({stack, establishment::listen, {}, {}, by.interface});
  return answer.what == policy_answer::verdict::forbid ? std::move(answer.why) : std::string{};
}

/// Adds the places of a stack for one Local Endpoint; returns why there are none.
error add_places(const listening_request& what, std::size_t local_index,
                 std::span<const protocol_stack> stacks, std::size_t stack,
                 std::span<const path> paths, std::uint16_t port,
                 std::vector<listening_place>& to) {
  error none;
  const auto before = to.size();
  for (const auto& by : paths)
    if (auto why = prohibited(what, stacks[stack], by); !why.empty())
      none = {errc::policy_prohibited, "Listen: forbidden by policy: " + why};
    else
      add_addresses(what, local_index, stack, by, port, to);
  if (to.size() > before)
    return {};
  return none ? none : elsewhere(what, *what.locals[local_index].address());
}

/// Leaves one place of those with the same ports, where the better stack serves peers of both.
void drop_served(std::vector<listening_place>& places, std::span<const protocol_stack> stacks) {
  std::vector<listening_place> kept;
  for (auto& x : places) {
    const auto& mine = stacks[x.stack];
    const auto serves = [&](const listening_place& y) {
      const auto& other = stacks[y.stack];
      return x.address == y.address && x.interface == y.interface &&
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
  if (what.policy && what.policy->broken())
    return what.policy->broken();
  auto selected = select_for_listening(what, stacks);
  if (!selected)
    return selected.failure();
  if (auto fine = check_names(what); !fine)
    return fine.failure();
  std::vector<listening_place> places;
  error none{errc::no_candidates, "Listen: no protocol for these Local Endpoints"};
  for (std::size_t i = 0; i < what.locals.size(); ++i) {
    auto paths = paths_of(what, what.locals[i]);
    if (!paths)
      return paths.failure();
    for (const auto& ranked : selected->ranked) {
      if (what.locals[i].protocol() && !ranked.stack->uses(*what.locals[i].protocol()))
        continue;
      const auto port = port_of(what.locals[i], *ranked.stack, lookup);
      if (!port)
        return port.failure();
      const auto stack = static_cast<std::size_t>(ranked.stack - stacks.data());
      if (auto reason = add_places(what, i, stacks, stack, *paths, *port, places))
        none = std::move(reason);
    }
  }
  if (places.empty())
    return none;
  drop_served(places, stacks);
  return places;
}

}  // namespace taps
