#include "taps/actors/selection_memo.hpp"

#include <algorithm>

namespace taps {

std::shared_ptr<const selection> selection_memo::select(const establishment_request& what,
                                                        std::span<const protocol_stack> stacks) {
  std::lock_guard guard{mutex_};
  auto known = std::ranges::find(entries_, stacks.data(), &entry::stacks);
  if (known != entries_.end() && known->past == what.past && known->verdicts == what.verdicts)
    return known->answer;
  auto made = select_for(what, stacks);
  if (!made)
    return nullptr;
  if (known == entries_.end())
    known = entries_.insert(known, entry{stacks.data(), {}, {}, nullptr});
  known->verdicts = what.verdicts;
  known->past = what.past;
  known->answer = std::make_shared<const selection>(std::move(*made));
  return known->answer;
}

}  // namespace taps
