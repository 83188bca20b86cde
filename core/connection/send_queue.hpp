#pragma once

#include "taps/core/base/ring.hpp"
#include "taps/core/base/slice.hpp"
#include "taps/core/message/message_context.hpp"
#include "taps/core/transport/outbound.hpp"

namespace taps {

/// One Send call.
struct send_request {
  slice data;
  message_context context;
  bool end_of_message = true;
  /// The application wants to hear of success, too.
  bool wants_sent = false;
  /// Came with InitiateWithSend: an EstablishmentError covers it (RFC 9622, section 7.1).
  bool with_initiate = false;
};

/// Sends on their way: first those that wait to be framed, then those that the protocol has but has
/// not completed. Completions come in the order of framing.
class send_queue {
public:
  [[nodiscard]] bool empty() const noexcept { return waiting_.empty() && in_flight_.empty(); }
  [[nodiscard]] bool has_waiting() const noexcept { return !waiting_.empty(); }
  /// Payload bytes that wait to be framed.
  [[nodiscard]] std::size_t waiting_bytes() const noexcept { return waiting_bytes_; }

  void push(send_request&& what) {
    waiting_bytes_ += what.data.size();
    waiting_.push_empty() = std::move(what);
  }

  /// The next Send to frame; null when none waits.
  [[nodiscard]] const send_request* next() noexcept {
    return waiting_.empty() ? nullptr : &waiting_.front();
  }

  /// Takes the next Send to frame. @pre `has_waiting()`
  send_request take() {
    auto result = waiting_.pop_front();
    waiting_bytes_ -= result.data.size();
    return result;
  }

  /// What is left of a Send in flight: what its event needs.
  struct record {
    message_context context;
    bool wants_sent = false;
  };

  /// Notes a framed Send; returns its id.
  send_id launch(record&& what) {
    in_flight_.push_empty() = std::move(what);
    return next_id_++;
  }

  /// Takes the record of the oldest Send in flight. @pre some are in flight
  record land() { return in_flight_.pop_front(); }

  [[nodiscard]] std::size_t num_in_flight() const noexcept { return in_flight_.size(); }

private:
  ring<send_request> waiting_;
  ring<record> in_flight_;
  std::size_t waiting_bytes_ = 0;
  send_id next_id_ = 0;
};

}  // namespace taps
