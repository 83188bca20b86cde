#pragma once

#include <string>

namespace taps::testing {

/// Moves this process into a user and network namespace of its own, as their root: with a loopback
/// interface that is up and nothing else. To be called from `main`, before there are other threads.
/// Returns what stands in the way; empty when all is well.
[[nodiscard]] std::string enter_network_namespace();

/// Why `enter_network_namespace` failed, or was never called; empty inside. Tests skip with it.
[[nodiscard]] const std::string& outside_namespace();

/// Runs a command of a shell, such as `ip link add ...`, in the namespace. Fails the test if it
/// fails.
void shell(const std::string& command);

/// In front of a test's body: skips it, saying why, where namespaces are not to be had.
#define TAPS_NEEDS_NAMESPACE()                                                                     \
  if (!::taps::testing::outside_namespace().empty())                                               \
  GTEST_SKIP() << "no network namespace: " << ::taps::testing::outside_namespace()

}  // namespace taps::testing
