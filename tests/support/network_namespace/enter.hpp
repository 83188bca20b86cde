#pragma once

#include <string>

namespace taps::testing {

/// Moves this process into a user and network namespace of its own, as their root: with a loopback
/// interface that is up and nothing else. To be called before there are other threads. Returns what
/// stands in the way; empty when all is well.
[[nodiscard]] std::string enter_network_namespace();

}  // namespace taps::testing
