#include "taps/tests/support/recording_sink/plain_socket.hpp"

#include "taps/net/socket/native_address.hpp"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace taps::testing {

plain_socket::plain_socket(int family, int type, int protocol)
    : fd_(::socket(family, type | SOCK_CLOEXEC, protocol)) {
  const timeval limit{60, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

plain_socket::plain_socket(plain_socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

plain_socket& plain_socket::operator=(plain_socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

plain_socket plain_socket::listening(int family, int backlog) {
  plain_socket result{family, SOCK_STREAM};
  result.bind({ip_address::loopback(family == AF_INET ? ip_family::v4 : ip_family::v6), 0, 0});
  ::listen(result.fd_, backlog);
  return result;
}

socket_address plain_socket::local() const {
  native_address address;
  ::getsockname(fd_, address.data(), address.size_out());
  return address.get();
}

void plain_socket::option(int level, int name, int value) {
  ::setsockopt(fd_, level, name, &value, sizeof value);
}

int plain_socket::bind(const socket_address& x) {
  const native_address address{x};
  return ::bind(fd_, address.data(), address.size()) == 0 ? 0 : errno;
}

int plain_socket::connect(const socket_address& x) {
  const native_address address{x};
  return ::connect(fd_, address.data(), address.size()) == 0 ? 0 : errno;
}

plain_socket plain_socket::accept() {
  return plain_socket{::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC)};
}

std::size_t plain_socket::send(std::string_view data) {
  std::size_t sent = 0;
  do {
    const auto n = ::send(fd_, data.data() + sent, data.size() - sent, MSG_NOSIGNAL);
    if (n < 0)
      break;
    sent += static_cast<std::size_t>(n);
  } while (sent < data.size());
  return sent;
}

std::size_t plain_socket::send_to(std::string_view data, const socket_address& to) {
  const native_address address{to};
  const auto n = ::sendto(fd_, data.data(), data.size(), 0, address.data(), address.size());
  return n < 0 ? 0 : static_cast<std::size_t>(n);
}

std::string plain_socket::receive(std::size_t size, int* code) {
  std::string result(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const auto n = ::recv(fd_, result.data() + got, size - got, 0);
    if (n < 0 && code)
      *code = errno;
    if (n <= 0)
      break;
    got += static_cast<std::size_t>(n);
  }
  result.resize(got);
  return result;
}

std::string plain_socket::receive_all(int* code) {
  std::string result;
  std::string block;
  do {
    block = receive(64 * 1024, code);
    result += block;
  } while (block.size() == 64 * 1024);
  return result;
}

std::string plain_socket::receive_from(socket_address* from) {
  std::string result(65536, '\0');
  native_address address;
  const auto n =
      ::recvfrom(fd_, result.data(), result.size(), 0, address.data(), address.size_out());
  result.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  if (from)
    *from = address.get();
  return result;
}

void plain_socket::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void plain_socket::close() {
  if (fd_ >= 0)
    ::close(std::exchange(fd_, -1));
}

}  // namespace taps::testing
