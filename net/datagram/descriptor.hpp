#pragma once

#include "taps/core/transport/descriptor.hpp"

namespace taps {

/// What the kernel's protocols of datagrams say of themselves, as far as they have it in common.
[[nodiscard]] transport_descriptor describe_datagrams(std::string_view name);

}  // namespace taps
