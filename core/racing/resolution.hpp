#pragma once

#include "taps/core/base/result.hpp"
#include "taps/core/base/time.hpp"
#include "taps/core/endpoint/ip_address.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace taps {

// When racing may begin although not all answers are in (RFC 8305, section 3):
//
//     idle -- start --> asking -- IPv6 addresses, or the last answer --> released / complete
//                       |    ^ \                                          ^   ^
//                       |    |  '-- IPv4 addresses, IPv6 unknown --> delaying
//                       |    |                                        |
//                       |    '-- one family has none                  '-- delay over, or IPv6
//                       answer
//                       '-- neither family has any --> failed
//
// IPv6 addresses that are all known to be dead wait like IPv4 ones: the other family is likely to
// have better ones.
//
// `released` still waits for one family, whose addresses are added to a running race; `complete`
// does not.

enum class resolution_state : std::uint8_t {
  /// Not started.
  idle,
  /// No usable answer; racing must wait.
  asking,
  /// Only IPv4 addresses; IPv6 gets a moment to catch up.
  delaying,
  /// Racing may run on what is there; one family is still being asked.
  released,
  /// Terminal: both families answered, at least one with addresses.
  complete,
  /// Terminal: there are no addresses.
  failed,
};

/// What an input changed; at most one thing.
enum class resolution_event : std::uint8_t {
  none,
  /// Ask for the IPv6 addresses, then for the IPv4 addresses, without waiting in between.
  ask,
  /// Racing may start with `addresses()`.
  released,
  /// The other family came late: `addresses()` has grown, racing goes on.
  added,
  /// The other family came late and empty: nothing more will come.
  exhausted,
  /// There are no addresses: `failure()`.
  failed,
};

[[nodiscard]] std::string_view to_string(resolution_state state) noexcept;
[[nodiscard]] std::string_view to_string(resolution_event event) noexcept;

/// The resolution of one name in both families. Does not ask anybody itself: the shell starts the
/// queries and brings the answers. Each family is answered once; further answers are ignored.
class name_resolution {
public:
  /// Addresses used per name: what a name server says must not make us open thousands of sockets.
  /// While both families have enough, each gets half.
  static constexpr std::size_t max_addresses = 32;

  explicit name_resolution(std::string hostname,
                           duration resolution_delay = std::chrono::milliseconds{50});

  // -- inputs ------------------------------------------------------------------

  resolution_event on_start(time_point now);

  /// The addresses of one family, in the order of the server; none, or an error, say that there are
  /// none. `dead` tells that no connection to any of them is likely.
  resolution_event on_answer(time_point now, ip_family family,
                             result<std::vector<ip_address>> answer, bool dead = false);

  resolution_event on_timer(time_point now);

  // -- properties --------------------------------------------------------------

  [[nodiscard]] deadline next_deadline() const noexcept { return delay_until_; }
  [[nodiscard]] resolution_state state() const noexcept { return state_; }
  [[nodiscard]] const std::string& hostname() const noexcept { return hostname_; }

  /// True once racing may run on `addresses()`.
  [[nodiscard]] bool usable() const noexcept {
    return state_ == resolution_state::released || state_ == resolution_state::complete;
  }

  /// True once some answer had addresses, released or not.
  [[nodiscard]] bool has_addresses() const noexcept {
    return !v6_.addresses.empty() || !v4_.addresses.empty();
  }

  /// True while the answer of a family is outstanding.
  [[nodiscard]] bool awaits(ip_family family) const noexcept {
    return (family == ip_family::v6 ? v6_ : v4_).pending;
  }

  /// True while an answer is outstanding.
  [[nodiscard]] bool more_to_come() const noexcept { return state_ < resolution_state::complete; }

  /// Returns the released addresses, IPv6 first, neither sorted by RFC 6724 nor interleaved. Never
  /// shrinks.
  [[nodiscard]] std::vector<ip_address> addresses() const;

  /// Returns why there are no addresses, naming both families. @pre `state()` is `failed`
  [[nodiscard]] error failure() const;

private:
  struct family_answer {
    bool pending = true;
    bool dead = false;
    std::vector<ip_address> addresses;
    error reason;
  };

  resolution_event settle(time_point now);
  [[nodiscard]] std::size_t room_beside(const family_answer& other) const noexcept;

  std::string hostname_;
  duration resolution_delay_;
  resolution_state state_ = resolution_state::idle;
  family_answer v6_;
  family_answer v4_;
  deadline delay_until_;
};

}  // namespace taps
