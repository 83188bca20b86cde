#pragma once

#include "taps/core/base/error.hpp"
#include "taps/core/base/slice.hpp"
#include "taps/core/properties/message_properties.hpp"
#include "taps/core/transport/descriptor.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace taps {

/// Names one Send call within its connection.
using send_id = std::uint64_t;

/// What became of one Send call.
struct completion {
  send_id id = 0;
  /// Why the data was not sent; null when it was.
  std::shared_ptr<const error> failure;
};

/// A piece of outbound data on its way to the kernel.
struct outbound {
  slice data;
  /// The properties of the Message, or null for all defaults.
  std::shared_ptr<const message_properties> properties;
  /// Last piece of its Message: where a datagram ends.
  bool end_of_message = true;
  /// Last piece of a final Message: where the stream's end goes.
  bool final = false;
};

/// Outbound data in transmit order, drained by the protocol instance as far as the kernel takes it.
/// Tells whoever filled it which Send calls are complete.
class outbound_queue {
public:
  /// On a byte stream, pieces that lie next to each other in memory become one.
  explicit outbound_queue(data_unit unit = data_unit::byte_stream) noexcept
      : coalesce_(unit == data_unit::byte_stream) {}

  // -- filling -------------------------------------------------------------------

  void push(outbound piece);

  /// Names the Send call that ends here: it is complete once all pushed so far is out.
  void mark(send_id id);

  /// The completions since the last call; the caller clears it.
  [[nodiscard]] std::vector<completion>& completions() noexcept { return completions_; }

  // -- draining ------------------------------------------------------------------

  [[nodiscard]] bool empty() const noexcept { return first_ == pieces_.size(); }

  /// Bytes not yet taken.
  [[nodiscard]] std::size_t bytes() const noexcept { return pushed_ - taken_; }

  /// The pieces not yet taken, oldest first; the first one without what `consume` took of it.
  [[nodiscard]] std::span<const outbound> pieces() const noexcept {
    return {pieces_.data() + first_, pieces_.size() - first_};
  }

  /// For byte streams: the protocol took `n` bytes, and pieces without bytes that follow them.
  /// Returns whether that includes the end of a final Message.
  bool consume(std::size_t n);

  /// For datagrams and messages: the first Message is out, or failed.
  void complete_message(const error& failure = {});

private:
  /// The Send call `id` ends after `end` pushed pieces and bytes.
  struct marker {
    std::uint64_t pieces;
    std::uint64_t bytes;
    send_id id;
  };

  void complete_marks(const std::shared_ptr<const error>& failure);
  void drop_front();

  bool coalesce_;
  std::vector<outbound> pieces_;
  std::size_t first_ = 0;
  std::vector<marker> marks_;
  std::size_t first_mark_ = 0;
  /// Pieces that have left, and bytes in and out, since the beginning.
  std::uint64_t gone_ = 0;
  std::uint64_t pushed_ = 0;
  std::uint64_t taken_ = 0;
  std::vector<completion> completions_;
};

}  // namespace taps
