#pragma once

#include "taps/actors/recipient.hpp"

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/fwd.hpp>

#include <unordered_map>

namespace taps {

class shard;

/// Something that an owner owns and that must not outlive it unnoticed.
class owned {
public:
  virtual void on_owner_down() = 0;

protected:
  owned() = default;
  owned(const owned&) = delete;
  owned& operator=(const owned&) = delete;
  virtual ~owned() = default;

private:
  friend class owner_watch;
  /// Others with the same owner: a list that needs no memory of its own.
  owned* next_ = nullptr;
  /// What points here; null for none.
  owned** link_ = nullptr;
};

/// Tells what lives on one shard that its owner died. One observer per owner and shard, whatever
/// the number of connections: a CAF monitor for each would leak while the owner lives and cost
/// linear time to remove.
class owner_watch {
public:
  explicit owner_watch(shard& home) noexcept : home_(home) {}

  /// Returns how to reach the owner from this shard.
  recipient add(const caf::actor& owner, owned& what);
  static void remove(owned& what) noexcept;

  /// Tells whether this owner is known, and lives on this shard.
  [[nodiscard]] bool is_local(const caf::actor_addr& owner) const noexcept;

private:
  class observer;

  struct entry {
    /// The owner itself if it lives on this shard; found out once, since it takes a while.
    pinned_base* local = nullptr;
    owned* first = nullptr;
  };

  void owner_down(const caf::actor_addr& owner);

  shard& home_;
  /// Stays for as long as the owner lives, since it is observed only once. By address: an id is one
  /// of its node, and owners live on other nodes, too.
  std::unordered_map<caf::actor_addr, entry> owners_;
};

}  // namespace taps
