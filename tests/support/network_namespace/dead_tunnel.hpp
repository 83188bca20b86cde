#pragma once

#include <string>

namespace taps::testing {

/// An interface whose packets nobody answers (TUN), called `name` and up, without addresses: routes
/// that lead there end there.
class dead_tunnel {
public:
  explicit dead_tunnel(const std::string& name);
  dead_tunnel(const dead_tunnel&) = delete;
  dead_tunnel& operator=(const dead_tunnel&) = delete;
  /// The interface goes with it.
  ~dead_tunnel();

  /// Why there is none; empty when all is well. Tests skip with it.
  [[nodiscard]] const std::string& missing() const noexcept { return missing_; }

private:
  int tunnel_ = -1;
  std::string missing_;
};

}  // namespace taps::testing
