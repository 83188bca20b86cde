#pragma once

#include "taps/core/base/ring.hpp"
#include "taps/core/base/slice.hpp"
#include "taps/core/connection/connection_event.hpp"
#include "taps/core/message/message_context.hpp"

#include <cstddef>
#include <limits>

namespace taps {

/// The parameters of Receive (RFC 9622, section 9.3.1).
struct receive_request {
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  /// Fires for incomplete Messages when this many bytes are there; unlimited waits for whole ones.
  std::size_t min_incomplete_length = unlimited;
  /// Longer Messages come in parts.
  std::size_t max_length = unlimited;
  /// How many Receive calls this one stands for.
  std::size_t count = 1;
};

/// Matches inbound data with Receive requests, both in order (RFC 9622, section 9.3).
class receive_queue {
public:
  /// An endless queue is one of a bare byte stream: a single Message without boundaries, handed on
  /// as bytes come.
  void set_endless(bool value) noexcept { endless_ = value; }

  // -- inputs ------------------------------------------------------------------------

  void request(const receive_request& what);
  void push(const message_context& context, slice data, bool end_of_message);

  /// The Message in progress, or one of which nothing came, is lost; the next one is not.
  void push_broken(error reason);

  /// The peer will send no more. With `failure`, a Message was cut short by it.
  void end(error failure);

  /// The Connection ends: what was requested gets the partial data that is there, or `reason`.
  void terminate(const error& reason);

  // -- outputs -----------------------------------------------------------------------

  /// Whether there is an answer to the first request.
  [[nodiscard]] bool ready() noexcept { return !requests_.empty() && (ended_ || has_answer()); }

  /// Writes that answer into `out`: `received`, `received_partial` or `receive_error`.
  /// @pre `ready()`; `out` is as it was made
  void take(connection_event& out);

  /// Whether requests wait that the data here does not answer.
  [[nodiscard]] bool wants_data() const noexcept { return !requests_.empty() && !ended_; }
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
  struct piece {
    message_context context;
    slice data;
    bool end_of_message = false;
    /// Why the Message that ends here is lost.
    std::shared_ptr<const error> failure{};
  };

  /// What is here of the first Message.
  struct extent {
    std::size_t pieces = 0;
    std::size_t bytes = 0;
    bool complete = false;
    bool broken = false;
  };

  void grow_last(std::size_t n, bool end_of_message) noexcept;
  [[nodiscard]] bool has_answer() noexcept;
  const extent& first_message() noexcept;
  [[nodiscard]] bool satisfied(const receive_request& by, const extent& have) const noexcept;
  void take_message(const receive_request& by, const extent& have, connection_event& out);
  void drop_message(connection_event& out);
  [[nodiscard]] slice take_bytes(std::size_t n);
  piece pop_piece();
  void take_end(connection_event& out);
  void answer_request() noexcept;

  ring<piece> pieces_;
  ring<receive_request> requests_;
  std::size_t bytes_ = 0;
  /// Counted as far as it was looked at: a Message may come in very many pieces.
  extent first_;
  bool endless_ = false;
  /// Part of the first Message was handed on already.
  bool started_ = false;
  bool ended_ = false;
  /// The end of an endless Message was told.
  bool end_told_ = false;
  std::shared_ptr<const error> end_reason_;
};

}  // namespace taps
