#pragma once

#include "taps/core/base/time.hpp"
#include "taps/core/candidate/past_outcome.hpp"
#include "taps/core/candidate/rfc6724.hpp"
#include "taps/core/candidate/stack.hpp"
#include "taps/core/endpoint/endpoint.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace taps {

// The memory of races (RFC 9623, sections 4.2 and 9.2): which stacks and which addresses worked, so
// that the next race begins with what is likely to win. It forgets: a network changes, and a
// failure that was remembered for long would keep a repaired server from being tried.

/// What is remembered, and for how long.
struct history_options {
  /// Without history the same properties always lead to the same choice.
  bool enabled = true;
  duration success_lifetime = std::chrono::hours{6};
  duration failure_lifetime = std::chrono::minutes{10};
  /// Failures in a row after which a stack is left out, where another one succeeded.
  std::uint32_t hopeless_after = 3;
  /// Outcomes kept; the oldest places go first.
  std::size_t max_entries = 4096;

  friend bool operator==(const history_options&, const history_options&) = default;
};

/// What outcomes are filed under: an endpoint as the application names it, or an address.
struct history_place {
  /// Which network the host was attached to; empty where nobody can tell.
  std::string network;
  /// A name in lower case, or what else tells endpoints apart; empty for an address.
  std::string host;
  /// With a `host`, only its port counts; 0 if the endpoint has none.
  socket_address address;

  friend bool operator==(const history_place&, const history_place&) = default;
};

/// Returns the place of a Remote Endpoint.
[[nodiscard]] history_place place_of(std::string_view network, const remote_endpoint& x);

/// Returns `"example.com:80"` or `"[::1]:80"`, without the network.
[[nodiscard]] std::string to_string(const history_place& x);

/// What one race taught about a stack at a place.
struct lesson {
  history_place where;
  std::string_view stack;
  bool succeeded = false;
  /// From the start of the attempt until the protocols were up; for successes.
  duration handshake{};
};

/// What is remembered of a stack at a place.
struct outcome_record {
  std::string stack;
  bool succeeded = false;
  /// How often in a row it ended like that.
  std::uint32_t count = 0;
  /// The last time.
  time_point when{};
  /// Of the last success; zero if unknown.
  duration handshake{};

  friend bool operator==(const outcome_record&, const outcome_record&) = default;
};

struct history_entry {
  history_place where;
  outcome_record what;

  friend bool operator==(const history_entry&, const history_entry&) = default;
};

/// The outcomes of earlier races. Used by one thread at a time.
class outcome_history {
public:
  explicit outcome_history(history_options options = {}) noexcept : options_(options) {}
  outcome_history(const outcome_history&) = delete;
  outcome_history& operator=(const outcome_history&) = delete;

  // -- inputs -------------------------------------------------------------------------

  void learn(time_point now, const lesson& what);

  /// Takes over what was saved, unless something newer is known.
  void restore(time_point now, const history_entry& what);

  // -- properties ---------------------------------------------------------------------

  /// Returns what is known of a stack, at the best of `places`.
  [[nodiscard]] past_outcome recall(time_point now, std::span<const history_place> places,
                                    std::string_view stack) const;

  /// Returns that for each of `stacks`; empty if none of the places is known.
  [[nodiscard]] std::vector<past_outcome> recall(time_point now,
                                                 std::span<const history_place> places,
                                                 std::span<const protocol_stack> stacks) const;

  /// Returns what is known of an address, whatever stack was used.
  [[nodiscard]] address_experience experience_of(time_point now, const history_place& where) const;

  /// Returns what has not expired, the place used last at the end.
  [[nodiscard]] std::vector<history_entry> entries(time_point now) const;

  [[nodiscard]] const history_options& options() const noexcept { return options_; }

private:
  struct slot {
    history_place where;
    std::vector<outcome_record> outcomes;
  };

  struct hash_place {
    std::size_t operator()(const history_place* x) const noexcept;
  };

  struct same_place {
    bool operator()(const history_place* x, const history_place* y) const noexcept {
      return *x == *y;
    }
  };

  /// Returns the record, which is the latest now; empty if it is new.
  outcome_record& touch(const history_place& where, std::string_view stack);
  void shrink(time_point now);
  [[nodiscard]] const slot* find(const history_place& where) const;
  [[nodiscard]] bool alive(time_point now, const outcome_record& x) const noexcept;
  /// Returns the slots of the places; null for places that are not known.
  [[nodiscard]] std::vector<const slot*> find(std::span<const history_place> places) const;
  [[nodiscard]] past_outcome recall(time_point now, const slot& where,
                                    std::string_view stack) const;
  [[nodiscard]] past_outcome recall(time_point now, std::span<const slot* const> places,
                                    std::string_view stack) const;

  history_options options_;
  /// The place used last is at the end.
  std::list<slot> slots_;
  std::unordered_map<const history_place*, std::list<slot>::iterator, hash_place, same_place>
      index_;
  std::size_t size_ = 0;
};

}  // namespace taps
