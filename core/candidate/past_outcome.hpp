#pragma once

#include <cstdint>

namespace taps {

/// What earlier races taught about a stack towards this peer.
enum class past_outcome : std::uint8_t {
  nothing,
  succeeded,
  failed,
  /// Failed several times in a row while another stack succeeded.
  hopeless,
};

}  // namespace taps
