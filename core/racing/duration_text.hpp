#pragma once

#include "taps/core/base/time.hpp"

#include <string>

namespace taps {

/// Returns a duration for people: `"0.42 ms"`, `"250.0 ms"`, `"12.50 s"`.
[[nodiscard]] std::string duration_text(duration x);

}  // namespace taps
