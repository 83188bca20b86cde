#pragma once

#include <cstdint>
#include <string_view>

namespace taps {

/// What the Security Parameters allow a protocol stack to be (RFC 9622, section 6.3.1).
enum class security_mode : std::uint8_t {
  /// Encrypted stacks only: the default.
  secure,
  /// Encrypted stacks first, without insisting on the peer's identity; plain ones once those
  /// failed.
  opportunistic,
  /// Plain stacks only.
  disabled,
};

[[nodiscard]] constexpr std::string_view to_string(security_mode x) noexcept {
  switch (x) {
  case security_mode::secure:
    return "secure";
  case security_mode::opportunistic:
    return "opportunistic";
  case security_mode::disabled:
    return "disabled";
  }
  return "unknown";
}

}  // namespace taps
