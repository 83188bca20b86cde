#include "taps/core/racing/duration_text.hpp"

#include <array>
#include <cstdio>

namespace taps {

std::string duration_text(duration x) {
  auto ms = std::chrono::duration<double, std::milli>{x}.count();
  auto size = ms < 0 ? -ms : ms;
  std::array<char, 48> text{};
  if (size < 9.995)
    std::snprintf(text.data(), text.size(), "%.2f ms", ms);
  else if (size < 9999.95)
    std::snprintf(text.data(), text.size(), "%.1f ms", ms);
  else
    std::snprintf(text.data(), text.size(), "%.2f s", ms / 1000);
  return text.data();
}

}  // namespace taps
