#pragma once

#include "taps/core/base/result.hpp"
#include "taps/core/base/slice.hpp"
#include "taps/core/message/message_context.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace taps {

/// What a Message Framer may do with the Connection it runs in (RFC 9622, section 9.1.2, and
/// RFC 9623, section 6). Valid during the calls to the framer and, for its own state machines, as
/// long as the framer lives; used by the Connection's thread only.
class framer_context {
public:
  virtual ~framer_context() = default;

  // -- life cycle ----------------------------------------------------------------------

  /// Ends the start phase: this framer is ready. `Ready` waits for all of them.
  virtual void make_connection_ready() = 0;
  /// Ends the stop phase: nothing more to write. `Closed` waits for all of them. Before ready, this
  /// candidate fails.
  virtual void make_connection_closed() = 0;
  /// Before ready: this candidate fails and the next one is tried. Later: the Connection ends with
  /// ConnectionError.
  virtual void fail_connection(error reason) = 0;

  // -- outbound ------------------------------------------------------------------------------

  /// Passes bytes to the next layer down, in order, as part of the Message being sent or, outside
  /// `new_sent_message`, on their own.
  virtual void send(slice data) = 0;

  /// Passes a header and a payload down in one piece if both are small, else one behind the other
  /// without copying the payload.
  virtual void send(std::span<const std::byte> header, slice payload) = 0;

  // -- inbound (nothing is delivered before `make_connection_ready`) ---------------------------

  /// What `parse` sees: contiguous bytes from the cursor on.
  struct view {
    std::span<const std::byte> bytes;
    /// The bytes end a Message of the layer below (a datagram).
    bool end_of_message = false;
  };

  /// Looks at the bytes at the cursor: at least `minimum`, at most `maximum`, without consuming
  /// them. Absent when fewer have arrived, or none at all; then `handle_received_data` is called
  /// again with more. What is left unconsumed at the end of a datagram is a ReceiveError.
  [[nodiscard]] virtual std::optional<view> parse(std::size_t minimum, std::size_t maximum) = 0;

  /// Skips `n` bytes, also ones that have not arrived yet.
  virtual void advance_receive_cursor(std::size_t n) = 0;

  /// Delivers the next `n` bytes upward as (part of) a Message and skips them. Bytes that have not
  /// arrived yet follow by themselves, without parsing; what is skipped or delivered after this
  /// call comes behind them.
  virtual void deliver_and_advance_receive_cursor(const message_context& context, std::size_t n,
                                                  bool end_of_message) = 0;

  /// Delivers bytes of the framer's own.
  virtual void deliver(const message_context& context, slice data, bool end_of_message) = 0;

  /// The context for Messages of this Connection: its endpoints, and what is known of the packet.
  [[nodiscard]] virtual const message_context& inbound_context() const = 0;
};

/// Turns Messages into bytes of the layer below and back (RFC 9622, section 9.1.2). One instance
/// serves one candidate or Connection; all its calls come one at a time. What it throws fails that
/// one, as `fail_connection` does.
class framer {
public:
  virtual ~framer() = default;

  /// The name that metadata in a `message_context` is addressed to.
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;

  /// Whether it keeps message boundaries over a byte stream, so that `preserveMsgBoundaries` is
  /// met. Asked once, before `start`.
  [[nodiscard]] virtual bool preserves_boundaries() const { return true; }

  /// The layers below are ready. The framer may send and parse before it says it is ready itself;
  /// this one is ready at once.
  virtual void start(framer_context& context) { context.make_connection_ready(); }

  /// The Connection closes. The framer may still send before it says it is done; this one has
  /// nothing to say.
  virtual void stop(framer_context& context) { context.make_connection_closed(); }

  /// One Send call: frames `data` and passes it down. An error fails this Send call alone, or the
  /// Connection if a part of the Message is on its way already.
  virtual result<void> new_sent_message(framer_context& context, slice data,
                                        const message_context& message, bool end_of_message) = 0;

  /// Inbound bytes have arrived: parse, advance and deliver until `parse` has not enough.
  virtual void handle_received_data(framer_context& context) = 0;
};

/// Makes the framer of one candidate or Connection, which fails if there is none. May be called on
/// any thread.
using framer_factory = std::function<std::unique_ptr<framer>()>;

}  // namespace taps
