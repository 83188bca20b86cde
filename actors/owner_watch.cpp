#include "taps/actors/owner_watch.hpp"

#include "taps/actors/shard.hpp"

#include <caf/attachable.hpp>

namespace taps {

/// Lives in the owner; its call comes on whatever thread the owner dies on.
class owner_watch::observer final : public caf::attachable {
public:
  observer(shard_ptr home, caf::actor_addr owner)
      : home_(std::move(home)), owner_(std::move(owner)) {}

  void actor_exited(const caf::error&, caf::execution_unit*) override {
    if (auto home = home_.lock())
      home->post([where = home.get(), owner = owner_] { where->owners().owner_down(owner); });
  }

private:
  std::weak_ptr<shard> home_;
  caf::actor_addr owner_;
};

recipient owner_watch::add(const caf::actor& owner, owned& what) {
  auto who = caf::actor_cast<caf::strong_actor_ptr>(owner);
  auto [i, fresh] = owners_.try_emplace(owner.address());
  auto& known = i->second;
  what.next_ = known.first;
  what.link_ = &known.first;
  if (known.first)
    known.first->link_ = &what.next_;
  known.first = &what;
  if (fresh) {
    auto* pinned = pinned_base::of(who.get());
    known.local = pinned && &pinned->home() == &home_ ? pinned : nullptr;
    caf::actor_cast<caf::abstract_actor*>(owner)->attach(
        caf::attachable_ptr{new observer{home_.shared_from_this(), owner.address()}});
  }
  return {std::move(who), known.local};
}

bool owner_watch::is_local(const caf::actor_addr& owner) const noexcept {
  const auto i = owners_.find(owner);
  return i != owners_.end() && i->second.local;
}

void owner_watch::remove(owned& what) noexcept {
  if (!what.link_)
    return;
  *what.link_ = what.next_;
  if (what.next_)
    what.next_->link_ = what.link_;
  what.link_ = nullptr;
}

void owner_watch::owner_down(const caf::actor_addr& owner) {
  auto i = owners_.find(owner);
  if (i == owners_.end())
    return;
  while (auto* next = i->second.first) {
    remove(*next);
    next->on_owner_down();
  }
  owners_.erase(i);
}

}  // namespace taps
