#pragma once

#include "taps/core/base/error.hpp"
#include "taps/core/rendezvous/meeting_pair.hpp"
#include "taps/core/rendezvous/stun_request.hpp"

#include <deque>
#include <vector>

namespace taps {

struct check_options {
  /// From one check to the next (Ta of RFC 8445).
  duration pace = std::chrono::milliseconds{50};
  stun_pace retransmission;
  /// How long better pairs are waited for once one works.
  duration patience = std::chrono::milliseconds{300};
  /// For all of it. Before that, a peer that is not there is given up after 39.5 s.
  duration limit = std::chrono::seconds{60};
  /// Remote addresses learned from checks at most: strangers may send any number.
  std::size_t max_learned = 16;
};

/// What the shell of a check list has to do.
struct check_action {
  enum class kind_type : std::uint8_t {
    /// Send `data` from the base to the remote address of `pair`.
    send,
    /// The checks of a pair begin, or have failed; for the report only.
    began,
    gave_up,
    /// Terminal: the pair works, and both sides know.
    met,
    /// Terminal.
    failed,
  };

  kind_type kind = kind_type::send;
  meeting_pair pair;
  std::vector<std::byte> data;
  error reason;
};

using check_actions = std::vector<check_action>;

/// The checks of ICE (RFC 8445) for one component, with what TAPS lets the sides know of each
/// other: addresses, and neither roles nor passwords. So
/// - both begin as controlling, and the tie-breakers decide;
/// - the remote addresses' order is their priority;
/// - checks count only from addresses that the Remote Endpoints have, whatever the port: that lets
///   in peers behind NATs that map each destination to another port, and nobody else;
/// - no pair is frozen, since with one component there is nothing to learn from others.
///
/// A datagram of the peer that is no check is as good as one: a peer without ICE is met that way.
class check_list {
public:
  check_list(std::vector<socket_address> bases, std::vector<socket_address> remotes,
             const std::vector<meeting_pair>& pairs, number_source numbers,
             check_options options = {});

  // -- inputs -------------------------------------------------------------------------

  check_actions on_start(time_point now);
  /// STUN arrived at a base.
  check_actions on_check(time_point now, std::size_t base, const socket_address& from,
                         std::span<const std::byte> data);
  /// Something else did; if nothing follows from it, it is none of the peer's.
  check_actions on_data(time_point now, std::size_t base, const socket_address& from);
  check_actions on_timer(time_point now);

  // -- properties ---------------------------------------------------------------------

  [[nodiscard]] deadline next_deadline() const noexcept;
  [[nodiscard]] bool over() const noexcept { return over_; }
  [[nodiscard]] bool controlling() const noexcept { return controlling_; }

private:
  enum class state : std::uint8_t { waiting, in_progress, succeeded, failed };

  struct entry {
    meeting_pair pair;
    std::uint64_t remote_priority = 0;
    state is = state::waiting;
    stun_transaction transaction{};
    std::vector<std::byte> request;
    stun_clock clock{};
    bool sent_as_controlling = false;
    /// The running check says USE-CANDIDATE.
    bool nominating = false;
    /// The peer wants this pair.
    bool nominated = false;
    /// A check of it was answered.
    bool works = false;
    bool begun = false;
  };

  void on_request(time_point now, std::size_t base, const socket_address& from,
                  const stun_message& request);
  void on_answer(time_point now, std::size_t base, const socket_address& from,
                 const stun_message& answer);
  /// Settles who controls; returns whether the request may go on.
  bool settle_roles(const stun_message& request);
  entry* learn(std::size_t base, const socket_address& from, const stun_message& request);
  [[nodiscard]] entry* find(std::size_t base, const socket_address& remote) noexcept;

  void trigger(entry& x);
  void start_over(entry& x);
  void start_check(time_point now, entry& x, bool nominate);
  void start_next(time_point now);
  [[nodiscard]] entry* choose_next();
  void retransmit(time_point now);
  void nominate(time_point now);
  [[nodiscard]] bool better_one_open(const entry& than) const;
  [[nodiscard]] bool nominating() const noexcept;
  void give_up(entry& x);
  void send(const entry& x);
  void reply(const meeting_pair& to, const stun_message& answer);
  void end_if_hopeless();
  void finish(check_action::kind_type kind, const meeting_pair& pair, error reason);
  check_actions take();

  [[nodiscard]] std::uint64_t priority_of(const entry& x) const noexcept;
  [[nodiscard]] bool permitted(const socket_address& from) const noexcept;
  [[nodiscard]] bool has_unstarted() const noexcept;

  std::vector<socket_address> bases_;
  std::vector<socket_address> remotes_;
  std::deque<entry> entries_;
  /// Checks that the peer's ones call for; before all others.
  std::deque<entry*> triggered_;
  number_source numbers_;
  check_options options_;
  std::uint64_t tie_breaker_;
  std::size_t learned_ = 0;
  bool controlling_ = true;
  bool over_ = false;
  deadline next_check_;
  /// Since the first pair works.
  deadline patience_ends_;
  deadline limit_;
  check_actions out_;
};

}  // namespace taps
