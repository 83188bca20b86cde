#pragma once

#include <cstdint>
#include <string>

namespace taps {

/// A way through the network.
struct path {
  /// Name of the interface that all packets take; empty for the kernel's choice.
  std::string interface;
  /// The kernel's index of the interface, where one is named and known.
  std::uint32_t index = 0;

  friend bool operator==(const path&, const path&) = default;
};

}  // namespace taps
