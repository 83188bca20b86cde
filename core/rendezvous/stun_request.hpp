#pragma once

#include "taps/core/base/time.hpp"
#include "taps/core/rendezvous/stun.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace taps {

/// Where transactions get their numbers from. Nobody may be able to guess them.
using number_source = std::function<std::uint64_t()>;

[[nodiscard]] stun_transaction make_transaction(const number_source& numbers);

/// How often a request is sent and how long its answer is waited for (RFC 8489, section 6.2.1).
struct stun_pace {
  duration first_wait = std::chrono::milliseconds{500};
  unsigned sends = 7;
  /// How many times the first wait the last one is.
  unsigned last_wait = 16;
};

/// The clock of one request: each wait is twice the one before, but for the last.
class stun_clock {
public:
  enum class step : std::uint8_t { none, send_again, give_up };

  /// The request goes out for the first time.
  void start(time_point now, const stun_pace& pace);
  void stop() noexcept { next_.reset(); }
  step on_timer(time_point now);
  [[nodiscard]] deadline next_deadline() const noexcept { return next_; }

private:
  stun_pace pace_;
  unsigned sent_ = 0;
  duration wait_{};
  deadline next_;
};

/// Asks a server by which address it sees us, with long-term credentials if it wants them.
class reflexive_query {
public:
  /// As long as a person may wait: 5.5 s in all.
  static constexpr stun_pace pace{std::chrono::milliseconds{500}, 4, 4};

  reflexive_query(const socket_address& server, std::string user, std::string password,
                  number_source numbers);

  // Each returns what is to be sent to the server; empty for nothing.
  std::vector<std::byte> on_start(time_point now);
  std::vector<std::byte> on_datagram(time_point now, const socket_address& from,
                                     std::span<const std::byte> data);
  std::vector<std::byte> on_timer(time_point now);

  [[nodiscard]] deadline next_deadline() const noexcept { return clock_.next_deadline(); }
  [[nodiscard]] bool done() const noexcept { return outcome_.has_value(); }
  /// @pre `done()`
  [[nodiscard]] const result<socket_address>& outcome() const noexcept { return *outcome_; }
  [[nodiscard]] const socket_address& server() const noexcept { return server_; }

private:
  std::vector<std::byte> ask(time_point now);
  std::vector<std::byte> on_refusal(time_point now, const stun_message& answer);
  [[nodiscard]] std::vector<std::byte> key() const;
  void fail(std::string text);

  socket_address server_;
  std::string user_;
  std::string password_;
  std::string realm_;
  std::string nonce_;
  number_source numbers_;
  stun_clock clock_;
  stun_message request_;
  int refusals_ = 0;
  std::optional<result<socket_address>> outcome_;
};

}  // namespace taps
