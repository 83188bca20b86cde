#include "taps/tests/support/simulation/simulated_shard.hpp"

#include "taps/tests/support/simulation/simulated_loop.hpp"

namespace taps::testing {

simulated_shard::simulated_shard(caf::actor_system& system, simulated_loop& loop)
    : shard(system), loop_(loop) {
  loop_.add(*this);
}

simulated_shard::~simulated_shard() { drop_queued(); }

void simulated_shard::equip(std::unique_ptr<resolver> names,
                            std::vector<std::unique_ptr<transport>> transports) {
  names_ = std::move(names);
  transports_ = std::move(transports);
}

time_point simulated_shard::now() const { return loop_.now(); }

event_id simulated_shard::after(duration delay, std::function<void()> what) {
  const auto id = next_event_++;
  auto made = std::make_unique<event>(*this, id, std::move(what));
  timers_.schedule(made->when, now() + delay);
  events_.emplace(id, std::move(made));
  return id;
}

void simulated_shard::event::fire() {
  auto task = std::move(what);
  home.events_.erase(id);
  task();
}

bool simulated_shard::runnable() const noexcept {
  const auto next = timers_.next();
  return woken_ || more_ || (next && *next <= loop_.now());
}

void simulated_shard::turn() {
  struct visit {
    explicit visit(simulated_shard& x) : where(x) {
      where.enter_thread();
      where.buffers_.bind_to_this_thread();
    }
    ~visit() { where.leave_thread(); }
    simulated_shard& where;
  };
  const visit here{*this};
  woken_ = false;
  timers_.run(now());
  more_ = run_turn();
}

}  // namespace taps::testing
