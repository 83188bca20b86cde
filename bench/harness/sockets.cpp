#include "taps/bench/harness/sockets.hpp"

#include "taps/bench/harness/work.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <system_error>

namespace bench {

namespace {

sockaddr_in make_address(const std::string& address, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  if (::inet_pton(AF_INET, address.c_str(), &result.sin_addr) != 1)
    fail("inet_pton");
  return result;
}

int make_socket(int flags) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  int on = 1;
  if (fd < 0 || ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
    fail("socket");
  return fd;
}

}  // namespace

void fail(const char* call) { throw std::system_error(errno, std::generic_category(), call); }

int open_listener(const std::string& address, std::uint16_t& port) {
  int fd = make_socket(SOCK_NONBLOCK);
  auto at = make_address(address, 0);
  socklen_t size = sizeof(at);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&at), size) != 0 ||
      ::listen(fd, listen_backlog) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    fail("listen");
  port = ntohs(at.sin_port);
  return fd;
}

int start_connect(const std::string& address, std::uint16_t port) {
  int fd = make_socket(SOCK_NONBLOCK);
  auto to = make_address(address, port);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0 && errno != EINPROGRESS)
    fail("connect");
  return fd;
}

int connect_blocking(const std::string& address, std::uint16_t port) {
  int fd = make_socket(0);
  auto to = make_address(address, port);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0)
    fail("connect");
  return fd;
}

}  // namespace bench
