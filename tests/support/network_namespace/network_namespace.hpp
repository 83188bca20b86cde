#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

namespace taps::testing {

/// Why this process is not in a network namespace of its own; empty inside. Tests skip with it.
[[nodiscard]] const std::string& outside_namespace();

/// Runs a command of a shell, such as `ip link add ...`, in the namespace. Fails the test if it
/// fails.
void shell(const std::string& command);

/// Another host: a process in a network namespace of its own, with a cable to ours. Here the
/// cable's end is `name`, there it is `eth0`; both ends are up, without addresses.
class neighbour {
public:
  explicit neighbour(const std::string& name);
  neighbour(const neighbour&) = delete;
  neighbour& operator=(const neighbour&) = delete;
  /// Ends what runs there; the cable goes with it.
  ~neighbour();

  /// Runs a command there and waits for it.
  void shell(const std::string& command);
  /// Starts a command there that goes on until the neighbour goes.
  void start(const std::string& command);

private:
  [[nodiscard]] std::string there(const std::string& command) const;

  std::string name_;
  pid_t host_ = -1;
  std::vector<pid_t> running_;
};

/// In front of a test's body: skips it, saying why, where namespaces are not to be had.
#define TAPS_NEEDS_NAMESPACE()                                                                     \
  if (!::taps::testing::outside_namespace().empty())                                               \
  GTEST_SKIP() << "no network namespace: " << ::taps::testing::outside_namespace()

}  // namespace taps::testing
