#pragma once

#include "taps/core/base/buffer_pool.hpp"
#include "taps/core/base/time.hpp"
#include "taps/core/base/timer_queue.hpp"
#include "taps/core/candidate/stack.hpp"
#include "taps/core/path/network.hpp"
#include "taps/core/transport/protocol.hpp"
#include "taps/core/transport/resolver.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/execution_unit.hpp>
#include <caf/resumable.hpp>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace taps {

class owner_watch;
class shard;

using shard_ptr = std::shared_ptr<shard>;

/// Something that does its work at the end of a turn of its shard's loop, when it asked for it.
class serviced {
public:
  virtual void on_service() = 0;

protected:
  serviced() = default;
  serviced(const serviced&) = delete;
  serviced& operator=(const serviced&) = delete;
  virtual ~serviced() = default;

private:
  friend class shard;
  /// Position in the list, plus one; 0 for none.
  std::size_t position_ = 0;
};

class connection_actor;

/// An actor that owns descriptors of a shard.
class resident {
public:
  /// The transport services shut down: end in order if you can, or at once.
  virtual void on_shutdown(bool at_once) = 0;
  /// The host's links changed.
  virtual void on_links_changed(const network& before, const network& after);
  /// Returns the Connection this is; null for others.
  virtual connection_actor* as_connection() noexcept { return nullptr; }

protected:
  ~resident() = default;
};

/// One thread's share of Tapline: its actors, its timers, its protocols, its memory. Derived
/// classes supply the thread and its clock, or simulate them. Unless said otherwise, members are
/// for the shard's own thread.
class shard : public std::enable_shared_from_this<shard> {
public:
  explicit shard(caf::actor_system& system);
  shard(const shard&) = delete;
  shard& operator=(const shard&) = delete;
  virtual ~shard();

  /// The shard whose thread this is; null on other threads.
  [[nodiscard]] static shard* current() noexcept;
  [[nodiscard]] bool is_current() const noexcept { return current() == this; }

  // -- what the environment supplies -----------------------------------------------------

  [[nodiscard]] virtual time_point now() const = 0;
  [[nodiscard]] virtual timer_queue& timers() = 0;
  /// Where this shard's actors put outbound data.
  [[nodiscard]] virtual arena& memory() = 0;
  [[nodiscard]] virtual resolver& names() = 0;
  [[nodiscard]] virtual const std::vector<std::unique_ptr<transport>>& transports() const = 0;

  /// What the host's links are, as of the last look.
  [[nodiscard]] const network_ptr& links() const noexcept { return links_; }
  /// Takes note of links that changed, and has residents take note. Never null.
  void set_links(network_ptr links);

  /// Every protocol stack that the transports allow. Made once.
  [[nodiscard]] const std::vector<protocol_stack>& stacks();
  /// Returns the transport behind a stack. @pre the stack is one of `stacks()`
  [[nodiscard]] transport& transport_of(const protocol_stack& stack) const;

  // -- scheduling -------------------------------------------------------------------------

  [[nodiscard]] caf::actor_system& system() const noexcept { return system_; }

  /// What pinned actors are enqueued to: any thread.
  [[nodiscard]] caf::execution_unit* arrivals() noexcept { return &arrivals_; }
  /// What pinned actors run with, so that what they send to and spawn runs elsewhere.
  [[nodiscard]] caf::execution_unit* departures() noexcept { return &departures_; }

  /// Runs `task` on the shard's thread; drops it when the thread has ended. Any thread.
  void post(std::function<void()> task);

  /// Has `who.on_service()` called at the end of the turn.
  void request_service(serviced& who);
  void cancel_service(serviced& who) noexcept;

  // -- who lives here ---------------------------------------------------------------------------

  /// Keeps an actor alive that owns descriptors, until it is released.
  void adopt(caf::strong_actor_ptr who, resident& implementation);
  void release(const caf::actor_control_block* who);
  /// Returns the implementation of an actor that lives here; null for strangers.
  [[nodiscard]] resident* find_resident(const caf::actor_control_block* who) const noexcept {
    if (who == last_found_)
      return last_resident_;
    auto i = residents_.find(who);
    if (i == residents_.end())
      return nullptr;
    last_found_ = who;
    return last_resident_ = i->second.implementation;
  }
  /// Counts who owns descriptors; any thread.
  [[nodiscard]] std::size_t num_residents() const noexcept {
    return num_residents_.load(std::memory_order_acquire);
  }
  /// Calls `f` with each resident; `f` may end them.
  void for_each_resident(const std::function<void(resident&)>& f) const;

  /// Counts pinned actors that have not ended; any thread.
  void count_actor(int change) noexcept { alive_.fetch_add(change, std::memory_order_acq_rel); }
  [[nodiscard]] int num_actors() const noexcept { return alive_.load(std::memory_order_acquire); }

  [[nodiscard]] owner_watch& owners() noexcept { return *owners_; }

protected:
  /// Makes the loop take notice of work from elsewhere. Any thread.
  virtual void wake() noexcept = 0;

  /// Declares the calling thread this shard's, or nobody's any more.
  void enter_thread() noexcept;
  void leave_thread() noexcept;

  /// One turn: tasks, services, and a bounded number of mailboxes. Returns whether work is left.
  bool run_turn();

  /// For the end, when no thread runs the loop any more: ends the actors that are still queued
  /// or own descriptors, and from now on those that anyone enqueues. They would never run, and an
  /// actor system waits for all its actors.
  void drop_queued();

private:
  class arrivals_unit final : public caf::execution_unit {
  public:
    arrivals_unit(caf::actor_system& system, shard& owner)
        : caf::execution_unit(&system), owner_(owner) {}
    void exec_later(caf::resumable* what) override { owner_.enqueue(what); }

  private:
    shard& owner_;
  };

  class departures_unit final : public caf::execution_unit {
  public:
    using caf::execution_unit::execution_unit;
    void exec_later(caf::resumable* what) override;
  };

  struct tenancy {
    caf::strong_actor_ptr handle;
    resident* implementation;
  };

  void enqueue(caf::resumable* what);
  void end_queued(std::unique_lock<std::mutex> guard);
  void take_remote();
  void run_services();
  void run_mailboxes();

  caf::actor_system& system_;
  arrivals_unit arrivals_;
  departures_unit departures_;
  std::deque<caf::resumable*> queue_;
  std::vector<serviced*> services_;
  std::unordered_map<const caf::actor_control_block*, tenancy> residents_;
  /// The last look-up: handlers mostly talk to the Connection whose event they handle.
  mutable const caf::actor_control_block* last_found_ = nullptr;
  mutable resident* last_resident_ = nullptr;
  std::unique_ptr<owner_watch> owners_;
  std::vector<protocol_stack> stacks_;
  network_ptr links_ = std::make_shared<const network>();

  std::atomic<int> alive_{0};
  std::mutex mutex_;
  /// Guarded by `mutex_`.
  std::vector<caf::resumable*> remote_;
  std::vector<std::function<void()>> tasks_;
  /// Something is in `remote_` or `tasks_`.
  std::atomic<bool> has_remote_{false};
  /// Nobody runs the loop any more; guarded by `mutex_`, like the next.
  bool closed_ = false;
  /// Some thread ends what is queued, and will see what is added.
  bool ending_ = false;
  /// Size of `residents_`, for other threads.
  std::atomic<std::size_t> num_residents_{0};
};

}  // namespace taps
