#include "taps/core/racing/race.hpp"

#include "taps/core/racing/duration_text.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <string>
#include <utility>

namespace taps {

namespace {

using enum race_reaction;
using row = std::array<race_reaction, 5>;

constexpr std::array<row, 5> reactions{{
    //            start   offer       ready   failed   timer
    /* idle    */ {begin, refuse, refuse, refuse, ignore},
    // Nothing runs, so what attempts report is late: a failure told twice, say by the attempt and
    // by its monitor, or success after a failure.
    /* waiting */ {refuse, take_offer, ignore, ignore, tick},
    /* racing  */ {refuse, take_offer, win, advance, tick},
    // After the end all is late but legal: losers report until their cancellation reaches them,
    // names get resolved and timers fire.
    /* won     */ {refuse, ignore, ignore, ignore, ignore},
    /* failed  */ {refuse, ignore, ignore, ignore, ignore},
}};

std::string count_text(std::size_t n, std::string_view noun) {
  return std::to_string(n) + " " + std::string{noun} + (n == 1 ? "" : "s");
}

}  // namespace

// -- names ---------------------------------------------------------------------

std::string_view to_string(race_state state) noexcept {
  constexpr std::array<std::string_view, 5> names{"idle", "waiting", "racing", "won", "failed"};
  return names[static_cast<std::size_t>(state)];
}

std::string_view to_string(race_input input) noexcept {
  constexpr std::array<std::string_view, 5> names{"start", "offer", "ready", "failed", "timer"};
  return names[static_cast<std::size_t>(input)];
}

std::string_view to_string(race_reaction reaction) noexcept {
  constexpr std::array<std::string_view, 7> names{"begin", "take_offer", "win",   "advance",
                                                  "tick",  "ignore",     "refuse"};
  return names[static_cast<std::size_t>(reaction)];
}

std::string to_string(const race_action& action) {
  switch (action.what) {
  case race_action::kind::start_attempt:
    return "start " + std::to_string(action.leaf);
  case race_action::kind::cancel_attempt:
    return "cancel " + std::to_string(action.leaf);
  case race_action::kind::succeeded:
    return "succeeded " + std::to_string(action.leaf);
  case race_action::kind::failed:
    return "failed " + to_string(action.reason);
  }
  return "unknown";
}

// -- inputs --------------------------------------------------------------------

race::race(racing_options options) noexcept : options_(clamped(options)) {}

race_actions race::on_start(time_point now, deadline timeout) {
  return dispatch({.input = race_input::start, .now = now, .timeout = timeout});
}

race_actions race::on_offer(time_point now, std::span<const race_leaf> untried, bool more_to_come,
                            const error& why_none) {
  return dispatch({.input = race_input::offer,
                   .now = now,
                   .untried = untried,
                   .more_to_come = more_to_come,
                   .why_none = &why_none});
}

race_actions race::on_ready(time_point now, leaf_id leaf) {
  return dispatch({.input = race_input::ready, .now = now, .leaf = leaf});
}

race_actions race::on_failed(time_point now, leaf_id leaf) {
  return dispatch({.input = race_input::failed, .now = now, .leaf = leaf});
}

race_actions race::on_timer(time_point now) {
  return dispatch({.input = race_input::timer, .now = now});
}

race_reaction race::reaction_to(race_state state, race_input input) noexcept {
  return reactions[static_cast<std::size_t>(state)][static_cast<std::size_t>(input)];
}

// -- reactions -----------------------------------------------------------------

race_actions race::dispatch(const event& ev) {
  race_actions out;
  switch (reaction_to(state_, ev.input)) {
  case race_reaction::begin:
    started_at_ = ev.now;
    timeout_ = ev.timeout;
    state_ = race_state::waiting;
    break;
  case race_reaction::take_offer:
    take_offer(ev, out);
    break;
  case race_reaction::win:
    win(ev, out);
    break;
  case race_reaction::advance:
    advance(ev, out);
    break;
  case race_reaction::tick:
    tick(ev, out);
    break;
  case race_reaction::ignore:
    break;
  case race_reaction::refuse:
    assert(!"input in a state that cannot have it");
    break;
  }
  return out;
}

void race::take_offer(const event& ev, race_actions& out) {
  more_to_come_ = ev.more_to_come;
  if (*ev.why_none)
    why_none_ = *ev.why_none;
  untried_.clear();
  next_untried_ = 0;
  for (const auto& leaf : ev.untried) {
    auto same = [&](const race_leaf& x) { return x.id == leaf.id; };
    if (!was_started(leaf.id) && std::ranges::none_of(untried_, same))
      untried_.push_back(leaf);
  }
  proceed(ev.now, out);
}

void race::win(const event& ev, race_actions& out) {
  auto* winner = find_running(ev.leaf);
  if (winner == nullptr)
    return;
  winner->running = false;
  --running_;
  finish(race_state::won, {.what = race_action::kind::succeeded, .leaf = ev.leaf}, out);
}

void race::advance(const event& ev, race_actions& out) {
  auto* loser = find_running(ev.leaf);
  if (loser == nullptr)
    return;
  loser->running = false;
  --running_;
  last_start_.reset();
  proceed(ev.now, out);
}

void race::tick(const event& ev, race_actions& out) {
  if (timeout_ && *timeout_ <= ev.now) {
    finish(race_state::failed, {.what = race_action::kind::failed, .reason = timeout_error(ev.now)},
           out);
    return;
  }
  proceed(ev.now, out);
}

void race::proceed(time_point now, race_actions& out) {
  switch (options_.mode) {
  case racing_mode::simultaneous:
    while (startable() > 0)
      start_next(now, out);
    break;
  case racing_mode::staggered:
    if (startable() > 0 && is_due(now))
      start_next(now, out);
    break;
  case racing_mode::failover:
    if (running_ == 0 && startable() > 0)
      start_next(now, out);
    break;
  }
  if (running_ > 0)
    state_ = race_state::racing;
  else if (more_to_come_ && attempts_.size() < options_.max_attempts)
    state_ = race_state::waiting;
  else
    finish(race_state::failed, {.what = race_action::kind::failed, .reason = exhausted_error()},
           out);
}

void race::start_next(time_point now, race_actions& out) {
  auto leaf = untried_[next_untried_++].id;
  attempts_.push_back({leaf, true});
  ++running_;
  last_start_ = now;
  out.push_back({.what = race_action::kind::start_attempt, .leaf = leaf});
}

void race::finish(race_state state, race_action last, race_actions& out) {
  for (auto& x : attempts_) {
    if (std::exchange(x.running, false))
      out.push_back({.what = race_action::kind::cancel_attempt, .leaf = x.leaf});
  }
  running_ = 0;
  state_ = state;
  out.push_back(std::move(last));
}

// -- properties ----------------------------------------------------------------

deadline race::next_deadline() const noexcept {
  if (state_ == race_state::idle || over())
    return {};
  return sooner(timeout_, next_start());
}

std::size_t race::startable() const noexcept {
  return std::min(untried_.size() - next_untried_, options_.max_attempts - attempts_.size());
}

deadline race::next_start() const noexcept {
  if (options_.mode != racing_mode::staggered || startable() == 0 || !last_start_)
    return {};
  auto is_path = untried_[next_untried_].delay == delay_class::path;
  return *last_start_ + (is_path ? options_.path_delay : options_.attempt_delay);
}

bool race::is_due(time_point now) const noexcept {
  auto due = next_start();
  return !due || *due <= now;
}

race::attempt* race::find_running(leaf_id leaf) noexcept {
  auto same = [&](const attempt& x) { return x.leaf == leaf && x.running; };
  auto i = std::ranges::find_if(attempts_, same);
  return i != attempts_.end() ? &*i : nullptr;
}

bool race::was_started(leaf_id leaf) const noexcept {
  return std::ranges::any_of(attempts_, [&](const attempt& x) { return x.leaf == leaf; });
}

error race::timeout_error(time_point now) const {
  auto text = "not established within " + duration_text(now - started_at_) + ": ";
  if (attempts_.empty())
    return {errc::establishment_failed, text + "still resolving names"};
  text += count_text(attempts_.size(), "attempt") + " made, " + std::to_string(running_) +
          " unfinished";
  if (auto left = untried_.size() - next_untried_; left > 0)
    text += ", " + count_text(left, "candidate") + " untried";
  return {errc::establishment_failed, text};
}

error race::exhausted_error() const {
  if (attempts_.empty())
    return why_none_ ? why_none_ : error{errc::no_candidates, "there is no candidate to try"};
  auto text = "all " + count_text(attempts_.size(), "attempt") + " failed";
  if (attempts_.size() == 1)
    text = "the only attempt failed";
  if (auto left = untried_.size() - next_untried_; left > 0)
    text += ", " + count_text(left, "candidate") + " untried because of the limit";
  return {errc::establishment_failed, text};
}

}  // namespace taps
