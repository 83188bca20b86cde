#pragma once

#include "taps/core/base/error.hpp"
#include "taps/core/base/time.hpp"
#include "taps/core/rendezvous/meeting_pair.hpp"

#include <vector>

namespace taps {

struct opening_options {
  /// From the first call of one pair to that of the next.
  duration pace = std::chrono::milliseconds{250};
  /// After a refusal: the peer is not there yet. Doubles each time, up to `max_wait`.
  duration first_wait = std::chrono::milliseconds{100};
  duration max_wait = std::chrono::seconds{1};
  /// How long both sides wait to see which pairs work.
  duration settling = std::chrono::milliseconds{250};
  duration limit = std::chrono::seconds{40};
  /// Pairs made of callers' ports that nobody named, at most.
  std::size_t max_learned = 16;
};

/// What the shell of an opening list has to do.
struct opening_action {
  enum class kind_type : std::uint8_t {
    /// Call the remote address from the base.
    call,
    /// Drop the stream of that pair, or the call.
    hang_up,
    /// Terminal: keep the stream of that pair; the others have been hung up.
    met,
    /// Terminal.
    failed,
  };

  kind_type kind = kind_type::call;
  meeting_pair pair;
  error reason;
};

using opening_actions = std::vector<opening_action>;

/// Simultaneous open of byte streams: each side calls the other from the port at which it also
/// listens, so that one call gets through whoever is first, and two that cross become one stream.
/// A pair of addresses and ports is one stream at most, seen by both sides alike; so when several
/// pairs work, both come to the same choice by comparing addresses, once no further ones are to be
/// expected. Nothing can be said in the stream itself, which belongs to the application.
class opening_list {
public:
  opening_list(std::vector<socket_address> bases, std::vector<socket_address> remotes,
               const std::vector<meeting_pair>& pairs, opening_options options = {});

  // -- inputs -------------------------------------------------------------------------

  opening_actions on_start(time_point now);
  /// A call got through, or somebody called.
  opening_actions on_open(time_point now, const meeting_pair& pair);
  opening_actions on_call(time_point now, const meeting_pair& pair);
  /// A call was refused, or a stream broke.
  opening_actions on_failed(time_point now, const meeting_pair& pair, error reason);
  opening_actions on_timer(time_point now);

  // -- properties ---------------------------------------------------------------------

  [[nodiscard]] deadline next_deadline() const noexcept;
  [[nodiscard]] bool over() const noexcept { return over_; }

private:
  enum class state : std::uint8_t { waiting, calling, open };

  struct entry {
    meeting_pair pair;
    state is = state::waiting;
    time_point call_at{};
    duration wait{};
    /// Somebody else's call: there is nothing to call back.
    bool inbound_only = false;
  };

  [[nodiscard]] entry* find(const meeting_pair& pair) noexcept;
  [[nodiscard]] bool permitted(const socket_address& from) const noexcept;
  [[nodiscard]] bool before(const meeting_pair& x, const meeting_pair& y) const;
  void opened(time_point now, entry& x);
  void choose();
  void fail(error reason);
  opening_actions take();

  std::vector<socket_address> bases_;
  std::vector<socket_address> remotes_;
  std::vector<entry> entries_;
  opening_options options_;
  std::size_t learned_ = 0;
  deadline limit_;
  deadline choose_at_;
  error last_failure_;
  bool over_ = false;
  opening_actions out_;
};

}  // namespace taps
