#pragma once

#include <string>

namespace taps::testing {

/// An interface whose packets nobody answers (TUN), called `name` and up, without addresses: routes
/// that lead there end there.
class black_hole {
public:
  explicit black_hole(const std::string& name);
  black_hole(const black_hole&) = delete;
  black_hole& operator=(const black_hole&) = delete;
  /// The interface goes with it.
  ~black_hole();

  /// Why there is none; empty when all is well. Tests skip with it.
  [[nodiscard]] const std::string& missing() const noexcept { return missing_; }

private:
  int tunnel_ = -1;
  std::string missing_;
};

}  // namespace taps::testing
