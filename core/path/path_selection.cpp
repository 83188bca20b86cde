#include "taps/core/path/path_selection.hpp"

#include <algorithm>
#include <functional>
#include <tuple>

namespace taps {

namespace {

/// One list of preferences and what its names mean.
struct criterion {
  const interface_preferences& asked;
  std::string_view property;
  std::function<bool(const network_interface&, const std::string&)> matches;
};

std::vector<criterion> criteria(const network& where, const path_request& request) {
  return {{request.interfaces, to_string(property_id::interface),
           [](const network_interface& x, const std::string& name) {
             return x.name == name || find_interface_type(name) == x.type;
           }},
          {request.domains, to_string(property_id::pvd),
           [&where](const network_interface& x, const std::string& name) {
             return where.in_domain(x, name);
           }}};
}

bool asks(const path_request& request) noexcept {
  return !request.interfaces.empty() || !request.domains.empty() ||
         request.temporary_address == preference::require;
}

/// Returns what rules an interface out; empty for nothing.
std::string objection(const network& where, const path_request& request,
                      const network_interface& x) {
  for (const auto& by : criteria(where, request))
    for (const auto& entry : by.asked) {
      const auto match = by.matches(x, entry.name);
      if ((entry.level == preference::require && !match) ||
          (entry.level == preference::prohibit && match))
        return std::string{by.property} + " " + std::string{to_string(entry.level)} + " " +
               entry.name;
    }
  if (request.temporary_address == preference::require && !x.has_temporary_address())
    return "useTemporaryLocalAddress Require";
  return {};
}

/// What decides between two interfaces; the smaller goes first.
auto rank(const network& where, const path_request& request, const network_interface& x) {
  int preferred = 0;
  int avoided = 0;
  for (const auto& by : criteria(where, request))
    for (const auto& entry : by.asked) {
      const auto match = by.matches(x, entry.name);
      preferred -= match && entry.level == preference::prefer ? 1 : 0;
      avoided += match && entry.level == preference::avoid ? 1 : 0;
    }
  const auto ways = where.default_ways();
  return std::tuple{preferred, avoided, std::ranges::find(ways, &x) - ways.begin(), x.index};
}

path path_by(const network_interface& x) { return {x.name, x.index}; }

error nothing_left(const network& where, const path_request& request) {
  if (!where.known())
    return {errc::no_candidates,
            "interfaces are asked for, but this host does not tell which it has"};
  std::string text = "no interface fits";
  for (const auto& x : where.interfaces()) {
    const auto why = x.up ? objection(where, request, x) : "down";
    text += std::string{&x == &where.interfaces().front() ? ": " : "; "} + x.name + ": " + why;
  }
  return {errc::no_candidates, std::move(text)};
}

void add(std::vector<path>& to, path x) {
  if (std::ranges::find(to, x) == to.end())
    to.push_back(std::move(x));
}

/// Adds the interfaces that Local Endpoints name. Fails when the properties rule out every one.
result<void> add_named_paths(const network& where, const path_request& request,
                             std::vector<path>& to) {
  error first;
  for (const auto& name : request.named) {
    const auto* x = where.find(name);
    if (!x)
      return {errc::invalid_configuration, "there is no interface " + name};
    if (const auto why = objection(where, request, *x); why.empty())
      add(to, path_by(*x));
    else if (!first)
      first = {errc::invalid_configuration,
               "interface " + name + " of an Endpoint contradicts " + why};
  }
  return to.empty() && first ? result<void>{first} : result<void>{};
}

/// The kernel's choice, and where it has several, the others.
void add_default_paths(const network& where, std::vector<path>& to) {
  add(to, {});
  const auto ways = where.default_ways();
  for (std::size_t i = 1; i < ways.size(); ++i)
    add(to, path_by(*ways[i]));
}

void add_matching_paths(const network& where, const path_request& request, std::vector<path>& to) {
  std::vector<const network_interface*> left;
  for (const auto& x : where.interfaces())
    if (x.up && objection(where, request, x).empty())
      left.push_back(&x);
  std::ranges::sort(left, [&](const auto* x, const auto* y) {
    return rank(where, request, *x) < rank(where, request, *y);
  });
  for (const auto* x : left)
    add(to, path_by(*x));
}

}  // namespace

path_request path_request_of(const transport_properties& properties, establishment how) {
  path_request result;
  result.interfaces = properties.interfaces();
  result.domains = properties.pvds();
  result.temporary_address =
      properties.preference_of(property_id::use_temporary_local_address, how);
  return result;
}

result<std::vector<path>> select_paths(const network& where, const path_request& request) {
  std::vector<path> paths;
  if (request.unnamed && !asks(request))
    add_default_paths(where, paths);
  else if (request.unnamed)
    add_matching_paths(where, request, paths);
  if (auto fine = add_named_paths(where, request, paths); !fine)
    return fine.failure();
  if (paths.empty())
    return nothing_left(where, request);
  return paths;
}

}  // namespace taps
