#pragma once

#include "taps/core/base/time.hpp"

#include <caf/actor_system.hpp>

#include <functional>
#include <vector>

namespace taps::testing {

class simulated_shard;

/// Runs simulated shards and CAF's own scheduler by turns, in the calling thread and in a fixed
/// order, under one virtual clock that starts off zero. Time stands still while anything is
/// runnable and then jumps to the next timer, Tapline's or CAF's; nothing sleeps or reads a clock.
class simulated_loop {
public:
  /// @pre the system's `scheduler.policy` is `testing`
  explicit simulated_loop(caf::actor_system& system);
  simulated_loop(const simulated_loop&) = delete;
  simulated_loop& operator=(const simulated_loop&) = delete;

  void add(simulated_shard& what) { shards_.push_back(&what); }

  [[nodiscard]] time_point now() const noexcept { return now_; }
  /// Virtual time since the beginning.
  [[nodiscard]] duration elapsed() const noexcept { return now_ - origin; }

  // -- driving ---------------------------------------------------------------------------

  /// Runs everything that is runnable now; time stands still. Returns false if that did not end
  /// within a million turns: something spins.
  bool settle();

  /// Runs until nothing is runnable and no timer is left, or `limit` of virtual time has passed;
  /// returns whether the former.
  bool run_until_idle(duration limit = std::chrono::hours{24});

  /// Runs for exactly `span`: everything in it happens at its own time.
  void run_for(duration span);

  /// Lets `span` pass at once, as for a process that was stopped: what was due meanwhile happens
  /// late, at the end.
  void advance(duration span);

  /// Runs until `done` returns true, asked whenever nothing is runnable, for at most `limit` of
  /// virtual time; returns whether it did.
  bool run_until(const std::function<bool()>& done, duration limit = std::chrono::hours{24});

private:
  static constexpr time_point origin{std::chrono::hours{1}};

  [[nodiscard]] deadline next_timer() const;
  void move_to(time_point when);
  bool run_some();

  caf::actor_system& system_;
  std::vector<simulated_shard*> shards_;
  time_point now_ = origin;
};

}  // namespace taps::testing
