#pragma once

#include "taps/actors/shard.hpp"

#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace taps::testing {

class simulated_loop;

/// Names something scheduled on a simulated shard.
using event_id = std::uint64_t;

/// A shard without a thread: a `simulated_loop` runs it, under virtual time. What happens at the
/// same time happens in the order in which it was scheduled.
class simulated_shard final : public shard {
public:
  /// Joins `loop`, which must outlive the shard's last turn.
  simulated_shard(caf::actor_system& system, simulated_loop& loop);
  ~simulated_shard() override;

  /// Gives the shard what its actors use. Once, before the first actor.
  void equip(std::unique_ptr<resolver> names, std::vector<std::unique_ptr<transport>> transports);

  // -- what the environment supplies ---------------------------------------------------

  [[nodiscard]] time_point now() const override;
  [[nodiscard]] timer_queue& timers() override { return timers_; }
  [[nodiscard]] arena& memory() override { return outbound_; }
  [[nodiscard]] resolver& names() override { return *names_; }
  [[nodiscard]] const std::vector<std::unique_ptr<transport>>& transports() const override {
    return transports_;
  }

  // -- events of the simulated world ---------------------------------------------------

  [[nodiscard]] simulated_loop& loop() const noexcept { return loop_; }

  /// Has `what` called on this shard, from the top of its loop, once `delay` has passed.
  event_id after(duration delay, std::function<void()> what);
  void cancel(event_id which) noexcept { events_.erase(which); }

  // -- for the loop ----------------------------------------------------------------------

  /// Whether a turn now would do anything.
  [[nodiscard]] bool runnable() const noexcept;
  /// Runs due timers and one turn, as this shard's thread.
  void turn();

protected:
  void wake() noexcept override { woken_ = true; }

private:
  struct event {
    event(simulated_shard& where, event_id number, std::function<void()> task)
        : home(where), id(number), what(std::move(task)) {}

    simulated_shard& home;
    event_id id;
    std::function<void()> what;
    timer when{[](void* self) { static_cast<event*>(self)->fire(); }, this};

    void fire();
  };

  simulated_loop& loop_;
  timer_queue timers_;
  buffer_pool buffers_;
  arena outbound_{buffers_};
  std::unique_ptr<resolver> names_;
  std::vector<std::unique_ptr<transport>> transports_;
  std::map<event_id, std::unique_ptr<event>> events_;
  event_id next_event_ = 1;
  bool woken_ = false;
  bool more_ = false;
};

}  // namespace taps::testing
