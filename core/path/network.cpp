#include "taps/core/path/network.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

namespace taps {

namespace {

constexpr std::array<std::pair<interface_type, std::string_view>, 6> type_names{{
    {interface_type::other, "other"},
    {interface_type::loopback, "loopback"},
    {interface_type::wired, "wired"},
    {interface_type::wifi, "wifi"},
    {interface_type::cellular, "cellular"},
    {interface_type::tunnel, "tunnel"},
}};

bool on_link(const network_interface& by, const ip_address& x) noexcept {
  return std::ranges::any_of(by.addresses, [&](const interface_address& own) {
    return is_in_prefix(x, own.address, own.prefix_length);
  });
}

bool has_family(const network_interface& by, ip_family family) noexcept {
  return std::ranges::any_of(by.addresses, [family](const interface_address& own) {
    return own.address.family() == family && !own.unusable;
  });
}

}  // namespace

// -- interfaces and routes ------------------------------------------------------------------------

std::string_view to_string(interface_type x) noexcept {
  return type_names[static_cast<std::size_t>(x)].second;
}

std::optional<interface_type> find_interface_type(std::string_view name) noexcept {
  for (const auto& [type, text] : type_names)
    if (text == name && type != interface_type::other)
      return type;
  return std::nullopt;
}

bool network_interface::has_temporary_address() const noexcept {
  return std::ranges::any_of(addresses, [](const auto& x) { return x.temporary && !x.unusable; });
}

bool network_route::covers(const ip_address& x) const noexcept {
  return is_in_prefix(x, destination, prefix_length);
}

// -- network --------------------------------------------------------------------------------------

network::network(std::vector<network_interface> interfaces, std::vector<network_route> routes,
                 std::vector<provisioning_domain> domains)
    : interfaces_(std::move(interfaces)), routes_(std::move(routes)), domains_(std::move(domains)),
      known_(true) {
  std::ranges::sort(interfaces_, {}, &network_interface::index);
  std::ranges::stable_sort(routes_, [](const network_route& x, const network_route& y) {
    return std::tie(y.prefix_length, x.metric) < std::tie(x.prefix_length, y.metric);
  });
  for (const auto& x : routes_) {
    const auto* by = x.prefix_length == 0 && x.gateway ? find(x.interface) : nullptr;
    if (by)
      name_ += (name_.empty() ? "" : " ") + by->name + "/" + to_string(*x.gateway);
  }
  find_default_ways();
}

const network_interface* network::find(std::string_view zone) const noexcept {
  if (const auto i = std::ranges::find(interfaces_, zone, &network_interface::name);
      i != interfaces_.end())
    return &*i;
  std::uint32_t index = 0;
  const auto* end = zone.data() + zone.size();
  const auto [rest, failure] = std::from_chars(zone.data(), end, index);
  return failure == std::errc{} && rest == end ? find(index) : nullptr;
}

const network_interface* network::find(std::uint32_t index) const noexcept {
  const auto i = std::ranges::find(interfaces_, index, &network_interface::index);
  return i == interfaces_.end() ? nullptr : &*i;
}

const network_interface* network::owner_of(const ip_address& x) const noexcept {
  for (const auto& candidate : interfaces_)
    if (std::ranges::find(candidate.addresses, x, &interface_address::address) !=
        candidate.addresses.end())
      return &candidate;
  return nullptr;
}

bool network::is_temporary(const ip_address& x) const noexcept {
  return std::ranges::any_of(interfaces_, [&](const network_interface& candidate) {
    return std::ranges::any_of(candidate.addresses, [&](const interface_address& y) {
      return y.temporary && y.address == x;
    });
  });
}

bool network::reaches(const network_interface& by, const ip_address& destination) const {
  // The host talks to itself by the loopback interface, whatever address it uses.
  if (destination.is_loopback() || owner_of(destination))
    return by.type == interface_type::loopback;
  if (!has_family(by, destination.family()))
    return false;
  if (destination.is_multicast() || destination.is_link_local() || on_link(by, destination))
    return true;
  return std::ranges::any_of(routes_, [&](const network_route& x) {
    return x.interface == by.index && x.covers(destination);
  });
}

const network_interface* network::way_to(const ip_address& destination) const {
  for (const auto& x : interfaces_)
    if (x.type == interface_type::loopback && reaches(x, destination))
      return &x;
  for (const auto& x : routes_)
    if (const auto* by = x.covers(destination) ? find(x.interface) : nullptr; by && by->up)
      return by;
  return nullptr;
}

void network::find_default_ways() {
  std::vector<const network_route*> defaults;
  for (const auto& x : routes_)
    if (x.prefix_length == 0)
      defaults.push_back(&x);
  std::ranges::stable_sort(defaults, {}, &network_route::metric);
  for (const auto* x : defaults) {
    const auto by = std::ranges::find(interfaces_, x->interface, &network_interface::index);
    const auto position = static_cast<std::size_t>(by - interfaces_.begin());
    if (by != interfaces_.end() && by->up &&
        std::ranges::find(default_ways_, position) == default_ways_.end())
      default_ways_.push_back(position);
  }
}

std::vector<const network_interface*> network::default_ways() const {
  std::vector<const network_interface*> result;
  result.reserve(default_ways_.size());
  for (const auto i : default_ways_)
    result.push_back(&interfaces_[i]);
  return result;
}

bool network::in_domain(const network_interface& x, std::string_view domain) const {
  return std::ranges::any_of(domains_, [&](const provisioning_domain& y) {
    return y.name == domain && std::ranges::find(y.interfaces, x.name) != y.interfaces.end();
  });
}

// -- comparing and printing -----------------------------------------------------------------------

std::vector<std::string> changed_interfaces(const network& before, const network& after) {
  std::vector<std::string> result;
  for (const auto& x : after.interfaces()) {
    const auto* old = before.find(x.index);
    if (!old || *old != x)
      result.push_back(x.name);
  }
  for (const auto& x : before.interfaces())
    if (!after.find(x.index))
      result.push_back(x.name);
  return result;
}

std::string to_string(const network& x) {
  std::string result;
  for (const auto& i : x.interfaces()) {
    result += i.name + " (" + std::to_string(i.index) + ", " + std::string{to_string(i.type)} +
              (i.up ? ", up" : ", down") + ", mtu " + std::to_string(i.mtu) + ")";
    for (const auto& a : i.addresses)
      result += " " + to_string(a.address) + "/" + std::to_string(a.prefix_length) +
                (a.temporary ? " temporary" : "") + (a.unusable ? " unusable" : "");
    result += "\n";
  }
  for (const auto& r : x.routes()) {
    const auto* by = x.find(r.interface);
    result += to_string(r.destination) + "/" + std::to_string(r.prefix_length) +
              (r.gateway ? " via " + to_string(*r.gateway) : "") + " by " +
              (by ? by->name : std::to_string(r.interface)) + "\n";
  }
  return result;
}

}  // namespace taps
