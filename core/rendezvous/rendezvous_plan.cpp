#include "taps/core/rendezvous/rendezvous_plan.hpp"

#include "taps/core/candidate/endpoint_check.hpp"
#include "taps/core/path/path_selection.hpp"

#include <algorithm>

namespace taps {

namespace {

constexpr std::size_t max_pairs = 100;
constexpr std::size_t max_addresses = 32;

error invalid(std::string text) { return {errc::invalid_configuration, std::move(text)}; }

/// Groups have many members, and a Rendezvous two sides.
result<void> check_multicast(const rendezvous_request& what) {
  for (const auto& x : what.locals)
    if (x.multicast_group())
      return invalid(std::string{"Rendezvous is between two hosts, not with a multicast group: "} +
                     to_string(*x.multicast_group()));
  for (const auto& x : what.remotes)
    if (x.multicast_group() || (x.address() && x.address()->is_multicast()))
      return invalid("Rendezvous is between two hosts, not with a multicast group: " +
                     to_string(x.address().value_or(x.multicast_group().value_or(ip_address{}))));
  return {};
}

/// Returns the endpoints that count for a stack, by their numbers: those restricted to it, else the
/// unrestricted ones.
template<class Endpoint>
std::vector<std::size_t> endpoints_for(const protocol_stack& stack, std::span<const Endpoint> all) {
  std::vector<std::size_t> scoped;
  std::vector<std::size_t> general;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!all[i].protocol())
      general.push_back(i);
    else if (stack.uses(*all[i].protocol()))
      scoped.push_back(i);
  return scoped.empty() ? general : scoped;
}

result<std::uint16_t> port_of(const endpoint& x, const protocol_stack& stack,
                              const resolver& lookup) {
  if (x.port() || !x.service())
    return x.port().value_or(0);
  return lookup.port_of(*x.service(), stack.base().name);
}

std::vector<ip_address> addresses_of(const rendezvous_request& what, const endpoint& x) {
  if (x.address())
    return {*x.address()};
  const auto found = x.hostname() ? what.names.find(*x.hostname()) : what.names.end();
  auto result = found == what.names.end() ? std::vector<ip_address>{} : found->second;
  result.resize(std::min(result.size(), max_addresses));
  return result;
}

std::uint32_t scope_of(const rendezvous_request& what, const endpoint& x, const ip_address& of) {
  const auto* zone =
      of.is_v6() && of.is_link_local() && x.interface() ? what.where.find(*x.interface()) : nullptr;
  return zone ? zone->index : 0;
}

// -- local ------------------------------------------------------------------------

result<std::vector<path>> paths_of(const rendezvous_request& what, const local_endpoint& local) {
  auto asked = path_request_of(what.properties, establishment::rendezvous);
  asked.unnamed = !local.interface();
  if (local.interface())
    asked.named.push_back(*local.interface());
  return select_paths(what.where, asked);
}

/// The interfaces that paths stand for: all, where one of them is the kernel's choice.
std::vector<const network_interface*> interfaces_of(const rendezvous_request& what,
                                                    std::span<const path> paths) {
  std::vector<const network_interface*> result;
  const auto add = [&](const network_interface* x) {
    if (x && x->up && std::ranges::find(result, x) == result.end())
      result.push_back(x);
  };
  const auto any = paths.front().interface.empty();
  if (any)
    for (const auto* x : what.where.default_ways())
      add(x);
  for (const auto& x : paths)
    add(what.where.find(x.interface));
  if (any)
    for (const auto& x : what.where.interfaces())
      add(&x);
  return result;
}

bool is_wanted(const interface_address& x, preference temporary) {
  if (x.unusable || x.address.is_link_local())
    return false;
  return x.temporary ? temporary >= preference::no_preference : temporary != preference::require;
}

/// Finds the bases of one Local Endpoint after the other.
class base_finder {
public:
  base_finder(const rendezvous_request& what, const protocol_stack& stack, const resolver& lookup)
      : what_(what), stack_(stack), lookup_(lookup) {}

  result<std::vector<meeting_base>> run() {
    for (const auto i : endpoints_for(stack_, what_.locals))
      if (auto done = add_endpoint(i); !done)
        return done.failure();
    if (!found_.empty())
      return std::move(found_);
    return {errc::no_candidates,
            "Rendezvous: " + (elsewhere_.empty() ? std::string{"no interface has an address for it"}
                                                 : "this host does not have " + elsewhere_)};
  }

private:
  result<void> add_endpoint(std::size_t index) {
    const auto& local = what_.locals[index];
    auto port = port_of(local, stack_, lookup_);
    if (!port)
      return port.failure();
    auto paths = paths_of(what_, local);
    if (!paths)
      return paths.failure();
    if (local.address() || local.hostname())
      add_named(index, *port, *paths);
    else
      add_host(index, *port, *paths);
    return {};
  }

  void add_named(std::size_t index, std::uint16_t port, std::span<const path> paths) {
    const auto& local = what_.locals[index];
    for (const auto& x : addresses_of(what_, local)) {
      if (x.is_any()) {
        add_host(index, port, paths, x.family());
        continue;
      }
      const auto* owner = what_.where.owner_of(x);
      const auto fits = std::ranges::find_if(paths, [&](const path& by) {
        return by.interface.empty() || !owner || owner->name == by.interface;
      });
      if (fits == paths.end() || (!owner && what_.where.known() && !x.is_loopback()))
        elsewhere_ += (elsewhere_.empty() ? "" : ", ") + to_string(x);
      else
        add({{x, port, scope_of(what_, local, x)}, fits->interface, index});
    }
  }

  /// Adds what the interfaces have.
  void add_host(std::size_t index, std::uint16_t port, std::span<const path> paths,
                std::optional<ip_family> only = {}) {
    const auto any = paths.front().interface.empty();
    const auto temporary =
        path_request_of(what_.properties, establishment::rendezvous).temporary_address;
    const auto before = found_.size();
    for (const auto loopback : {false, true}) {
      if (loopback && found_.size() > before && !remote_is_loopback())
        return;
      for (const auto* by : interfaces_of(what_, paths))
        for (const auto& x : by->addresses)
          if (x.address.is_loopback() == loopback && is_wanted(x, temporary) &&
              x.address.family() == only.value_or(x.address.family()))
            add({{x.address, port, 0}, any ? std::string{} : by->name, index});
    }
  }

  bool remote_is_loopback() const {
    return std::ranges::any_of(what_.remotes, [&](const remote_endpoint& x) {
      return std::ranges::any_of(addresses_of(what_, x),
                                 [](const ip_address& y) { return y.is_loopback(); });
    });
  }

  void add(meeting_base x) {
    const auto same = [&](const meeting_base& y) { return y.address == x.address; };
    if (std::ranges::none_of(found_, same))
      found_.push_back(std::move(x));
  }

  const rendezvous_request& what_;
  const protocol_stack& stack_;
  const resolver& lookup_;
  std::vector<meeting_base> found_;
  /// Addresses that are not to be had here.
  std::string elsewhere_;
};

// -- pairs ------------------------------------------------------------------------

bool go_together(const socket_address& base, const socket_address& remote) {
  const auto& x = base.address;
  const auto& y = remote.address;
  return x.family() == y.family() && x.is_loopback() == y.is_loopback() &&
         x.is_link_local() == y.is_link_local() &&
         (base.scope == 0 || remote.scope == 0 || base.scope == remote.scope) &&
         !(base.port != 0 && same_place(base, remote));
}

/// Returns why policy forbids a pair; empty if it does not.
std::string prohibited(const rendezvous_request& what, const protocol_stack& stack,
                       const meeting_base& base, const socket_address& remote) {
  if (!what.policy)
    return {};
  auto answer =
      what.policy->ask({stack, establishment::rendezvous, {}, remote.address, base.interface});
  return answer.what == policy_answer::verdict::forbid ? std::move(answer.why) : std::string{};
}

error no_pairs(std::span<const meeting_base> bases, std::span<const socket_address> remotes) {
  std::string mine;
  std::string theirs;
  for (const auto& x : bases)
    mine += (mine.empty() ? "" : ", ") + to_string(x.address);
  for (const auto& x : remotes)
    theirs += (theirs.empty() ? "" : ", ") + to_string(x);
  return {errc::no_candidates, "Rendezvous: none of " + mine + " goes together with " + theirs};
}

}  // namespace

result<selection> rank_for_rendezvous(const rendezvous_request& what,
                                      std::span<const protocol_stack> stacks) {
  if (what.policy && what.policy->broken())
    return what.policy->broken();
  selection_request wanted;
  wanted.properties = what.properties;
  wanted.how = establishment::rendezvous;
  wanted.security = what.security;
  wanted.framing_preserves_boundaries = what.framing_preserves_boundaries;
  wanted.protocols = restriction_of(what.remotes);
  std::vector<policy_answer> verdicts;
  if (what.policy) {
    verdicts = what.policy->ask(stacks, establishment::rendezvous, what.locals, what.remotes);
    wanted.policy = [&](const protocol_stack& x) {
      return verdicts[static_cast<std::size_t>(&x - stacks.data())];
    };
  }
  return select_stacks(stacks, wanted);
}

result<selection> select_for_rendezvous(const rendezvous_request& what,
                                        std::span<const protocol_stack> stacks) {
  if (auto fine = check_multicast(what); !fine)
    return fine.failure();
  if (auto fine = check_endpoints(what.locals, what.remotes, establishment::rendezvous); !fine)
    return fine.failure();
  return rank_for_rendezvous(what, stacks);
}

std::vector<std::string> names_of(const rendezvous_request& what) {
  std::vector<std::string> result;
  const auto add = [&](const endpoint& x) {
    if (needs_resolution(x) && std::ranges::find(result, *x.hostname()) == result.end())
      result.push_back(*x.hostname());
  };
  std::ranges::for_each(what.locals, add);
  std::ranges::for_each(what.remotes, add);
  return result;
}

result<std::vector<meeting_base>> find_bases(const rendezvous_request& what,
                                             const protocol_stack& stack, const resolver& lookup) {
  return base_finder{what, stack, lookup}.run();
}

result<std::vector<socket_address>>
find_remotes(const rendezvous_request& what, const protocol_stack& stack, const resolver& lookup) {
  std::vector<socket_address> found;
  for (const auto i : endpoints_for(stack, what.remotes)) {
    const auto& remote = what.remotes[i];
    const auto port = port_of(remote, stack, lookup);
    if (!port)
      return port.failure();
    for (const auto& x : addresses_of(what, remote)) {
      const socket_address where{x, *port, scope_of(what, remote, x)};
      if (std::ranges::find(found, where) == found.end())
        found.push_back(where);
    }
  }
  if (found.empty())
    return {errc::resolution_failed, "Rendezvous: no Remote Endpoint has an address"};
  return found;
}

namespace {

/// What comes from a link-local address carries the scope of the link by which it came.
socket_address on_link_of(const socket_address& base, socket_address remote) {
  if (remote.scope == 0 && remote.address.is_link_local())
    remote.scope = base.scope;
  return remote;
}

}  // namespace

result<std::vector<meeting_pair>> pair_up(const rendezvous_request& what,
                                          const protocol_stack& stack,
                                          std::span<const meeting_base> bases,
                                          std::span<const socket_address> remotes) {
  std::vector<meeting_pair> found;
  std::string why;
  for (const auto& remote : remotes)
    for (std::size_t i = 0; i < bases.size(); ++i) {
      if (found.size() == max_pairs || !go_together(bases[i].address, remote))
        continue;
      if (auto answer = prohibited(what, stack, bases[i], remote); !answer.empty())
        why = std::move(answer);
      else
        found.push_back({i, on_link_of(bases[i].address, remote)});
    }
  if (!found.empty())
    return found;
  if (!why.empty())
    return {errc::policy_prohibited, "Rendezvous: forbidden by policy: " + why};
  return no_pairs(bases, remotes);
}

}  // namespace taps
