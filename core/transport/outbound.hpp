#pragma once

#include "taps/core/base/error.hpp"
#include "taps/core/base/slice.hpp"
#include "taps/core/message/message_properties.hpp"

#include <cstdint>
#include <vector>

namespace taps {

/// Names one Send call within its connection.
using send_id = std::uint64_t;

/// What became of one Send call.
struct completion {
  send_id id = 0;
  /// Set when the data was not sent.
  error failure;
};

/// A piece of outbound data on its way to the kernel.
struct outbound {
  slice data;
  /// Valid when `completes` is set.
  send_id id = 0;
  /// The properties of the Message, or null for all defaults.
  std::shared_ptr<const message_properties> properties;
  /// Last piece of its Message: where a datagram ends.
  bool end_of_message = true;
  /// Last piece of its Send call: when this is out, the call is complete.
  bool completes = true;
  /// Last piece of a final Message: where the stream's end goes.
  bool final = false;
};

/// Outbound data in transmit order, drained by the protocol instance as far as the kernel takes it.
/// Tells whoever filled it which Send calls are complete.
class outbound_queue {
public:
  void push(outbound piece);

  [[nodiscard]] bool empty() const noexcept { return first_ == pieces_.size(); }
  /// Bytes not yet taken.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  /// The pieces not yet taken, oldest first; the first one without what `consume` took of it.
  [[nodiscard]] std::span<const outbound> pieces() const noexcept {
    return {pieces_.data() + first_, pieces_.size() - first_};
  }

  /// For byte streams: the protocol took `n` bytes. Completes the Send calls that end in them,
  /// pieces without bytes included.
  void consume(std::size_t n);

  /// For datagrams and messages: the first Message is out, or failed.
  void complete_message(error failure = {});

  /// Fails all Send calls that are still here.
  void fail_all(const error& reason);

  /// The completions since the last call; the caller clears it.
  [[nodiscard]] std::vector<completion>& completions() noexcept { return completions_; }

private:
  void drop_front(error failure);
  void compact();

  std::vector<outbound> pieces_;
  std::size_t first_ = 0;
  std::size_t bytes_ = 0;
  std::vector<completion> completions_;
};

}  // namespace taps
