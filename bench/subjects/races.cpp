// Who connects first when one of two addresses is dead.

#include "taps/bench/harness/sockets.hpp"
#include "taps/bench/subjects/makers.hpp"
#include "taps/taps.hpp"

#include <arpa/inet.h>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <poll.h>
#include <thread>

namespace bench {

namespace {

using seconds = std::chrono::duration<double>;

constexpr seconds nobody{-1};

class stopwatch {
public:
  [[nodiscard]] seconds read() const { return std::chrono::steady_clock::now() - begin_; }

private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

bool connect_v6(const std::string& address, std::uint16_t port) {
  auto fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(port);
  ::inet_pton(AF_INET6, address.c_str(), &to.sin6_addr);
  auto done = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
  ::close(fd);
  return done;
}

// Keeps the time of whatever happens first, then leaves.
caf::behavior racer(caf::event_based_actor* self, taps::preconnection pre, seconds* took) {
  taps::initiate(pre, self);
  self->set_default_handler(caf::drop);
  return {
      [=, watch = stopwatch{}](const taps::ready&) {
        *took = watch.read();
        self->quit();
      },
      [=](const taps::establishment_error& ev) {
        std::fprintf(stderr, "compare: tapline: %s\n", to_string(ev.reason).c_str());
        self->quit();
      },
  };
}

}  // namespace

seconds race_ideal(const race_course& course) {
  stopwatch watch;
  std::this_thread::sleep_for(course.attempt_delay);
  connect_blocking(course.live, course.port);
  return watch.read();
}

seconds race_tapline(const race_course& course) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  taps::transport_services services{system};
  auto at = [&](const std::string& address) {
    return taps::remote_endpoint{}.with_ip_address(address).with_port(course.port);
  };
  auto pre = services.preconnection({}, {at(course.dead), at(course.live)},
                                    taps::reliable_inorder_stream(),
                                    taps::security_parameters::disabled());
  pre.set_racing({.attempt_delay = course.attempt_delay});
  auto took = nobody;
  caf::scoped_actor self{system};
  self->wait_for(services.spawn(racer, pre, &took));
  return took;
}

seconds race_curl(const race_course& course) {
  auto port = std::to_string(course.port);
  // The server hangs up without an answer, which is all the same for the time of the connect.
  auto command = "curl --silent --output /dev/null --write-out '%{time_connect}'"
                 " --happy-eyeballs-timeout-ms " +
                 std::to_string(course.attempt_delay.count()) + " --resolve race.test:" + port +
                 ":[" + course.dead + "]," + course.live + " http://race.test:" + port + "/";
  auto* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr)
    return nobody;
  double took = 0;
  auto read = std::fscanf(pipe, "%lf", &took);
  ::pclose(pipe);
  if (read != 1 || took <= 0)
    return nobody;
  return seconds{took};
}

seconds race_sequential(const race_course& course) {
  stopwatch watch;
  if (!connect_v6(course.dead, course.port))
    connect_blocking(course.live, course.port);
  return watch.read();
}

}  // namespace bench
