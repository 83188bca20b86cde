#include "taps/tests/support/simulation/simulated_loop.hpp"

#include "taps/tests/support/simulation/simulated_shard.hpp"

#include <caf/scheduler/test_coordinator.hpp>

namespace taps::testing {

namespace {

constexpr int spin_limit = 1'000'000;

caf::scheduler::test_coordinator& scheduler_of(caf::actor_system& system) {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
}

/// Tells when CAF's clock has something to do, which it does not say by itself.
struct clock_view : caf::detail::test_actor_clock {
  static deadline next(const caf::detail::test_actor_clock& x) {
    const auto& schedule = x.*(&clock_view::schedule_);
    return schedule.empty() ? deadline{} : deadline{schedule.begin()->first};
  }
};

}  // namespace

simulated_loop::simulated_loop(caf::actor_system& system) : system_(system) {}

bool simulated_loop::settle() {
  for (int turns = 0; turns < spin_limit; ++turns)
    if (!run_some())
      return true;
  return false;
}

bool simulated_loop::run_until_idle(duration limit) {
  const auto end = now_ + limit;
  for (;;) {
    if (!settle())
      return false;
    const auto next = next_timer();
    if (!next)
      return true;
    if (*next > end)
      return false;
    move_to(*next);
  }
}

void simulated_loop::run_for(duration span) {
  run_until([] { return false; }, span);
}

void simulated_loop::advance(duration span) {
  move_to(now_ + span);
  settle();
}

bool simulated_loop::run_until(const std::function<bool()>& done, duration limit) {
  const auto end = now_ + limit;
  for (;;) {
    const auto settled = settle();
    if (done())
      return true;
    const auto next = next_timer();
    if (!settled || !next || *next > end)
      break;
    move_to(*next);
  }
  if (now_ < end)
    move_to(end);
  settle();
  return done();
}

deadline simulated_loop::next_timer() const {
  deadline next;
  for (auto* x : shards_)
    next = sooner(next, x->timers().next());
  auto& theirs = scheduler_of(system_).clock();
  if (const auto when = clock_view::next(theirs))
    next = sooner(next, now_ + (*when - theirs.now()));
  return next;
}

void simulated_loop::move_to(time_point when) {
  if (when <= now_)
    return;
  const auto span = when - now_;
  now_ = when;
  scheduler_of(system_).advance_time(std::chrono::duration_cast<caf::timespan>(span));
}

bool simulated_loop::run_some() {
  bool any = false;
  for (auto* x : shards_) {
    if (!x->runnable())
      continue;
    any = true;
    x->turn();
  }
  return scheduler_of(system_).try_run_once() || any;
}

}  // namespace taps::testing
