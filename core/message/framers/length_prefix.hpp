#pragma once

#include "taps/core/message/framer.hpp"

namespace taps {

/// How `length_prefix` writes the length of a Message.
struct length_prefix_options {
  /// Bytes of the length field, in network byte order: 1 to 8. With others no Connection gets
  /// ready.
  unsigned width = 4;
  /// Longer Messages are refused: outbound with SendError(MessageTooLarge), inbound with
  /// ReceiveError(DeframingFailed).
  std::uint64_t max_length = 16 * 1024 * 1024;
};

/// A framer that puts the length in front of each Message: boundaries over a byte stream.
[[nodiscard]] framer_factory length_prefix(length_prefix_options options = {});

}  // namespace taps
