#pragma once

#include "taps/core/path/network.hpp"

#include <string>
#include <string_view>

namespace taps {

/// What the kernel tells of a link.
struct link_facts {
  std::string_view name;
  /// `ARPHRD_...`
  unsigned hardware = 0;
  /// The driver's kind, e.g. "veth"; empty for hardware.
  std::string_view kind;
};

/// Returns what kind of interface a link is. `sysfs` is where the kernel shows its devices: radio
/// links look like wired ones otherwise.
[[nodiscard]] interface_type type_of(const link_facts& link, const std::string& sysfs);

}  // namespace taps
