#pragma once

#include "taps/core/message/framer_stack.hpp"
#include "taps/core/transport/protocol.hpp"

#include <functional>
#include <utility>

namespace taps {

/// The upper side of a channel. Called by the protocol instance's rules: from the shard's loop.
class channel_sink {
public:
  virtual ~channel_sink() = default;
  /// The protocol is ready, and the framers are about to shake hands.
  virtual void on_channel_connected() {}
  /// Protocol and framers are ready. Once.
  virtual void on_channel_ready() = 0;
  virtual void on_channel_writable() = 0;
  virtual void on_channel_data(const message_context& context, slice data, bool end_of_message) = 0;
  /// The Message in progress, or the next one, cannot be parsed and is lost; others follow.
  virtual void on_channel_broken_message(error reason) = 0;
  /// The peer will send no more; with a failure inside a frame.
  virtual void on_channel_end(error failure) = 0;
  virtual void on_channel_stopped() = 0;
  virtual void on_channel_stream(std::unique_ptr<protocol> stream) = 0;
  virtual void on_channel_soft_error(error reason) = 0;
  virtual void on_channel_path_change() = 0;
  virtual void on_channel_closed() = 0;
  virtual void on_channel_failed(error reason) = 0;
};

/// A Message that may be sent, and arrive, more than once: it may travel with the handshake of any
/// attempt (RFC 9622, section 7.1).
struct early_message {
  slice data;
  message_context context;
};

/// A protocol instance with the framers above it: what a candidate builds and the winner hands to
/// its Connection. Demands inbound data by itself while framers shake hands.
class channel final : protocol_sink, framer_stack_sink {
public:
  /// The instance is given by `attach`, since it needs the channel as its sink.
  channel(const std::vector<framer_factory>& framers, data_unit unit, arena& memory);
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;
  ~channel() override;

  [[nodiscard]] protocol_sink& as_protocol_sink() noexcept { return *this; }
  void attach(std::unique_ptr<protocol> instance);

  /// Takes an instance that was ready when it came: an accepted one.
  void attach_ready(std::unique_ptr<protocol> instance);

  void set_sink(channel_sink& sink) noexcept { sink_ = &sink; }

  /// Lets go of the sink. What comes until there is another one is kept for it: the winner of a
  /// race is on its way while its peer speaks, finishes or fails.
  void drop_sink() noexcept { sink_ = nullptr; }
  /// Tells the present sink what was kept.
  void tell_kept();

  [[nodiscard]] bool ready() const noexcept { return protocol_ready_ && framers_.ready(); }
  [[nodiscard]] bool connected() const noexcept { return protocol_ready_; }
  [[nodiscard]] bool has_framers() const noexcept { return !framers_.empty(); }
  /// Whether a framer keeps message boundaries.
  [[nodiscard]] bool preserves_boundaries() const noexcept {
    return framers_.preserves_boundaries();
  }
  [[nodiscard]] protocol& instance() noexcept { return *protocol_; }
  [[nodiscard]] const protocol& instance() const noexcept { return *protocol_; }

  // -- data --------------------------------------------------------------------------------

  /// Frames one Send call into `queue()`.
  result<void> send(slice data, const message_context& context, bool end_of_message) {
    return framers_.send(std::move(data), context, end_of_message);
  }

  [[nodiscard]] outbound_queue& queue() noexcept { return framers_.queue(); }

  /// Frames a Message before there is a protocol instance, for `connect_request::early`. What the
  /// handshake does not take stays in the queue until `adopt_early`. Returns null with framers:
  /// they may want to say something first.
  [[nodiscard]] outbound_queue* offer_early(const early_message& what);

  /// Whether the Message of `offer_early` is in the queue or on its way; from now on the queue goes
  /// its usual way.
  [[nodiscard]] bool adopt_early() noexcept { return std::exchange(holds_early_, false); }

  /// Hands the queue to the protocol as far as it takes it.
  void flush();

  void set_demand(bool wanted);

  // -- termination ---------------------------------------------------------------------------

  /// Lets the framers say good-bye; `on_channel_stopped` follows, at once or later.
  void stop_framers();
  void close();
  void abort();

private:
  // -- protocol_sink ---------------------------------------------------------------------------

  void on_ready() override;
  void on_writable() override;
  void on_data(slice data, const inbound_info& info) override;
  void on_inbound_stream(std::unique_ptr<protocol> stream) override;
  void on_soft_error(error reason) override;
  void on_path_change() override;
  void on_closed() override;
  void on_failed(error reason) override;

  // -- framer_stack_sink -------------------------------------------------------------------------

  void on_framers_ready() override;
  void on_framers_stopped() override;
  void on_framer_failed(error reason) override;
  void on_broken_message(error reason) override;
  void on_deliver(const message_context& context, slice data, bool end_of_message) override;

  template<class Event>
  void tell(Event what);
  void end_of_data();
  [[nodiscard]] const message_context& context_for(const inbound_info& info);

  framer_stack framers_;
  std::unique_ptr<protocol> protocol_;
  channel_sink* sink_ = nullptr;
  std::vector<std::function<void(channel_sink&)>> kept_;
  /// Shared by all Messages about which nothing special is known.
  message_context plain_context_;
  message_context special_context_;
  bool stream_;
  bool protocol_ready_ = false;
  /// There is an early Message, and nobody has won yet.
  bool holds_early_ = false;
  bool demand_ = false;
  bool ended_ = false;
};

}  // namespace taps
