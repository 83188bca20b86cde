#pragma once

#include "taps/actors/shard.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/detail/sync_request_bouncer.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/monitorable_actor.hpp>
#include <caf/scheduled_actor.hpp>

#include <utility>

namespace taps {

/// What became of a direct delivery.
enum class delivery_result {
  /// The handler ran.
  done,
  /// It ran and ended the actor.
  ended,
  /// The actor skipped the message: it must get it by mailbox, made anew.
  skipped,
  /// Not possible now; nothing happened. The mailbox must be used.
  not_now,
};

/// The part of a pinned actor that does not depend on its type.
class pinned_base {
public:
  explicit pinned_base(shard_ptr home) noexcept : shard_(std::move(home)) {}
  virtual ~pinned_base() = default;

  [[nodiscard]] shard& home() const noexcept { return *shard_; }
  [[nodiscard]] const shard_ptr& home_ptr() const noexcept { return shard_; }

  /// Runs the handler for `what` now if that is the same as sending it: the actor has nothing else
  /// to do and nothing it awaits. Only on the shard's thread and only from the top of its loop.
  virtual delivery_result try_deliver(caf::mailbox_element& what) = 0;

  /// Returns the pinned part of an actor; null for other actors and those of other nodes.
  static pinned_base* of(const caf::actor_control_block* who) noexcept;

private:
  shard_ptr shard_;
};

/// Whether an actor may ever ask CAF's clock for anything: `delayed_send`, a time-out of a request
/// or of a behavior.
enum class caf_clock { used, unused };

/// Ties an event-based actor to a shard for life: all its messages are handled on the shard's
/// thread, and what it sends to others goes to their own schedulers.
template<class Base, caf_clock Clock = caf_clock::used>
class pinned : public Base, public pinned_base {
public:
  template<class... Ts>
  pinned(caf::actor_config& cfg, shard_ptr home, Ts&&... xs)
      : Base(cfg, std::forward<Ts>(xs)...), pinned_base(std::move(home)) {
    this->home().count_actor(1);
  }

  using Base::enqueue;

  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) override {
    Base::enqueue(std::move(what), home().arrivals());
  }

  void launch(caf::execution_unit*, bool lazy, bool hide) override {
    Base::launch(home().arrivals(), lazy, hide);
  }

  bool cleanup(caf::error&& reason, caf::execution_unit* host) override {
    bool first;
    if constexpr (Clock == caf_clock::unused)
      first = clean_up_quietly(std::move(reason), host);
    else
      first = Base::cleanup(std::move(reason), host);
    if (first)
      home().count_actor(-1);
    return first;
  }

  delivery_result try_deliver(caf::mailbox_element& what) override {
    // During a direct delivery the mailbox stays blocked, hence `busy_`.
    if (busy_ || !idle())
      return delivery_result::not_now;
    caf::strong_actor_ptr guard{this->ctrl()};
    busy_ = true;
    auto result = run_handler(what);
    busy_ = false;
    return result;
  }

  /// True when a direct call cannot overtake anything: no message waits, runs or was skipped.
  [[nodiscard]] bool idle() {
    // An idle CAF mailbox is "blocked"; it is not while it is empty but scheduled, running or
    // closed.
    return this->mailbox().blocked() && this->awaited_responses_.empty() &&
           this->get_normal_queue().cache().empty() && this->get_urgent_queue().cache().empty();
  }

protected:
  /// Runs code of this actor for a socket event, a timer or a direct call. All such code goes
  /// through here: a `quit` outside would leave a zombie. Returns whether the actor still lives.
  template<class F>
  bool enter(F f) {
    caf::strong_actor_ptr guard{this->ctrl()};
    if (this->getf(caf::abstract_actor::is_cleaned_up_flag))
      return false;
    this->context(home().departures());
    const auto within = std::exchange(busy_, true);
    try {
      f();
    } catch (...) {
      auto what = std::current_exception();
      this->quit(this->call_handler(this->exception_handler_, this, what));
    }
    busy_ = within;
    if (within || !this->getf(caf::abstract_actor::is_shutting_down_flag))
      return true;
    this->bhvr_stack_.cleanup();
    return !this->finalize();
  }

private:
  /// A handler without result: its value would be an answer, and nobody asked.
  struct ignore_result final : caf::detail::invoke_result_visitor {
    void operator()() override {}
    void operator()(caf::error&) override {}
    void operator()(caf::message&) override {}
    void operator()(const caf::none_t&) override {}
  };

  /// What CAF's own clean-up does for actors without streams, except that it does not tell the
  /// clock to forget their time-outs: that wakes the clock's thread each time, which costs more
  /// than everything else that the end of an actor takes.
  bool clean_up_quietly(caf::error&& reason, caf::execution_unit* host) {
    this->awaited_responses_.clear();
    this->multiplexed_responses_.clear();
    if (auto& mailbox = this->mailbox(); !mailbox.closed()) {
      mailbox.close();
      this->get_normal_queue().flush_cache();
      this->get_urgent_queue().flush_cache();
      caf::detail::sync_request_bouncer bounce{reason};
      while (mailbox.queue().new_round(1000, bounce).consumed_items > 0) {
        // Each request gets its answer.
      }
    }
    this->unregister_from_system();
    return caf::monitorable_actor::cleanup(std::move(reason), host);
  }

  delivery_result run_handler(caf::mailbox_element& what) {
    using flags = caf::abstract_actor;
    this->context(home().departures());
    if (this->getf(flags::is_initialized_flag) && !this->getf(flags::has_timeout_flag) &&
        !this->bhvr_stack_.empty()) {
      // The short way past CAF's bookkeeping for kinds of messages that these are not.
      if (invoke(what)) {
        this->current_mailbox_element(nullptr);
        this->bhvr_stack_.cleanup();
        if ((this->getf(flags::is_shutting_down_flag) || this->bhvr_stack_.empty()) &&
            this->finalize())
          return delivery_result::ended;
        return delivery_result::done;
      }
    }
    using result = caf::scheduled_actor::activation_result;
    switch (this->activate(home().departures(), what)) {
    case result::terminated:
      return delivery_result::ended;
    case result::skipped:
      return delivery_result::skipped;
    default:
      return delivery_result::done;
    }
  }

  /// Returns whether a handler of the current behavior took the message.
  bool invoke(caf::mailbox_element& what) {
    this->current_mailbox_element(&what);
    ignore_result visitor;
    try {
      return this->bhvr_stack_.back()(visitor, what.content()) == caf::match_case::match;
    } catch (...) {
      auto failure = std::current_exception();
      this->quit(this->call_handler(this->exception_handler_, this, failure));
      return true;
    }
  }

  /// Code of this actor runs that its mailbox knows nothing of.
  bool busy_ = false;
};

/// Spawns a pinned actor on the calling thread's shard, and gives it no turn: it is started by a
/// call. Returns its handle and itself.
template<class Actor, class... Ts>
auto spawn_here(const shard_ptr& home, Ts&&... xs) {
  auto handle = home->system().template spawn<Actor, caf::lazy_init>(home, std::forward<Ts>(xs)...);
  auto* self = static_cast<Actor*>(caf::actor_cast<caf::abstract_actor*>(handle));
  return std::pair{std::move(handle), self};
}

}  // namespace taps
