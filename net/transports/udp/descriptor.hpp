#pragma once

#include "taps/core/transport/descriptor.hpp"

namespace taps {

/// What UDP (RFC 768) says of itself.
[[nodiscard]] const transport_descriptor& udp_descriptor();

}  // namespace taps
