#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace taps {

// Where a Connection is between Initiate and its terminal event:
//
//                 ready               close             drained          stopped
// establishing ----------> established -----> flushing ---------> stopping -------> finishing
//    |    |                                    ^                                        |
//    |    '-- close, Sends queued -> closing_early (on ready: announces it)             | closed
//    |                                                                                  v
//    '-- failed; close with nothing queued -----------------------------------------> ended
//                            abort or failure, from any state ------------------------^
//
// RFC 9622 knows four of these (section 11): `closing_early` is Establishing there, and `flushing`,
// `stopping` and `finishing` are Closing.

/// The states of that diagram.
enum class lifecycle_state : std::uint8_t {
  establishing,
  /// Close came while Sends were queued: they go out first.
  closing_early,
  established,
  /// Queued Sends go out.
  flushing,
  /// The framers say good-bye.
  stopping,
  /// The protocol closes.
  finishing,
  ended,
};
inline constexpr std::size_t num_lifecycle_states = 7;

enum class lifecycle_input : std::uint8_t {
  ready,
  establishment_failed,
  /// Close with nothing queued, or with Sends queued.
  close_empty,
  close_queued,
  abort,
  /// All queued Sends have left.
  drained,
  /// The framers are done, and what they wrote has left.
  stopped,
  /// The protocol ended in order, or failed.
  closed,
  failed,
};
inline constexpr std::size_t num_lifecycle_inputs = 9;

/// What a transition asks for; a set of bits, carried out in this order.
enum class lifecycle_action : std::uint16_t {
  none = 0,
  announce_ready = 1,
  cancel_establishment = 2,
  abort_protocol = 4,
  /// Sends get SendError; Receives their rest or ReceiveError.
  fail_sends = 8,
  end_receives = 16,
  stop_framers = 32,
  close_protocol = 64,
  announce_establishment_error = 128,
  announce_connection_error = 256,
  announce_closed = 512,
};

constexpr lifecycle_action operator|(lifecycle_action x, lifecycle_action y) noexcept {
  return static_cast<lifecycle_action>(static_cast<unsigned>(x) | static_cast<unsigned>(y));
}

constexpr bool has(lifecycle_action set, lifecycle_action what) noexcept {
  return (static_cast<unsigned>(set) & static_cast<unsigned>(what)) != 0;
}

struct lifecycle_step {
  lifecycle_state next;
  lifecycle_action actions;
};

/// The transition for an input; inputs that have no meaning in a state change nothing.
[[nodiscard]] lifecycle_step step(lifecycle_state state, lifecycle_input input) noexcept;

[[nodiscard]] std::string_view to_string(lifecycle_state state) noexcept;
[[nodiscard]] std::string_view to_string(lifecycle_input input) noexcept;
/// Returns the names of the actions, separated by `+`.
[[nodiscard]] std::string to_string(lifecycle_action actions);

}  // namespace taps
