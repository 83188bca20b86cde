#pragma once

#include "taps/core/base/buffer_pool.hpp"
#include "taps/core/base/timer_queue.hpp"
#include "taps/net/sys/kernel.hpp"

#include <atomic>
#include <vector>

namespace taps {

class reactor;

/// Something that waits for a descriptor. Belongs to one reactor and is used by its thread only.
class io_source {
public:
  io_source() = default;
  io_source(const io_source&) = delete;
  io_source& operator=(const io_source&) = delete;
  /// Leaves the reactor if still registered, also from inside its own call.
  virtual ~io_source();

  /// `events` as epoll reports them (EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP, EPOLLRDHUP).
  virtual void on_io(std::uint32_t events) = 0;

  /// Called by the `reactor::run_deferred` that follows `reactor::run_later` for this source.
  virtual void on_later() {}

private:
  friend class reactor;
  /// Set while the source is registered or to be called later.
  reactor* reactor_ = nullptr;
  int fd_ = -1;
  /// Position in the list of those to call later, plus one; 0 for none.
  std::size_t later_ = 0;
};

/// Waits for descriptors and timers, one per shard; no policy of its own. All members but `wake`
/// belong to one thread. Outlives the sources that are registered with it.
class reactor {
public:
  explicit reactor(sys::kernel& os = sys::linux_kernel());
  reactor(const reactor&) = delete;
  reactor& operator=(const reactor&) = delete;
  ~reactor();

  /// Returns what kept the constructor from getting its descriptors; a reactor that has none must
  /// not be polled.
  [[nodiscard]] result<void> check() const;

  // -- descriptors -------------------------------------------------------------------

  /// Starts to watch `fd` for `events`; callers choose edges (EPOLLET) or levels. A source watches
  /// one descriptor at a time.
  [[nodiscard]] result<void> add(int fd, std::uint32_t events, io_source& source);
  /// Changes what a registered source waits for.
  [[nodiscard]] result<void> modify(io_source& source, std::uint32_t events);
  /// Stops watching; events of this round that are still to come are dropped, a pending `on_later`
  /// is not. Call before closing the descriptor. No-op for a source that is not registered.
  void remove(io_source& source) noexcept;
  /// Like `remove`, for a descriptor that is closed right after and has no duplicate: closing it
  /// ends the watch as well, and a system call is saved.
  void retire(io_source& source) noexcept;

  /// Calls `source.on_later()` once, in the next `run_deferred`. The source need not be registered;
  /// destroying it cancels the call.
  void run_later(io_source& source);

  // -- the loop ------------------------------------------------------------------------

  /// Waits until an event or timer is due or `wake` is called; dispatches descriptors first, then
  /// timers. With `block` false, or sources to call later, only looks. Returns whether anything
  /// happened, `wake` included. Not to be called from inside a callback.
  bool poll(bool block);

  /// Calls what `run_later` collected, but nothing that these calls add; returns whether there was
  /// anything.
  bool run_deferred();

  /// Makes a blocked `poll` return, or the next one. Safe from any thread; coalesces. What the
  /// caller wrote before it is visible to the reactor's thread once `poll` has returned.
  void wake() noexcept;

  // -- services -------------------------------------------------------------------------

  /// The time of the current round: read once after each wait.
  [[nodiscard]] time_point now() const noexcept { return now_; }
  /// Counts the rounds, one per `poll`: sources can tell whether something happened in this one.
  [[nodiscard]] std::uint32_t round() const noexcept { return round_; }
  [[nodiscard]] timer_queue& timers() noexcept { return timers_; }
  [[nodiscard]] sys::kernel& os() noexcept { return *os_; }
  [[nodiscard]] buffer_pool& buffers() noexcept { return buffers_; }
  /// Where the sources of this reactor read into.
  [[nodiscard]] arena& inbound() noexcept { return inbound_; }
  /// How many sources are registered.
  [[nodiscard]] std::size_t num_sources() const noexcept { return num_sources_; }

private:
  friend class io_source;

  /// How many events one wait takes at most.
  static constexpr std::size_t max_events = 256;

  void forget(io_source& source) noexcept;
  void dispatch(epoll_event event);
  [[nodiscard]] int wait_limit() const;

  sys::kernel* os_;
  sys::descriptor epoll_;
  sys::descriptor wakeup_;
  time_point now_;
  std::uint32_t round_ = 0;
  timer_queue timers_;
  buffer_pool buffers_;
  arena inbound_{buffers_};
  std::vector<epoll_event> events_;
  /// The part of `events_` that this round has still to dispatch.
  std::size_t next_event_ = 0;
  std::size_t num_events_ = 0;
  std::vector<io_source*> later_;
  std::size_t num_sources_ = 0;
  /// The `errno` that the constructor ran into.
  int failure_ = 0;
  /// Whether the wakeup is on its way, so that others need not send it again.
  std::atomic<bool> woken_{false};
};

}  // namespace taps
