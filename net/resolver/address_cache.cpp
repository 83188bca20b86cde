#include "taps/net/resolver/address_cache.hpp"

#include <algorithm>

namespace taps {

void address_cache::store(std::string_view name, ip_family family, const resolved_addresses& answer,
                          time_point now) {
  auto ttl = answer.entries.empty() ? max_ttl.zero() : max_ttl;
  for (const auto& entry : answer.entries)
    ttl = std::min(ttl, entry.ttl);
  answers_.store({std::string{name}, family}, answer, ttl, now);
}

std::optional<resolved_addresses> address_cache::find(std::string_view name, ip_family family,
                                                      time_point now) const {
  const auto* found = answers_.find({std::string{name}, family}, now);
  if (!found)
    return std::nullopt;
  const auto age = std::chrono::ceil<std::chrono::seconds>(now - found->since);
  auto result = found->value;
  for (auto& entry : result.entries)
    entry.ttl = std::max(entry.ttl - age, entry.ttl.zero());
  return result;
}

}  // namespace taps
