#pragma once

#include "taps/core/transport/descriptor.hpp"

namespace taps {

/// What UDP to multicast groups says of itself.
[[nodiscard]] const transport_descriptor& multicast_descriptor();

}  // namespace taps
