#pragma once

#include "taps/core/base/error.hpp"
#include "taps/core/base/time.hpp"
#include "taps/core/racing/racing_options.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace taps {

// The race decides which candidates are tried when, and which one wins. It owns no socket, timer or
// actor: whoever runs it feeds inputs with the current time, performs the actions that come back,
// in order, and calls `on_timer` at `next_deadline()`.
//
//              start           offer of leaves
//     idle ------------> waiting ------------> racing ---- ready ----> won
//                           |  ^                |  |
//                           |  '-- last attempt |  '-- last attempt failed, nothing left
//                           |      failed, more |      or timeout -----------------> failed
//                           |      may come ----'
//                           '-- nothing to try, or timeout ------------------------> failed
//
// Whoever does not want it any more drops the race.
//
// Why pull the next attempt forward on *any* failure, also while others still run: a failure is
// news, and waiting for the stagger after it only delays the user (RFC 8305, section 5). The
// stagger starts anew with the attempt that was pulled forward.

/// The shell's name for a leaf of the candidate tree.
using leaf_id = std::uint32_t;

/// Where in the tree a leaf branches off from its predecessor in the order: paths wait longer.
enum class delay_class : std::uint8_t { endpoint, protocol, path };

/// One candidate of a race.
struct race_leaf {
  leaf_id id = 0;
  delay_class delay = delay_class::endpoint;

  friend bool operator==(const race_leaf&, const race_leaf&) = default;
};

enum class race_state : std::uint8_t {
  /// Not started.
  idle,
  /// Nothing runs and nothing can be started, but names are still being resolved.
  waiting,
  /// At least one attempt runs.
  racing,
  /// Terminal: an attempt became ready, the others are cancelled.
  won,
  /// Terminal: no attempt can succeed any more, or the timeout has passed.
  failed,
};

enum class race_input : std::uint8_t { start, offer, ready, failed, timer };

/// What an input does in a state; `race::reaction_to` is the table.
enum class race_reaction : std::uint8_t {
  begin,
  take_offer,
  win,
  advance,
  tick,
  /// Legal, without effect: news that crossed an action on its way.
  ignore,
  /// A bug of the shell: an assertion fails; without assertions there is no effect.
  refuse,
};

[[nodiscard]] std::string_view to_string(race_state state) noexcept;
[[nodiscard]] std::string_view to_string(race_input input) noexcept;
[[nodiscard]] std::string_view to_string(race_reaction reaction) noexcept;

/// What the shell has to do.
struct race_action {
  enum class kind : std::uint8_t {
    /// Start an attempt for `leaf`.
    start_attempt,
    /// Drop the running attempt of `leaf`; whatever it still reports is ignored.
    cancel_attempt,
    /// Terminal: `leaf` won. Comes after all cancellations.
    succeeded,
    /// Terminal: `reason` says why. Comes after all cancellations.
    failed,
  };

  kind what = kind::start_attempt;
  leaf_id leaf = 0;
  error reason{};

  [[nodiscard]] bool terminal() const noexcept { return what >= kind::succeeded; }
};

/// Returns e.g. `"start 3"`.
[[nodiscard]] std::string to_string(const race_action& action);

using race_actions = std::vector<race_action>;

/// The race machine: staggered, simultaneous or failover racing of opaque leaves (RFC 9623, section
/// 4.3; RFC 8305, section 5). Exactly one terminal action, unless the race is just dropped. An
/// attempt that fails while its start is being performed is fed back after all actions of the list
/// have been performed. Used by one thread.
class race {
public:
  explicit race(racing_options options = {}) noexcept;

  // -- inputs ------------------------------------------------------------------

  /// Begins the establishment. `timeout` is absolute and spans everything to come.
  race_actions on_start(time_point now, deadline timeout = {});

  /// Replaces the untried leaves by `untried`, in order; leaves that were started already and
  /// repetitions are skipped. `more_to_come` keeps a race without attempts alive: call again,
  /// perhaps without leaves, when that ends. `why_none` is the reason reported if nothing was ever
  /// tried.
  race_actions on_offer(time_point now, std::span<const race_leaf> untried, bool more_to_come,
                        const error& why_none = {});

  /// The whole stack of `leaf` is ready.
  race_actions on_ready(time_point now, leaf_id leaf);

  /// The attempt of `leaf` has failed; why is the report's business.
  race_actions on_failed(time_point now, leaf_id leaf);

  /// Time has passed. May be called at any time, early and late.
  race_actions on_timer(time_point now);

  // -- properties --------------------------------------------------------------

  /// Returns when `on_timer` must be called, if nothing else happens before.
  [[nodiscard]] deadline next_deadline() const noexcept;

  [[nodiscard]] race_state state() const noexcept { return state_; }
  [[nodiscard]] bool over() const noexcept { return state_ >= race_state::won; }
  [[nodiscard]] const racing_options& options() const noexcept { return options_; }
  [[nodiscard]] std::size_t started() const noexcept { return attempts_.size(); }
  [[nodiscard]] std::size_t running() const noexcept { return running_; }

  /// Leaves that can still be started; those beyond `max_attempts` do not count.
  [[nodiscard]] std::size_t startable() const noexcept;

  [[nodiscard]] static race_reaction reaction_to(race_state state, race_input input) noexcept;

private:
  struct attempt {
    leaf_id leaf = 0;
    bool running = false;
  };

  struct event {
    race_input input = race_input::timer;
    time_point now{};
    leaf_id leaf = 0;
    std::span<const race_leaf> untried{};
    bool more_to_come = false;
    const error* why_none = nullptr;
    deadline timeout{};
  };

  race_actions dispatch(const event& ev);

  void take_offer(const event& ev, race_actions& out);
  void win(const event& ev, race_actions& out);
  void advance(const event& ev, race_actions& out);
  void tick(const event& ev, race_actions& out);

  /// Starts what is due at `now`; then settles the state.
  void proceed(time_point now, race_actions& out);
  void start_next(time_point now, race_actions& out);
  void finish(race_state state, race_action last, race_actions& out);

  [[nodiscard]] attempt* find_running(leaf_id leaf) noexcept;
  [[nodiscard]] bool was_started(leaf_id leaf) const noexcept;
  [[nodiscard]] deadline next_start() const noexcept;
  /// True if the next leaf need not wait; only for staggered races with something startable.
  [[nodiscard]] bool is_due(time_point now) const noexcept;
  [[nodiscard]] error timeout_error(time_point now) const;
  [[nodiscard]] error exhausted_error() const;

  racing_options options_;
  race_state state_ = race_state::idle;
  bool more_to_come_ = true;
  error why_none_;
  std::vector<race_leaf> untried_;
  std::size_t next_untried_ = 0;
  std::vector<attempt> attempts_;
  std::size_t running_ = 0;
  time_point started_at_{};
  deadline timeout_;
  /// What the stagger counts from; absent when the next attempt is due at once.
  deadline last_start_;
};

}  // namespace taps
