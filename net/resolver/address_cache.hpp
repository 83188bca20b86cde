#pragma once

#include "taps/core/transport/resolver.hpp"
#include "taps/net/resolver/expiring_map.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taps {

/// Remembers answers for as long as their shortest TTL allows. Names are compared as they are:
/// callers bring them in lower case. Reads no clock; failures and empty answers are not kept, for
/// they carry no TTL. Used by one thread.
class address_cache {
public:
  /// No answer is kept longer than this, whatever its TTL says.
  static constexpr std::chrono::seconds max_ttl = std::chrono::hours{24};

  explicit address_cache(std::size_t capacity = 1024) : answers_(capacity) {}

  /// Keeps `answer`; a full cache gives up the name that would expire first.
  void store(std::string_view name, ip_family family, const resolved_addresses& answer,
             time_point now);

  /// Returns what is left of an answer, each TTL reduced by its age; absent when there is none that
  /// may still be used.
  [[nodiscard]] std::optional<resolved_addresses> find(std::string_view name, ip_family family,
                                                       time_point now) const;

  [[nodiscard]] std::size_t size() const noexcept { return answers_.size(); }

private:
  expiring_map<std::pair<std::string, ip_family>, resolved_addresses> answers_;
};

}  // namespace taps
