#pragma once

#include "taps/core/base/error.hpp"
#include "taps/core/transport/rate_limit.hpp"
#include "taps/net/reactor/reactor.hpp"
#include "taps/net/stream/options.hpp"

#include <optional>

namespace taps {

/// Whoever has duties. Called by the loop's timers; none of the calls may end the life of the
/// duties.
class stream_duties_host {
public:
  virtual ~stream_duties_host() = default;
  /// A rate allows more than it did.
  virtual void on_rate_allows() = 0;
  virtual void on_trouble(error reason) = 0;
  /// The peer acknowledged nothing for `connTimeout`.
  virtual void on_silence() = 0;
};

/// What properties ask of a Connection beyond socket options: to keep rates, to watch the clock
/// where the kernel does not, and to tell of excessive retransmissions. Only Connections that were
/// asked have one. It looks at the socket by a timer, and only while data waits to be acknowledged.
class stream_duties {
public:
  /// Whether there is anything to do.
  [[nodiscard]] static bool needed(const stream_wishes& x, bool kernel_has_timeout) noexcept {
    return x.max_send_rate > 0 || x.max_recv_rate > 0 || x.min_send_rate > 0 ||
           x.retransmissions > 0 || (x.timeout > duration::zero() && !kernel_has_timeout);
  }

  stream_duties(reactor& loop, int fd, stream_duties_host& host) noexcept;

  /// Takes new wishes.
  void set(const stream_wishes& x, bool kernel_has_timeout);

  // -- rates -------------------------------------------------------------------------

  /// Return how much may pass now. When it is nothing, `on_rate_allows` follows.
  [[nodiscard]] std::size_t may_send();
  [[nodiscard]] std::size_t may_receive();

  void on_sent(std::size_t bytes);
  void on_received(std::size_t bytes);

  /// Data waits to be sent, or none does any more.
  void on_backlog(bool waits);

private:
  [[nodiscard]] std::size_t available(std::optional<rate_limit>& limit);
  void watch();
  void look();
  void look_at_progress(std::uint64_t outstanding);
  void look_at_retransmissions();
  void look_at_rate();

  reactor* loop_;
  stream_duties_host* host_;
  int fd_;
  stream_wishes wishes_;
  /// The kernel does not know `connTimeout` for this socket.
  bool times_out_ = false;
  std::optional<rate_limit> sending_;
  std::optional<rate_limit> receiving_;
  timer resume_;
  timer watch_;
  std::uint64_t sent_ = 0;
  /// How much of that was acknowledged when there was progress for the last time, and when.
  std::uint64_t acknowledged_ = 0;
  time_point progress_;
  /// Retransmissions were told of, and are not over yet.
  bool excessive_ = false;
  /// Since when data waits for the kernel, and what had been sent by then.
  deadline backlog_since_;
  std::uint64_t sent_by_then_ = 0;
  bool too_slow_ = false;
};

}  // namespace taps
