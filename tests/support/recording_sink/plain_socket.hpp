#pragma once

#include "taps/core/endpoint/socket_address.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/socket.h>

namespace taps::testing {

/// A blocking POSIX socket, as a program without Tapline would use it: the other end in tests of
/// interoperability. Calls give up after a minute.
class plain_socket {
public:
  plain_socket() noexcept = default;
  plain_socket(int family, int type, int protocol = 0);
  explicit plain_socket(int fd) noexcept : fd_(fd) {}
  plain_socket(plain_socket&& other) noexcept;
  plain_socket& operator=(plain_socket&& other) noexcept;
  ~plain_socket() { close(); }

  /// Returns a socket that listens on an ephemeral port of the loopback.
  static plain_socket listening(int family = AF_INET, int backlog = 16);

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
  [[nodiscard]] socket_address local() const;

  void option(int level, int name, int value);
  /// Return 0 or `errno`.
  int bind(const socket_address& x);
  int connect(const socket_address& x);
  [[nodiscard]] plain_socket accept();

  /// Sends all of it; returns what went out.
  std::size_t send(std::string_view data);
  std::size_t send_to(std::string_view data, const socket_address& to);
  /// Receives up to `size` bytes or, with the end of the stream, fewer; `code` gets `errno`.
  std::string receive(std::size_t size, int* code = nullptr);
  /// Receives until the end of the stream.
  std::string receive_all(int* code = nullptr);
  /// Receives one datagram.
  std::string receive_from(socket_address* from = nullptr);

  void shut_down(int how) { ::shutdown(fd_, how); }
  /// Closes so that the peer gets a reset.
  void reset();
  void close();

private:
  int fd_ = -1;
};

}  // namespace taps::testing
