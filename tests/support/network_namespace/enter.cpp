#include "taps/tests/support/network_namespace/enter.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sched.h>
#include <unistd.h>

namespace taps::testing {

namespace {

bool write_file(const char* name, const std::string& text) {
  std::ofstream out{name};
  out << text << std::flush;
  return static_cast<bool>(out);
}

}  // namespace

std::string enter_network_namespace() {
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

}  // namespace taps::testing
