#include "taps/tests/support/network_namespace/network_namespace.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sched.h>
#include <unistd.h>

namespace taps::testing {

namespace {

std::string& reason() {
  static std::string text = "main did not enter one";
  return text;
}

bool write_file(const char* name, const std::string& text) {
  std::ofstream out{name};
  out << text << std::flush;
  return static_cast<bool>(out);
}

std::string enter() {
  const auto user = std::to_string(::geteuid());
  const auto group = std::to_string(::getegid());
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
    return std::string{"unshare: "} + std::strerror(errno);
  if (!write_file("/proc/self/setgroups", "deny") ||
      !write_file("/proc/self/uid_map", "0 " + user + " 1") ||
      !write_file("/proc/self/gid_map", "0 " + group + " 1"))
    return "cannot map the user";
  if (std::system("ip link set lo up") != 0)
    return "ip does not work there";
  return {};
}

}  // namespace

std::string enter_network_namespace() { return reason() = enter(); }

const std::string& outside_namespace() { return reason(); }

void shell(const std::string& command) { EXPECT_EQ(std::system(command.c_str()), 0) << command; }

}  // namespace taps::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  static_cast<void>(taps::testing::enter_network_namespace());
  return RUN_ALL_TESTS();
}
