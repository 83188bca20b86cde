#pragma once

#include "taps/core/transport/descriptor.hpp"

namespace taps {

/// What TCP (RFC 9293) says of itself.
[[nodiscard]] const transport_descriptor& tcp_descriptor();

}  // namespace taps
