#pragma once

#include "taps/core/transport/protocol.hpp"
#include "taps/net/reactor/reactor.hpp"
#include "taps/net/socket/liveness.hpp"
#include "taps/net/stream/kind.hpp"
#include "taps/net/stream/options.hpp"

namespace taps {

/// A listening socket.
///
/// Waits for levels, not edges: what one wake-up leaves behind makes the next. When descriptors or
/// memory run out it says so once, stops to listen for a while and tries again.
class stream_acceptor final : public acceptor, private io_source {
public:
  stream_acceptor(reactor& loop, const stream_kind& kind, sys::descriptor socket,
                  const stream_options& options, acceptor_sink& sink);
  ~stream_acceptor() override;

  /// Registers the socket.
  [[nodiscard]] result<void> start();

  /// Sets the options on each accepted socket, too: the listening one refused some, but another
  /// protocol may take them.
  void repeat_options() noexcept { repeats_options_ = true; }

  /// Takes data that comes with the handshake, and marks it.
  void take_early_data();

  [[nodiscard]] socket_address local() const override { return local_; }

private:
  void on_io(std::uint32_t events) override;
  [[nodiscard]] int accept_one();
  void back_off(int code);
  void resume();

  reactor* loop_;
  const stream_kind* kind_;
  sys::descriptor socket_;
  stream_options options_;
  acceptor_sink* sink_;
  bool repeats_options_ = false;
  bool takes_early_data_ = false;
  socket_address local_;
  liveness liveness_;
  timer retry_;
  duration delay_{0};
  /// How many connections one wake-up takes: grows as long as each round of the loop finds some, so
  /// that lone ones do not pay for a look for the next.
  unsigned burst_ = 1;
  std::uint32_t last_round_ = 0;
};

}  // namespace taps
