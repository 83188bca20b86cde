#include "taps/actors/connection_group.hpp"

#include <caf/actor_cast.hpp>

namespace taps {

void connection_group::add(const caf::actor_addr& who) {
  std::lock_guard guard{mutex_};
  members_.push_back(who);
}

void connection_group::remove(const caf::actor_addr& who) {
  std::lock_guard guard{mutex_};
  std::erase(members_, who);
}

connection_list connection_group::members() const {
  std::lock_guard guard{mutex_};
  connection_list result;
  for (const auto& x : members_)
    if (auto who = caf::actor_cast<caf::strong_actor_ptr>(x))
      result.members.push_back(caf::actor_cast<connection>(std::move(who)));
  return result;
}

}  // namespace taps
