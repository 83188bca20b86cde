#include "taps/bench/harness/race_course.hpp"

#include "taps/bench/harness/sockets.hpp"
#include "taps/tests/support/network_namespace/enter.hpp"

#include <cstdlib>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace bench {

namespace {

void shell(const std::string& command) {
  if (std::system(command.c_str()) != 0)
    throw std::runtime_error("this failed: " + command);
}

// A cable to an end that knows nobody. The neighbour's hardware address is given, or the kernel
// would notice after some seconds that nobody answers to its question for it.
void lay_cable_to_nowhere(const std::string& dead) {
  shell("ip link add hole type veth peer name drain");
  shell("ip link set drain up && ip link set hole up");
  shell("ip address add 2001:db8::1/64 dev hole nodad");
  shell("ip neigh add " + dead + " lladdr 02:00:00:00:00:01 dev hole nud permanent");
  // One try is given up after 3 seconds in place of 127: nobody wants to wait for `sequential`.
  shell("echo 1 > /proc/sys/net/ipv4/tcp_syn_retries");
}

void serve(int listener) {
  std::thread{[listener] {
    for (;;) {
      pollfd ready{.fd = listener, .events = POLLIN, .revents = 0};
      ::poll(&ready, 1, -1);
      if (auto fd = ::accept(listener, nullptr, nullptr); fd >= 0)
        ::close(fd);
    }
  }}.detach();
}

}  // namespace

race_course enter_race_course() {
  if (auto problem = taps::testing::enter_network_namespace(); !problem.empty())
    throw std::runtime_error("no network namespace: " + problem);
  race_course course;
  lay_cable_to_nowhere(course.dead);
  serve(open_listener(course.live, course.port));
  return course;
}

}  // namespace bench
