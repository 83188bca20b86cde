#include "taps/core/candidate/gather.hpp"

#include <algorithm>
#include <array>

namespace taps {

namespace {

/// Returns the endpoints that count for a stack: those restricted to it, else
/// the unrestricted ones.
template<class Endpoint>
std::vector<const Endpoint*> endpoints_for(const protocol_stack& stack,
                                           std::span<const Endpoint> all) {
  std::vector<const Endpoint*> scoped;
  std::vector<const Endpoint*> general;
  for (const auto& x : all) {
    if (!x.protocol)
      general.push_back(&x);
    else if (stack.uses(*x.protocol))
      scoped.push_back(&x);
  }
  return scoped.empty() ? general : scoped;
}

std::optional<std::uint16_t> port_for(const resolved_remote& remote, const protocol_stack& stack) {
  if (remote.port)
    return remote.port;
  for (const auto& [carrier, port] : remote.service_ports)
    if (carrier == stack.carrier())
      return port;
  return std::nullopt;
}

std::uint32_t scope_for(const ip_address& x, std::uint32_t own, const path& where) noexcept {
  if (!x.needs_zone())
    return 0;
  return own != 0 ? own : where.index;
}

/// Where an attempt may go.
struct target {
  const resolved_remote* endpoint = nullptr;
  socket_address address;
};

/// What an attempt may bind; without endpoint nothing was asked for.
struct binding {
  const resolved_local* endpoint = nullptr;
  std::optional<socket_address> address;
};

/// Tells whether an address belongs to another interface than the one to take.
bool is_elsewhere(const ip_address& x, const path& where, const network_ptr& here) {
  const auto* owner = here && !where.interface.empty() ? here->owner_of(x) : nullptr;
  return owner && owner->name != where.interface;
}

/// Tells whether a Remote Endpoint is to be reached by another interface. A zone alone says that to
/// the kernel, too, but for most multicast groups it has none.
bool is_elsewhere(const resolved_remote& x, const path& where) noexcept {
  if (x.interface.empty() || x.interface == where.interface)
    return false;
  return x.is_group || !where.interface.empty();
}

/// Returns what the Local Endpoints allow for remote addresses of a family.
std::vector<binding> bindings_for(const std::vector<const resolved_local*>& locals,
                                  ip_family family, const path& where, const network_ptr& here) {
  std::vector<binding> result;
  for (const auto* x : locals) {
    if (!x) {
      result.emplace_back();
    } else if (x->unresolved) {
      continue;
    } else if (x->addresses.empty()) {
      result.push_back({x, std::nullopt});
      if (x->port != 0)
        result.back().address = socket_address{ip_address::any(family), x->port};
    } else {
      for (const auto& address : x->addresses)
        if (address.family() == family && !is_elsewhere(address, where, here))
          result.push_back(
              {x, socket_address{address, x->port, scope_for(address, x->scope, where)}});
    }
  }
  return result;
}

/// Builds the leaves in order, one path and stack after the other.
class tree_builder {
public:
  tree_builder(const gather_input& input, std::span<const candidate> started,
               std::span<const candidate> untried)
      : input_(input), started_(started), untried_(untried) {
    for (auto known : {started, untried})
      for (const auto& x : known)
        next_id_ = std::max(next_id_, x.id + 1);
    last_ = started.empty() ? nullptr : &started.back();
  }

  std::vector<candidate> run() {
    for (std::size_t p = 0; p < input_.paths.size(); ++p)
      for (std::size_t s = 0; s < input_.stacks.size(); ++s)
        add_node(p, s);
    set_branches();
    return std::move(leaves_);
  }

private:
  bool full() const noexcept {
    return leaves_.size() + started_.size() >= input_.options.max_attempts;
  }

  /// Local Endpoints for this path and stack; null stands for "no restriction".
  std::vector<const resolved_local*> locals_at(const path& where,
                                               const protocol_stack& stack) const {
    if (input_.locals.empty())
      return {nullptr};
    const auto all = endpoints_for(stack, std::span<const resolved_local>{input_.locals});
    // An interface that some Local Endpoint names is for those that name it; one that the
    // properties ask for, for those that name none.
    const auto named = std::ranges::any_of(input_.locals, [&](const resolved_local& x) {
      return !where.interface.empty() && x.interface == where.interface;
    });
    const auto wanted = named ? where.interface : std::string {};
    std::vector<const resolved_local*> here;
    for (const auto* x : all)
      if (x->interface == wanted)
        here.push_back(x);
    if (all.empty() && !named)
      here.push_back(nullptr);
    return here;
  }

  bool reaches(const path& where, const ip_address& destination) const {
    if (input_.temporary_address_required && destination.is_v4())
      return false;
    if (!input_.where || where.interface.empty())
      return true;
    const auto* by = input_.where->find(where.interface);
    return !by || input_.where->reaches(*by, destination);
  }

  /// Tells whether an attempt was at a node and for a Remote Endpoint, and for this place of it.
  static bool was_for(const candidate& leaf, const path& where, const protocol_stack& stack,
                      const resolved_remote& remote) {
    return leaf.path == where && leaf.stack == &stack && leaf.remote_index == remote.index &&
           leaf.remote.port == port_for(remote, stack) &&
           std::ranges::find(remote.addresses, leaf.remote.address) != remote.addresses.end();
  }

  /// The family of the last of these attempts.
  std::optional<ip_family> last_family(const path& where, const protocol_stack& stack,
                                       const resolved_remote& remote) const {
    const auto x = std::find_if(started_.rbegin(), started_.rend(), [&](const candidate& leaf) {
      return was_for(leaf, where, stack, remote);
    });
    if (x == started_.rend())
      return std::nullopt;
    return x->remote.address.family();
  }

  bool was_started(const path& where, const protocol_stack& stack, const resolved_remote& remote,
                   const ip_address& address) const {
    return std::any_of(started_.begin(), started_.end(), [&](const candidate& leaf) {
      return leaf.remote.address == address && was_for(leaf, where, stack, remote);
    });
  }

  /// The addresses of an endpoint, best first; those from `live` on are known to be dead.
  struct sorted_addresses {
    const resolved_remote* endpoint = nullptr;
    std::vector<ip_address> all;
    std::size_t live = 0;
  };

  const sorted_addresses& sorted(const resolved_remote& remote);
  std::vector<ip_address> in_turn(const path& where, const protocol_stack& stack,
                                  const resolved_remote& remote);
  std::vector<target> targets_at(const path& where, const protocol_stack& stack);
  void add_node(std::size_t path_index, std::size_t stack_index);
  void add_leaf(std::size_t path_index, std::size_t stack_index, const target& to,
                const binding& from);
  bool identify(candidate& leaf, const std::string& node);
  void set_branches();

  const gather_input& input_;
  std::span<const candidate> started_;
  std::span<const candidate> untried_;
  std::vector<candidate> leaves_;
  const candidate* last_ = nullptr;
  std::uint32_t next_id_ = 1;
  /// Addresses are sorted once per Remote Endpoint, since that asks the kernel.
  std::vector<sorted_addresses> sorted_;
};

/// Returns the addresses of an endpoint by RFC 6724, without duplicates and at
/// most as many of each family as are tried.
const tree_builder::sorted_addresses& tree_builder::sorted(const resolved_remote& remote) {
  for (const auto& x : sorted_)
    if (x.endpoint == &remote)
      return x;
  std::vector<ip_address> addresses;
  std::array<std::size_t, 2> counts{};
  for (const auto& x : remote.addresses) {
    auto& count = counts[x.is_v6() ? 1 : 0];
    if (count < input_.options.max_addresses_per_name &&
        std::find(addresses.begin(), addresses.end(), x) == addresses.end()) {
      addresses.push_back(x);
      ++count;
    }
  }
  const auto experience =
      addresses.size() < 2 ? experience_lookup{} : experience_at(input_, remote);
  const auto live = sort_destinations(addresses, input_.source_for, experience);
  return sorted_.emplace_back(sorted_addresses{&remote, std::move(addresses), live});
}

/// Returns the addresses of an endpoint at a node: first those that were tried,
/// since other local addresses may be left for them, then the others in the
/// order in which to try them.
std::vector<ip_address> tree_builder::in_turn(const path& where, const protocol_stack& stack,
                                              const resolved_remote& remote) {
  const auto& known = sorted(remote);
  if (known.all.size() < 2)
    return known.all;
  std::vector<ip_address> result;
  std::vector<ip_address> live;
  std::vector<ip_address> dead;
  for (std::size_t i = 0; i < known.all.size(); ++i) {
    const auto& x = known.all[i];
    (was_started(where, stack, remote, x) ? result : i < known.live ? live : dead).push_back(x);
  }
  const auto last = last_family(where, stack, remote);
  for (const auto& rest : {live, dead}) {
    const auto turns = interleave_families(rest, input_.options.first_family_count, last);
    result.insert(result.end(), turns.begin(), turns.end());
  }
  result.resize(std::min(result.size(), input_.options.max_addresses_per_name));
  return result;
}

std::vector<target> tree_builder::targets_at(const path& where, const protocol_stack& stack) {
  std::vector<target> result;
  const std::span<const resolved_remote> all{input_.remotes};
  for (const auto* remote : endpoints_for(stack, all)) {
    const auto port = port_for(*remote, stack);
    if (!port || is_elsewhere(*remote, where))
      continue;
    for (const auto& x : in_turn(where, stack, *remote))
      if (x.is_multicast() == stack.multicast() && reaches(where, x))
        result.push_back({remote, {x, *port, scope_for(x, remote->scope, where)}});
  }
  return result;
}

void tree_builder::add_node(std::size_t path_index, std::size_t stack_index) {
  const auto& where = input_.paths[path_index];
  const auto& stack = *input_.stacks[stack_index].stack;
  const auto locals = locals_at(where, stack);
  const auto targets = targets_at(where, stack);
  const std::array bindings{bindings_for(locals, ip_family::v4, where, input_.where),
                            bindings_for(locals, ip_family::v6, where, input_.where)};
  // Round n takes the n-th binding of each target.
  const auto rounds = std::max(bindings[0].size(), bindings[1].size());
  for (std::size_t round = 0; round < rounds; ++round)
    for (const auto& to : targets) {
      const auto& from = bindings[to.address.address.is_v6() ? 1 : 0];
      if (round < from.size())
        add_leaf(path_index, stack_index, to, from[round]);
    }
}

void tree_builder::add_leaf(std::size_t path_index, std::size_t stack_index, const target& to,
                            const binding& from) {
  if (full())
    return;
  candidate leaf;
  leaf.path = input_.paths[path_index];
  leaf.stack = input_.stacks[stack_index].stack;
  leaf.only_after_failure = input_.stacks[stack_index].only_after_failure;
  leaf.remote = to.address;
  leaf.local = from.address;
  leaf.remote_index = to.endpoint->index;
  if (from.endpoint)
    leaf.local_index = from.endpoint->index;
  leaf.hostname = to.endpoint->hostname;
  leaf.hop_limit = to.endpoint->hop_limit;
  if (!leaf.hop_limit && from.endpoint)
    leaf.hop_limit = from.endpoint->hop_limit;
  leaf.alpn = to.endpoint->alpn;
  if (input_.permitted && !input_.permitted(leaf))
    return;
  if (identify(leaf, std::to_string(path_index + 1) + "." + std::to_string(stack_index + 1)))
    leaves_.push_back(std::move(leaf));
}

/// Tells whether two leaves would be the same attempt. The name makes a
/// difference only where it is verified.
bool same_attempt(const candidate& x, const candidate& y) {
  return x.path == y.path && x.stack == y.stack && x.remote == y.remote && x.local == y.local &&
         (x.stack->security.empty() || x.hostname == y.hostname);
}

/// Gives a leaf its id and node; returns false for one that there is already.
bool tree_builder::identify(candidate& leaf, const std::string& node) {
  const auto same = [&](const candidate& x) { return same_attempt(x, leaf); };
  if (std::any_of(started_.begin(), started_.end(), same) ||
      std::any_of(leaves_.begin(), leaves_.end(), same))
    return false;
  if (const auto old = std::find_if(untried_.begin(), untried_.end(), same);
      old != untried_.end()) {
    leaf.id = old->id;
    leaf.node = old->node;
    return true;
  }
  std::size_t number = 1;
  const auto count = [&](const candidate& x) {
    if (x.path == leaf.path && x.stack == leaf.stack)
      number = std::max(number, std::stoul(x.node.substr(x.node.rfind('.') + 1)) + 1);
  };
  std::for_each(started_.begin(), started_.end(), count);
  std::for_each(untried_.begin(), untried_.end(), count);
  std::for_each(leaves_.begin(), leaves_.end(), count);
  leaf.id = next_id_++;
  leaf.node = node + "." + std::to_string(number);
  return true;
}

void tree_builder::set_branches() {
  const auto* before = last_;
  for (auto& x : leaves_) {
    if (!before || before->path != x.path)
      x.branch = branch_type::path;
    else
      x.branch = before->stack != x.stack ? branch_type::protocol : branch_type::endpoint;
    before = &x;
  }
}

}  // namespace

// -- preparing ------------------------------------------------------------------------------------

void add_locals(std::span<const resolved_local> locals, std::span<const ranked_stack> stacks,
                path_request& to) {
  const auto unbound =
      std::any_of(locals.begin(), locals.end(), [](const auto& x) { return x.interface.empty(); });
  const auto unrestricted = std::any_of(stacks.begin(), stacks.end(), [&](const ranked_stack& x) {
    return endpoints_for(*x.stack, locals).empty();
  });
  to.unnamed = locals.empty() || unbound || unrestricted;
  for (const auto& x : locals)
    if (!x.interface.empty())
      to.named.push_back(x.interface);
}

// -- gathering ------------------------------------------------------------------------------------

std::vector<candidate> gather(const gather_input& input) {
  return tree_builder{input, {}, {}}.run();
}

std::vector<candidate> regather(const gather_input& input, std::span<const candidate> started,
                                std::span<const candidate> untried) {
  return tree_builder{input, started, untried}.run();
}

}  // namespace taps
