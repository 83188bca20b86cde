#include "taps/core/connection/lifecycle.hpp"

#include <array>

namespace taps {

namespace {

using state = lifecycle_state;
using input = lifecycle_input;
using action = lifecycle_action;

struct row {
  state from;
  input on;
  state to;
  action actions;
};

constexpr auto give_up = action::fail_sends | action::end_receives;
constexpr auto error_out = give_up | action::announce_connection_error;
constexpr auto abort_all = action::abort_protocol | error_out;

constexpr std::array table{
    row{state::establishing, input::ready, state::established, action::announce_ready},
    row{state::establishing, input::establishment_failed, state::ended,
        action::fail_sends | action::announce_establishment_error},
    row{state::establishing, input::close_empty, state::ended,
        action::cancel_establishment | action::announce_closed},
    row{state::establishing, input::close_queued, state::closing_early, action::none},
    row{state::establishing, input::abort, state::ended,
        action::cancel_establishment | action::fail_sends | action::announce_connection_error},

    row{state::closing_early, input::ready, state::flushing,
        action::announce_ready | action::end_receives},
    row{state::closing_early, input::establishment_failed, state::ended,
        action::fail_sends | action::announce_establishment_error},
    row{state::closing_early, input::abort, state::ended,
        action::cancel_establishment | action::fail_sends | action::announce_connection_error},

    row{state::established, input::close_empty, state::flushing, action::end_receives},
    row{state::established, input::close_queued, state::flushing, action::end_receives},
    row{state::established, input::abort, state::ended, abort_all},
    row{state::established, input::closed, state::ended, give_up | action::announce_closed},
    row{state::established, input::failed, state::ended, error_out},

    row{state::flushing, input::drained, state::stopping, action::stop_framers},
    row{state::flushing, input::abort, state::ended, abort_all},
    row{state::flushing, input::closed, state::ended, give_up | action::announce_closed},
    row{state::flushing, input::failed, state::ended, error_out},

    row{state::stopping, input::stopped, state::finishing, action::close_protocol},
    row{state::stopping, input::abort, state::ended, abort_all},
    row{state::stopping, input::closed, state::ended, give_up | action::announce_closed},
    row{state::stopping, input::failed, state::ended, error_out},

    row{state::finishing, input::abort, state::ended, abort_all},
    row{state::finishing, input::closed, state::ended, action::announce_closed},
    row{state::finishing, input::failed, state::ended, error_out},
};

/// The table by state and input; what is not in it changes nothing.
constexpr auto steps = [] {
  std::array<std::array<lifecycle_step, num_lifecycle_inputs>, num_lifecycle_states> result{};
  for (std::size_t from = 0; from < num_lifecycle_states; ++from)
    result[from].fill({static_cast<state>(from), action::none});
  for (const auto& x : table)
    result[static_cast<std::size_t>(x.from)][static_cast<std::size_t>(x.on)] = {x.to, x.actions};
  return result;
}();

constexpr std::array<std::string_view, num_lifecycle_states> state_names{
    "establishing", "closing_early", "established", "flushing", "stopping", "finishing", "ended"};

constexpr std::array<std::string_view, num_lifecycle_inputs> input_names{
    "ready",       "establishment_failed",
    "close_empty", "close_queued",
    "abort",       "drained",
    "stopped",     "closed",
    "failed"};

constexpr std::array<std::string_view, 10> action_names{"announce_ready",
                                                        "cancel_establishment",
                                                        "abort_protocol",
                                                        "fail_sends",
                                                        "end_receives",
                                                        "stop_framers",
                                                        "close_protocol",
                                                        "announce_establishment_error",
                                                        "announce_connection_error",
                                                        "announce_closed"};

}  // namespace

lifecycle_step step(lifecycle_state from, lifecycle_input on) noexcept {
  return steps[static_cast<std::size_t>(from)][static_cast<std::size_t>(on)];
}

std::string_view to_string(lifecycle_state x) noexcept {
  return state_names[static_cast<std::size_t>(x)];
}

std::string_view to_string(lifecycle_input x) noexcept {
  return input_names[static_cast<std::size_t>(x)];
}

std::string to_string(lifecycle_action actions) {
  std::string result;
  for (std::size_t i = 0; i < action_names.size(); ++i) {
    if (!has(actions, static_cast<action>(1u << i)))
      continue;
    if (!result.empty())
      result += '+';
    result += action_names[i];
  }
  return result.empty() ? "none" : result;
}

}  // namespace taps
