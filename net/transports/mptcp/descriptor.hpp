#pragma once

#include "taps/core/transport/descriptor.hpp"

namespace taps {

/// What Multipath TCP (RFC 8684) says of itself.
[[nodiscard]] const transport_descriptor& mptcp_descriptor();

}  // namespace taps
