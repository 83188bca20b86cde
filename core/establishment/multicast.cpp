#include "taps/core/establishment/multicast.hpp"

#include <algorithm>
#include <string>

namespace taps {

namespace {

error invalid(std::string text) { return {errc::invalid_configuration, std::move(text)}; }

constexpr auto has_group = [](const endpoint& x) { return x.multicast_group().has_value(); };

std::string name_of(const endpoint& x) { return "group " + to_string(*x.multicast_group()); }

/// Either all endpoints are groups or none is.
template<class Endpoints>
result<void> check_uniform(const Endpoints& all, std::string_view which) {
  if (std::ranges::all_of(all, has_group))
    return {};
  return invalid(name_of(*std::ranges::find_if(all, has_group)) + " beside another " +
                 std::string{which} + " Endpoint that is none: one of them at a time");
}

result<void> check_sending(std::span<const local_endpoint> locals,
                           std::span<const remote_endpoint> remotes, direction flow) {
  if (std::ranges::none_of(remotes, has_group))
    return invalid("Initiate: the " + name_of(*std::ranges::find_if(locals, has_group)) +
                   " of a Local Endpoint is to be heard, which Listen does");
  if (flow == direction::unidirectional_receive)
    return invalid("Initiate only sends to the " + name_of(remotes.front()) +
                   ", but direction is " + std::string{to_string(flow)});
  return check_uniform(remotes, "Remote");
}

result<void> check_sources(const local_endpoint& group, std::span<const remote_endpoint> remotes) {
  const auto family = group.multicast_group()->family();
  for (const auto& x : sources_of(group, remotes))
    if (x.family() != family)
      return invalid("Listen: " + to_string(x) + " cannot be a source of the " + name_of(group) +
                     ": they are of different address families");
  return {};
}

result<void> check_receiving(std::span<const local_endpoint> locals,
                             std::span<const remote_endpoint> remotes, direction flow) {
  const auto groups = groups_to_hear(locals, remotes);
  if (auto fine = check_uniform(groups, "Local"); !fine)
    return fine;
  if (flow != direction::unidirectional_receive)
    return invalid("Listen only receives from the " + name_of(groups.front()) +
                   ", but direction is " + std::string{to_string(flow)});
  for (const auto& x : groups) {
    if (!x.service() && x.port().value_or(0) == 0)
      return invalid("Listen: the " + name_of(x) + " has neither port nor service");
    if (auto fine = check_sources(x, remotes); !fine)
      return fine;
  }
  return {};
}

}  // namespace

bool is_multicast(std::span<const local_endpoint> locals,
                  std::span<const remote_endpoint> remotes) noexcept {
  return std::ranges::any_of(locals, has_group) || std::ranges::any_of(remotes, has_group);
}

result<void> check_multicast(std::span<const local_endpoint> locals,
                             std::span<const remote_endpoint> remotes, direction flow,
                             establishment how) {
  if (!is_multicast(locals, remotes))
    return {};
  return how == establishment::listen ? check_receiving(locals, remotes, flow)
                                      : check_sending(locals, remotes, flow);
}

std::vector<local_endpoint> groups_to_hear(std::span<const local_endpoint> locals,
                                           std::span<const remote_endpoint> remotes) {
  if (std::ranges::any_of(locals, has_group))
    return {locals.begin(), locals.end()};
  std::vector<local_endpoint> result;
  for (const auto& local : locals)
    for (const auto& remote : remotes) {
      if (!has_group(remote))
        continue;
      auto& x = result.emplace_back(local);
      x.with_any_source_multicast_group_ip(to_string(*remote.multicast_group()));
      if (!x.port() && remote.port())
        x.with_port(*remote.port());
      if (!x.interface() && remote.interface())
        x.with_interface(*remote.interface());
    }
  return result;
}

std::vector<ip_address> sources_of(const local_endpoint& group,
                                   std::span<const remote_endpoint> remotes) {
  if (group.multicast_source())
    return {*group.multicast_source()};
  std::vector<ip_address> result;
  for (const auto& x : remotes)
    if (x.address() && std::ranges::find(result, *x.address()) == result.end())
      result.push_back(*x.address());
  return result;
}

std::vector<std::uint32_t> interfaces_to_join(const network& where, const ip_address& group) {
  if (!where.known())
    return {0};
  std::vector<std::uint32_t> result;
  for (const auto& x : where.interfaces())
    if (x.up && where.reaches(x, group))
      result.push_back(x.index);
  return result;
}

}  // namespace taps
