#pragma once

#include "taps/core/properties/property_id.hpp"
#include "taps/core/properties/property_value.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taps {

/// The properties that somebody set, and nothing else: small when few are. Stores; checking is done
/// by those who use it.
class property_set {
public:
  struct entry {
    property_id id{};
    property_value value;

    friend bool operator==(const entry&, const entry&) = default;

    template<class Inspector>
    friend typename Inspector::result_type inspect(Inspector& f, entry& x) {
      return f(x.id, x.value);
    }
  };
  /// A property that is not in the table: of a vendor or protocol, under its full name.
  using foreign_entry = std::pair<std::string, property_value>;

  [[nodiscard]] bool empty() const noexcept { return entries_.empty() && foreign_.empty(); }

  /// Returns the value, or null if nobody set it.
  [[nodiscard]] const property_value* find(property_id id) const noexcept;
  void set(property_id id, property_value value);
  void erase(property_id id);

  /// As above; names differ only if they differ in more than letter case.
  [[nodiscard]] const property_value* find_foreign(std::string_view name) const noexcept;
  void set_foreign(std::string_view name, property_value value);
  void erase_foreign(std::string_view name);

  /// In the order of the ids.
  [[nodiscard]] const std::vector<entry>& entries() const noexcept { return entries_; }
  [[nodiscard]] const std::vector<foreign_entry>& foreign() const noexcept { return foreign_; }

  friend bool operator==(const property_set&, const property_set&) = default;

  template<class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, property_set& x) {
    return f(x.entries_, x.foreign_);
  }

private:
  std::vector<entry> entries_;
  std::vector<foreign_entry> foreign_;
};

}  // namespace taps
