#pragma once

#include <caf/actor.hpp>
#include <caf/fwd.hpp>

#include <unordered_map>
#include <unordered_set>

namespace taps {

class shard;

/// Something that an owner owns and that must not outlive it unnoticed.
class owned {
public:
  virtual void on_owner_down() = 0;

protected:
  ~owned() = default;
};

/// Tells what lives on one shard that its owner died. One observer per owner and shard, whatever
/// the number of connections: a CAF monitor for each would leak while the owner lives and cost
/// linear time to remove.
class owner_watch {
public:
  explicit owner_watch(shard& home) noexcept : home_(home) {}

  void add(const caf::actor& owner, owned& what);
  void remove(caf::actor_id owner, owned& what) noexcept;

private:
  class observer;

  void owner_down(caf::actor_id owner);

  shard& home_;
  /// Stays for as long as the owner lives, since it is observed only once.
  std::unordered_map<caf::actor_id, std::unordered_set<owned*>> owners_;
};

}  // namespace taps
