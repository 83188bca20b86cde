#pragma once

#include "taps/core/base/time.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

namespace taps {

/// Values by key, each for a while; a full map gives up the one that would go first. Reads no
/// clock. Used by one thread.
template<class Key, class Value>
class expiring_map {
public:
  struct stored {
    Value value;
    time_point since;
    time_point until;
  };

  explicit expiring_map(std::size_t capacity) : capacity_(capacity) {}

  /// Replaces what is there for the key; by nothing, if `life` is none.
  void store(Key key, Value value, duration life, time_point now) {
    values_.erase(key);
    if (life <= duration::zero() || capacity_ == 0)
      return;
    if (values_.size() >= capacity_)
      make_room();
    values_.emplace(std::move(key), stored{std::move(value), now, now + life});
  }

  /// Returns what may still be used; null if there is none.
  [[nodiscard]] const stored* find(const Key& key, time_point now) const {
    const auto found = values_.find(key);
    return found == values_.end() || found->second.until <= now ? nullptr : &found->second;
  }

  [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }

private:
  /// What is over is the first to go by this rule; a scan is cheap beside the query that led here.
  void make_room() {
    values_.erase(std::ranges::min_element(values_, {},
                                           [](const auto& entry) { return entry.second.until; }));
  }

  std::size_t capacity_;
  std::map<Key, stored> values_;
};

}  // namespace taps
