#include "taps/tests/support/network_namespace/dead_tunnel.hpp"

#include "taps/tests/support/network_namespace/network_namespace.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/if_tun.h>

namespace taps::testing {

dead_tunnel::dead_tunnel(const std::string& name)
    : tunnel_(::open("/dev/net/tun", O_RDWR | O_CLOEXEC)) {
  ifreq wanted{};
  wanted.ifr_flags = IFF_TUN | IFF_NO_PI;
  name.copy(wanted.ifr_name, sizeof wanted.ifr_name - 1);
  if (tunnel_ < 0)
    missing_ = std::string{"/dev/net/tun: "} + std::strerror(errno);
  else if (::ioctl(tunnel_, TUNSETIFF, &wanted) != 0)
    missing_ = std::string{"TUNSETIFF: "} + std::strerror(errno);
  else
    shell("ip link set " + name + " up");
}

dead_tunnel::~dead_tunnel() {
  if (tunnel_ >= 0)
    ::close(tunnel_);
}

}  // namespace taps::testing
