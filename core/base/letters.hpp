#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace taps {

// Names of hosts, protocols and properties: ASCII, whatever the locale.

[[nodiscard]] constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] inline std::string to_lower(std::string_view text) {
  std::string result{text};
  for (auto& c : result)
    c = to_lower(c);
  return result;
}

[[nodiscard]] constexpr bool equal_but_for_case(std::string_view x, std::string_view y) noexcept {
  return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                    [](char a, char b) { return to_lower(a) == to_lower(b); });
}

}  // namespace taps
