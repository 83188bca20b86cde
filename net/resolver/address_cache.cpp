#include "taps/net/resolver/address_cache.hpp"

#include <algorithm>

namespace taps {

void address_cache::store(std::string_view name, ip_family family, const resolved_addresses& answer,
                          time_point now) {
  auto ttl = max_ttl;
  for (const auto& entry : answer.entries)
    ttl = std::min(ttl, entry.ttl);
  std::pair key{std::string{name}, family};
  answers_.erase(key);
  if (answer.entries.empty() || ttl <= ttl.zero() || capacity_ == 0)
    return;
  if (answers_.size() >= capacity_)
    make_room();
  answers_.emplace(std::move(key), stored{answer, now, now + ttl});
}

std::optional<resolved_addresses> address_cache::find(std::string_view name, ip_family family,
                                                      time_point now) const {
  const auto found = answers_.find({std::string{name}, family});
  if (found == answers_.end() || found->second.until <= now)
    return std::nullopt;
  const auto age = std::chrono::ceil<std::chrono::seconds>(now - found->second.since);
  auto result = found->second.answer;
  for (auto& entry : result.entries)
    entry.ttl = std::max(entry.ttl - age, entry.ttl.zero());
  return result;
}

/// Expired answers are the first to go by this rule; a scan is cheap beside the query that led
/// here.
void address_cache::make_room() {
  answers_.erase(std::min_element(answers_.begin(), answers_.end(), [](auto& x, auto& y) {
    return x.second.until < y.second.until;
  }));
}

}  // namespace taps
