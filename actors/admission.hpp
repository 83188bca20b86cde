#pragma once

#include <caf/actor_control_block.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

namespace taps {

/// How many more Connections a Listener announces (RFC 9622, section 7.2), and who waits for that.
/// Shared by the shards: thread-safe.
class admission {
public:
  /// Connections that may wait; further ones are turned away.
  static constexpr std::size_t max_waiting = 128;

  enum class verdict {
    /// To be announced; counted.
    enter,
    /// To wait for `admitted`, which is counted already.
    wait,
    turned_away,
  };

  [[nodiscard]] verdict ask(const caf::strong_actor_ptr& who);

  /// Someone who was told to wait has ended unannounced: the place is for another one.
  void leave(const caf::strong_actor_ptr& who);

  /// Lets in this many from now on; absent for all.
  void set_limit(std::optional<std::uint64_t> limit);

private:
  /// Returns those whose turn it is, counted. With the lock held.
  [[nodiscard]] std::vector<caf::strong_actor_ptr> next();

  /// Nobody set a limit: there is nothing to count.
  std::atomic<bool> unlimited_{true};
  std::mutex mutex_;
  std::optional<std::uint64_t> left_;
  std::deque<caf::strong_actor_ptr> waiting_;
};

}  // namespace taps
