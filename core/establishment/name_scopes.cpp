#include "taps/core/establishment/name_scopes.hpp"

#include <algorithm>

namespace taps {

namespace {

bool covers(const provisioning_domain& x, std::span<const path> paths) {
  return std::ranges::all_of(paths, [&](const path& y) {
    return std::ranges::find(x.interfaces, y.interface) != x.interfaces.end();
  });
}

}  // namespace

name_scope scope_of(const network& where, std::span<const path> paths,
                    const interface_preferences& domains) {
  if (paths.empty() || paths.front().interface.empty())
    return {};
  const auto is_required = [&](const provisioning_domain& x) {
    return std::ranges::any_of(domains, [&](const interface_preference& y) {
      return y.level == preference::require && y.name == x.name;
    });
  };
  const provisioning_domain* best = nullptr;
  for (const auto& x : where.domains())
    if (!x.name_servers.empty() && covers(x, paths) && (!best || is_required(x)))
      best = &x;
  return best ? name_scope{paths.front().interface, best->name_servers} : name_scope{};
}

}  // namespace taps
