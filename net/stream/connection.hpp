#pragma once

#include "taps/core/transport/protocol.hpp"
#include "taps/net/reactor/reactor.hpp"
#include "taps/net/socket/liveness.hpp"
#include "taps/net/stream/duties.hpp"
#include "taps/net/stream/kind.hpp"
#include "taps/net/stream/options.hpp"

#include <cerrno>
#include <optional>
#include <vector>

namespace taps {

/// One connected byte stream of the kernel (RFC 9623, section 10.1).
///
/// The socket is registered once, for edges in both directions; what the kernel was last known to
/// offer is remembered in `readable_` and `writable_`. A call to the sink may do anything, down to
/// destroying this object: a `liveness::watch` tells.
///
///     connecting --> open --> closing --> done
///         |            |         |         ^
///         +------------+---------+---------+   failure, abort
///
/// `closing` begins with `close`, or when both ends have finished. It ends at once if nothing was
/// ever sent; else with the peer's acknowledgement of all that was and its own end, for which it
/// then has 2 s and 1 MiB. The README of this folder says why.
class stream_connection final : public protocol, private io_source, private stream_duties_host {
public:
  /// Takes a socket whose `connect` is under way; `start` comes next.
  stream_connection(reactor& loop, const stream_kind& kind, sys::descriptor socket,
                    const socket_address& remote, const stream_options& options,
                    protocol_sink* sink, bool established);
  ~stream_connection() override;

  /// Registers the socket.
  [[nodiscard]] result<void> start();

  /// Says which address the socket has, where that is known without asking the kernel.
  void assume_local(const socket_address& where) noexcept { local_ = where; }

  /// Some data went with the handshake.
  void note_sent() noexcept { wrote_ = true; }
  /// The first data came with the handshake.
  void expect_early_data() noexcept { early_data_ = true; }

  // -- protocol ----------------------------------------------------------------------

  void set_sink(protocol_sink& sink) noexcept override { sink_ = &sink; }
  void flush(outbound_queue& queue) override;
  void set_demand(bool wanted) override;
  void close() override;
  void abort() override;
  [[nodiscard]] const transport_descriptor& descriptor() const noexcept override {
    return kind_->descriptor;
  }
  [[nodiscard]] const transport_descriptor& spoken() const override;
  [[nodiscard]] socket_address local() const override;
  [[nodiscard]] socket_address remote() const override { return remote_; }
  [[nodiscard]] message_limits limits() const override;
  [[nodiscard]] std::optional<bool> provides(feature what) const override;
  result<void> set_property(property_id id, const property_value& value) override;

private:
  enum class stage : std::uint8_t { connecting, open, closing, done };

  void on_io(std::uint32_t events) override;
  void on_later() override;

  void on_rate_allows() override;
  void on_trouble(error reason) override;
  void on_silence() override { fail_later(ETIMEDOUT); }

  // Each of these may end the life of this object.
  void finish_connecting(std::uint32_t events);
  void resume_writing();
  void advance();
  void receive();
  void end_of_stream();
  void advance_closing();
  void on_deadline();
  void report_closed();
  void fail(error reason);
  void fail_or_go_on(int code);

  [[nodiscard]] bool may_write() noexcept;
  [[nodiscard]] bool write_some(outbound_queue& queue);
  template<class Wanted, class Take>
  [[nodiscard]] std::optional<int> read(Wanted wanted, Take take);
  [[nodiscard]] int drain();
  [[nodiscard]] bool all_acknowledged();
  void begin_closing();
  void shut_down_sending();
  void take_up_duties();
  /// Whether an error of the socket is one that ends nothing.
  [[nodiscard]] bool passes(int code) const;
  void fail_later(int code);
  void release() noexcept;
  [[nodiscard]] error broken(int code) const;
  [[nodiscard]] error trouble(int code) const;
  void look_for_fallback() const;
  [[nodiscard]] std::optional<std::uint64_t> zero_rtt_limit() const;

  reactor* loop_;
  const stream_kind* kind_;
  protocol_sink* sink_;
  sys::descriptor socket_;
  socket_address remote_;
  mutable socket_address local_;
  stream_options options_;
  liveness liveness_;
  timer deadline_;
  /// A failure found inside a call from above, to be reported at the end of the turn.
  std::unique_ptr<error> failure_;
  /// Trouble that ends nothing, to be told at the end of the turn; null for none.
  std::unique_ptr<std::vector<error>> soft_errors_;
  /// Null when nothing was asked for.
  std::unique_ptr<stream_duties> duties_;
  /// While closing: what the peer sent after it had acknowledged everything.
  std::size_t ignored_ = 0;
  /// What was written in round `write_round_` of the loop.
  std::size_t written_ = 0;
  std::uint32_t write_round_ = 0;
  stage stage_;
  /// It came by a Listener.
  bool accepted_;
  bool demand_ = false;
  bool readable_ = false;
  bool writable_ = false;
  /// `flush` left something behind, and `on_writable` tells when to go on.
  bool blocked_ = false;
  /// The kernel announced an end, an error or urgent data: read until nothing is left.
  bool thorough_ = false;
  /// There is an error to fetch.
  bool error_ = false;
  bool wrote_ = false;
  bool early_data_ = false;
  /// While closing: nothing is left to wait for.
  bool settled_ = false;
  bool fin_sent_ = false;
  bool fin_received_ = false;
  bool acknowledged_ = false;
  /// As far as somebody has looked; there is no way back.
  mutable bool fallen_back_ = false;
};

}  // namespace taps
