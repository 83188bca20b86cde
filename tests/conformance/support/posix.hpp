#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taps::testing {

// Peers that are not ours: plain POSIX sockets on the loopback interface. Every wait of theirs ends
// after ten seconds.

/// A blocking socket with time limits.
class posix_socket {
public:
  explicit posix_socket(int fd = -1) noexcept : fd_(fd) {
    open_ += fd >= 0 ? 1 : 0;
    timeval limit{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  posix_socket(posix_socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  posix_socket& operator=(posix_socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~posix_socket() { close(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  /// How many are open in this program.
  [[nodiscard]] static std::size_t open() noexcept { return open_; }
  void close() noexcept {
    if (fd_ < 0)
      return;
    ::close(std::exchange(fd_, -1));
    --open_;
  }
  /// Closes with a reset.
  void reset() noexcept {
    linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  bool send(std::string_view data) const {
    while (!data.empty()) {
      const auto n = ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
      if (n <= 0)
        return false;
      data.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  void finish() const noexcept { ::shutdown(fd_, SHUT_WR); }

  /// Reads up to `limit` bytes, or to the end; `failure` tells the errno of a failed read.
  std::string read(std::size_t limit = static_cast<std::size_t>(-1), int* failure = nullptr) const {
    std::string result;
    std::vector<char> buffer(64 * 1024);
    while (result.size() < limit) {
      const auto n = ::recv(fd_, buffer.data(), std::min(buffer.size(), limit - result.size()), 0);
      if (n < 0 && failure)
        *failure = errno;
      if (n <= 0)
        break;
      result.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return result;
  }
  [[nodiscard]] std::uint16_t port() const {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.ss_family == AF_INET
                     ? reinterpret_cast<sockaddr_in*>(&address)->sin_port
                     : reinterpret_cast<sockaddr_in6*>(&address)->sin6_port);
  }

private:
  static inline std::atomic<std::size_t> open_{0};

  int fd_;
};

inline socklen_t loopback(sockaddr_storage& out, int family, std::uint16_t port) {
  std::memset(&out, 0, sizeof out);
  if (family == AF_INET) {
    auto& x = reinterpret_cast<sockaddr_in&>(out);
    x.sin_family = AF_INET;
    x.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    x.sin_port = htons(port);
    return sizeof x;
  }
  auto& x = reinterpret_cast<sockaddr_in6&>(out);
  x.sin6_family = AF_INET6;
  x.sin6_addr = in6addr_loopback;
  x.sin6_port = htons(port);
  return sizeof x;
}

/// Connects; the socket is invalid when that failed.
inline posix_socket posix_connect(std::uint16_t port, int family = AF_INET, int type = SOCK_STREAM,
                                  int protocol = 0) {
  posix_socket result{::socket(family, type | SOCK_CLOEXEC, protocol)};
  sockaddr_storage address;
  const auto size = loopback(address, family, port);
  if (::connect(result.get(), reinterpret_cast<sockaddr*>(&address), size) != 0)
    result.close();
  return result;
}

/// Binds; for streams also listens.
inline posix_socket posix_bind(std::uint16_t port = 0, int family = AF_INET, int type = SOCK_STREAM,
                               int backlog = 16, int protocol = 0) {
  posix_socket result{::socket(family, type | SOCK_CLOEXEC, protocol)};
  const int one = 1;
  if (family == AF_INET6)
    ::setsockopt(result.get(), IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  sockaddr_storage address;
  const auto size = loopback(address, family, port);
  if (::bind(result.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      (type == SOCK_STREAM && ::listen(result.get(), backlog) != 0))
    result.close();
  return result;
}

inline posix_socket posix_accept(const posix_socket& listener) {
  pollfd wait{listener.get(), POLLIN, 0};
  return posix_socket{::poll(&wait, 1, 10000) == 1
                          ? ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)
                          : -1};
}

/// A port on which nobody listens, for as long as this lives.
class closed_port {
public:
  closed_port() : holder_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage address;
    const auto size = loopback(address, AF_INET, 0);
    ::bind(holder_.get(), reinterpret_cast<sockaddr*>(&address), size);
  }
  [[nodiscard]] std::uint16_t port() const { return holder_.port(); }

private:
  posix_socket holder_;
};

/// A port that answers nothing: its accept queue is full, so further SYNs are dropped.
class black_hole {
public:
  explicit black_hole(std::uint16_t port = 0, int family = AF_INET)
      : listener_(posix_bind(port, family, SOCK_STREAM, 0)) {
    sockaddr_storage address;
    const auto size = loopback(address, family, listener_.port());
    for (int i = 0; i < 4; ++i) {
      posix_socket filler{::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
      ::connect(filler.get(), reinterpret_cast<sockaddr*>(&address), size);
      fillers_.push_back(std::move(filler));
    }
  }
  [[nodiscard]] std::uint16_t port() const { return listener_.port(); }

private:
  posix_socket listener_;
  std::vector<posix_socket> fillers_;
};

}  // namespace taps::testing
