#pragma once

#include "taps/core/base/result.hpp"
#include "taps/core/racing/history.hpp"

#include <chrono>

namespace taps {

// The history as text, to be kept in a file. The first line tells the version; then each outcome is
// a line of seven words, the place used last at the end; '#' begins a comment:
//
//     tapline-history 1
//     # network  place  stack  outcome  times in a row  Unix time  handshake in microseconds
//     - example.com:443 STACK succeeded 12 1700000000 34567
//
// Words have %xx for spaces and other bytes that would break them; "-" stands for no network.

/// The time of day, which unlike `time_point` means something to the next process.
using wall_time = std::chrono::sys_seconds;

/// A moment on both clocks.
struct two_clocks {
  time_point now{};
  wall_time wall{};
};

[[nodiscard]] std::string write_history(std::span<const history_entry> entries,
                                        const two_clocks& at);

/// What could be read, and what not.
struct history_reading {
  std::vector<history_entry> entries;
  /// Names the first damaged line and their number; success if there was none.
  result<void> complete;
};

/// Reads what `write_history` wrote; `name` is for errors. Skips damaged lines, but reads nothing
/// of a version it does not know.
[[nodiscard]] history_reading read_history(std::string_view text, std::string_view name,
                                           const two_clocks& at);

/// Returns the history as lines for people.
[[nodiscard]] std::string to_string(std::span<const history_entry> entries, time_point now);

}  // namespace taps
