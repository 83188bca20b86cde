#pragma once

#include "taps/core/transport/descriptor.hpp"

namespace taps {

/// What UDP-Lite (RFC 3828) says of itself.
[[nodiscard]] const transport_descriptor& udplite_descriptor();

}  // namespace taps
