#pragma once

#include "taps/core/candidate/stack.hpp"
#include "taps/core/racing/history_text.hpp"

#include <memory>
#include <mutex>

namespace taps {

/// The history of the transport services, or of an isolated session, for all their shards.
/// Thread-safe; asked and taught once per race.
class shared_history {
public:
  explicit shared_history(const history_options& options) noexcept : known_(options) {}

  /// Returns what is known of each stack; empty if of none.
  [[nodiscard]] std::vector<past_outcome> recall(time_point now,
                                                 std::span<const history_place> places,
                                                 std::span<const protocol_stack> stacks) const;
  [[nodiscard]] address_experience experience_of(time_point now, const history_place& where) const;
  [[nodiscard]] std::vector<history_entry> entries(time_point now) const;

  void learn(time_point now, std::span<const lesson> what);
  void restore(time_point now, std::span<const history_entry> what);

  [[nodiscard]] const history_options& options() const noexcept { return known_.options(); }

private:
  mutable std::mutex mutex_;
  outcome_history known_;
};

using history_ptr = std::shared_ptr<shared_history>;

}  // namespace taps
