#pragma once

#include "taps/core/base/result.hpp"
#include "taps/core/properties/property_set.hpp"
#include "taps/core/properties/property_table.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace taps {

/// "Infinite" as a lifetime, "Full Coverage" as a checksum length: longer than any real one.
inline constexpr duration infinite_lifetime = duration::max();
inline constexpr std::int64_t full_checksum = std::numeric_limits<std::int64_t>::max();

/// The properties of one Message (RFC 9622, section 9.1.3); absent members take the defaults of the
/// Connection. The setters check values, plain assignment does not: see `check`.
struct message_properties {
  std::optional<duration> lifetime;
  std::optional<std::int64_t> priority;
  std::optional<std::int64_t> checksum_length;
  std::optional<bool> ordered;
  std::optional<bool> safely_replayable;
  std::optional<bool> final;
  std::optional<bool> reliable;
  std::optional<bool> no_fragmentation;
  std::optional<bool> no_segmentation;
  std::optional<taps::capacity_profile> capacity_profile;

  /// Fails with `InvalidConfiguration` for a value of the wrong type or range or a property that is
  /// not one of Messages, and with `ReadOnly`; the old value stays.
  result<void> set(property_id id, property_value value);
  result<void> set(std::string_view name, property_value value);

  /// Returns the value, absent when it is left to the Connection.
  [[nodiscard]] std::optional<property_value> get(property_id id) const;
  [[nodiscard]] result<std::optional<property_value>> get(std::string_view name) const;

  /// Leaves the property to the Connection again.
  void reset(property_id id);

  /// True when everything is left to the Connection.
  [[nodiscard]] bool all_default() const noexcept { return *this == message_properties{}; }

  /// Checks values that were assigned to members directly.
  [[nodiscard]] result<void> check() const;

  friend bool operator==(const message_properties&, const message_properties&) = default;

  /// The values set, in the order of the ids.
  [[nodiscard]] std::vector<property_set::entry> entries() const;

  /// Replaces everything by what `entries` returned.
  void assign(const std::vector<property_set::entry>& entries);

  template<class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, message_properties& x) {
    if constexpr (Inspector::reads_state) {
      auto list = x.entries();
      return f(list);
    } else {
      std::vector<property_set::entry> list;
      if (auto failed = f(list))
        return failed;
      x.assign(list);
      return {};
    }
  }
};

}  // namespace taps
