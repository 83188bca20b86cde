#pragma once

#include "taps/core/base/result.hpp"

#include <string>
#include <string_view>

namespace taps {

/// Reads a whole file; errors name it.
[[nodiscard]] result<std::string> read_text_file(const std::string& path);

/// Writes a whole file: whoever looks, also after a crash, finds the old content or the new one.
/// Writes beside it, then renames.
[[nodiscard]] result<void> write_text_file(const std::string& path, std::string_view text);

}  // namespace taps
