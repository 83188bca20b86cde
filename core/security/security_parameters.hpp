#pragma once

#include "taps/core/security/security_mode.hpp"

namespace taps {

/// How a Connection is secured (RFC 9622, section 6.3). The default asks for encryption and
/// authentication and never falls back to less.
class security_parameters {
public:
  security_parameters() noexcept = default;

  /// No security at all: plain connections, by name only.
  [[nodiscard]] static security_parameters disabled() noexcept {
    return security_parameters{security_mode::disabled};
  }

  /// Unauthenticated security where the peer has it, else plain.
  [[nodiscard]] static security_parameters opportunistic() noexcept {
    return security_parameters{security_mode::opportunistic};
  }

  [[nodiscard]] security_mode mode() const noexcept { return mode_; }

  friend bool operator==(const security_parameters&, const security_parameters&) = default;

private:
  explicit security_parameters(security_mode mode) noexcept : mode_(mode) {}

  security_mode mode_ = security_mode::secure;
};

}  // namespace taps
