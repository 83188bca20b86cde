#pragma once

#include "taps/tests/conformance/support/fixture.hpp"
#include "taps/tests/support/network_namespace/network_namespace.hpp"

#include <sys/ioctl.h>

namespace taps::testing {

/// Connections to peers that are not ours, and their sockets.
class effects : public conformance {
protected:
  /// One that can be read as far as there is something.
  class stream_peer : public posix_socket {
  public:
    using posix_socket::posix_socket;
    explicit stream_peer(posix_socket x) : posix_socket(std::move(x)) {}

    std::size_t read_waiting() const {
      char buffer[65536];
      const auto n = ::recv(get(), buffer, sizeof buffer, MSG_DONTWAIT);
      return n > 0 ? static_cast<std::size_t>(n) : 0;
    }
  };

  void SetUp() override { TAPS_NEEDS_NAMESPACE(); }

  void connect(const preconnection& pre) {
    me_ = make_owner();
    made_ = initiate(pre, me_.actor);
    me_.log->wait("ready");
  }

  /// To a plain peer, `peer_`.
  void connect_stream(transport_properties wanted) {
    auto server = posix_bind();
    connect(to(loopback_remote(server.port()), std::move(wanted)));
    peer_ = stream_peer{posix_accept(server)};
  }

  /// The socket of a Connection, by its ends.
  int socket_of(const connection& x) {
    const auto properties = properties_of(x);
    const auto local = properties.get("_tapline.localEndpoint").get_or(std::string{});
    const auto remote = properties.get("_tapline.remoteEndpoint").get_or(std::string{});
    for (int fd = 3; fd < 1024; ++fd)
      if (end_of(fd, ::getsockname) == local && end_of(fd, ::getpeername) == remote)
        return fd;
    ADD_FAILURE() << "no socket from " << local << " to " << remote;
    return -1;
  }

  static int option(int fd, int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, level, name, &value, &size) == 0 ? value : -1;
  }

  int option(const connection& x, int level, int name) { return option(socket_of(x), level, name); }

  int traffic_class(const connection& x, int family) {
    return family == AF_INET ? option(x, IPPROTO_IP, IP_TOS) : option(x, IPPROTO_IPV6, IPV6_TCLASS);
  }

  owner me_;
  connection made_;
  stream_peer peer_;

private:
  template<class Get>
  static std::string end_of(int fd, Get get) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    char text[INET6_ADDRSTRLEN] = {};
    if (get(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      return {};
    if (address.ss_family == AF_INET) {
      const auto& x = reinterpret_cast<const sockaddr_in&>(address);
      ::inet_ntop(AF_INET, &x.sin_addr, text, sizeof text);
      return std::string{text} + ":" + std::to_string(ntohs(x.sin_port));
    }
    const auto& x = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &x.sin6_addr, text, sizeof text);
    return "[" + std::string{text} + "]:" + std::to_string(ntohs(x.sin6_port));
  }
};

}  // namespace taps::testing
