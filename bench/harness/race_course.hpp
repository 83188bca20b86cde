#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace bench {

/// What `method::time_to_ready` runs on: a server at one address, silence at the other.
struct race_course {
  /// IPv6, so every racer tries it first. Packets to it vanish.
  std::string dead = "2001:db8::dead";
  std::string live = "127.0.0.1";
  std::uint16_t port = 0;
  /// From the first attempt to the second, for those who race.
  std::chrono::milliseconds attempt_delay{250};
};

/// Moves this process, which has one thread yet, into a network of its own that is such a course,
/// and starts a thread that serves. Throws `std::runtime_error` with what stands in the way.
race_course enter_race_course();

}  // namespace bench
