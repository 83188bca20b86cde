#pragma once

#include "taps/core/base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace taps {

class timer_queue;

/// One timer, a member of whoever wants to be woken. Idle until scheduled; destroying a scheduled
/// timer cancels it. Not copyable, because the queue points to it.
class timer {
public:
  /// Called once when the deadline is reached.
  using callback = void (*)(void* context);

  timer(callback fun, void* context) noexcept : fun_(fun), context_(context) {}
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;
  ~timer();

  [[nodiscard]] bool scheduled() const noexcept { return queue_ != nullptr; }

  /// Stops the timer; no-op when it is idle.
  void cancel() noexcept;

private:
  friend class timer_queue;

  callback fun_;
  void* context_;
  timer_queue* queue_ = nullptr;
  std::size_t index_ = 0;
  time_point when_;
  std::uint64_t order_ = 0;
};

/// Timers sorted by deadline, in a binary heap; equal deadlines fire in the order they were
/// scheduled. Reads no clock: `run` is told the time. Used by one thread.
class timer_queue {
public:
  timer_queue() = default;
  timer_queue(const timer_queue&) = delete;
  timer_queue& operator=(const timer_queue&) = delete;
  ~timer_queue();

  /// Starts `what`, or moves it when it already runs.
  void schedule(timer& what, time_point when);

  /// Starts, moves or stops `what` so that it fires at `when`.
  void schedule(timer& what, deadline when);

  [[nodiscard]] deadline next() const noexcept;

  /// Fires all timers that are due at `now`, but none that a fired one schedules meanwhile for the
  /// same time. Returns how many fired.
  std::size_t run(time_point now);

  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

private:
  friend class timer;

  void remove(timer& what) noexcept;
  void place(std::size_t index, timer* what) noexcept;
  void sift_up(std::size_t index) noexcept;
  void sift_down(std::size_t index) noexcept;
  static bool before(const timer& x, const timer& y) noexcept;

  std::vector<timer*> heap_;
  std::uint64_t next_order_ = 0;
};

}  // namespace taps
