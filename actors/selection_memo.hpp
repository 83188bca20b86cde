#pragma once

#include "taps/core/establishment/establishment.hpp"

#include <mutex>

namespace taps {

/// What was selected for a configuration: many Connections come from few Preconnections. Holds as
/// long as policy and history say the same, once per shard, since each has stacks of its own.
/// Thread-safe. A copy is empty: it is for a configuration that is about to change.
class selection_memo {
public:
  selection_memo() = default;
  selection_memo(const selection_memo&) noexcept : selection_memo() {}
  selection_memo& operator=(const selection_memo&) = delete;

  /// Returns what `select_for` does; null when nothing can be selected.
  std::shared_ptr<const selection> select(const establishment_request& what,
                                          std::span<const protocol_stack> stacks);

private:
  struct entry {
    const protocol_stack* stacks = nullptr;
    std::vector<policy_answer> verdicts;
    std::vector<past_outcome> past;
    std::shared_ptr<const selection> answer;
  };

  std::mutex mutex_;
  std::vector<entry> entries_;
};

}  // namespace taps
