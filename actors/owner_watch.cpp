#include "taps/actors/owner_watch.hpp"

#include "taps/actors/shard.hpp"

#include <caf/attachable.hpp>

namespace taps {

/// Lives in the owner; its call comes on whatever thread the owner dies on.
class owner_watch::observer final : public caf::attachable {
public:
  observer(shard_ptr home, caf::actor_id owner) : home_(std::move(home)), owner_(owner) {}

  void actor_exited(const caf::error&, caf::execution_unit*) override {
    if (auto home = home_.lock())
      home->post([where = home.get(), owner = owner_] { where->owners().owner_down(owner); });
  }

private:
  std::weak_ptr<shard> home_;
  caf::actor_id owner_;
};

void owner_watch::add(const caf::actor& owner, owned& what) {
  auto [i, fresh] = owners_.try_emplace(owner.id());
  i->second.insert(&what);
  if (fresh)
    caf::actor_cast<caf::abstract_actor*>(owner)->attach(
        caf::attachable_ptr{new observer{home_.shared_from_this(), owner.id()}});
}

void owner_watch::remove(caf::actor_id owner, owned& what) noexcept {
  if (auto i = owners_.find(owner); i != owners_.end())
    i->second.erase(&what);
}

void owner_watch::owner_down(caf::actor_id owner) {
  auto i = owners_.find(owner);
  if (i == owners_.end())
    return;
  // Each removes itself while it ends.
  while (!i->second.empty()) {
    auto* next = *i->second.begin();
    i->second.erase(i->second.begin());
    next->on_owner_down();
  }
  owners_.erase(i);
}

}  // namespace taps
