#include "taps/core/properties/property_set.hpp"

#include "taps/core/base/letters.hpp"

#include <algorithm>

namespace taps {

namespace {

constexpr auto by_id = [](const property_set::entry& x, property_id id) { return x.id < id; };

}  // namespace

const property_value* property_set::find(property_id id) const noexcept {
  auto at = std::lower_bound(entries_.begin(), entries_.end(), id, by_id);
  return at != entries_.end() && at->id == id ? &at->value : nullptr;
}

void property_set::set(property_id id, property_value value) {
  auto at = std::lower_bound(entries_.begin(), entries_.end(), id, by_id);
  if (at != entries_.end() && at->id == id)
    at->value = std::move(value);
  else
    entries_.insert(at, entry{id, std::move(value)});
}

void property_set::erase(property_id id) {
  auto at = std::lower_bound(entries_.begin(), entries_.end(), id, by_id);
  if (at != entries_.end() && at->id == id)
    entries_.erase(at);
}

const property_value* property_set::find_foreign(std::string_view name) const noexcept {
  for (auto& [known, value] : foreign_)
    if (equal_but_for_case(known, name))
      return &value;
  return nullptr;
}

void property_set::set_foreign(std::string_view name, property_value value) {
  for (auto& [known, old] : foreign_) {
    if (equal_but_for_case(known, name)) {
      old = std::move(value);
      return;
    }
  }
  foreign_.emplace_back(std::string{name}, std::move(value));
}

void property_set::erase_foreign(std::string_view name) {
  std::erase_if(foreign_,
                [&](const foreign_entry& x) { return equal_but_for_case(x.first, name); });
}

}  // namespace taps
