#include "taps/actors/shared_history.hpp"

namespace taps {

std::vector<past_outcome> shared_history::recall(time_point now,
                                                 std::span<const history_place> places,
                                                 std::span<const protocol_stack> stacks) const {
  std::lock_guard guard{mutex_};
  return known_.recall(now, places, stacks);
}

address_experience shared_history::experience_of(time_point now, const history_place& where) const {
  std::lock_guard guard{mutex_};
  return known_.experience_of(now, where);
}

std::vector<history_entry> shared_history::entries(time_point now) const {
  std::lock_guard guard{mutex_};
  return known_.entries(now);
}

void shared_history::learn(time_point now, std::span<const lesson> what) {
  std::lock_guard guard{mutex_};
  for (const auto& x : what)
    known_.learn(now, x);
}

void shared_history::restore(time_point now, std::span<const history_entry> what) {
  std::lock_guard guard{mutex_};
  for (const auto& x : what)
    known_.restore(now, x);
}

}  // namespace taps
