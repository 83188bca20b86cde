#pragma once

#include "taps/core/base/result.hpp"
#include "taps/core/base/time.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <utility>

namespace taps::sys {

/// The seam to the operating system: each system call that `net/` makes on sockets and on the
/// reactor goes through here, so that tests can play the kernel. Calls keep the conventions of
/// their namesakes, but an error comes back as `-errno` instead of through the global.
///
/// No call but `epoll_wait` answers `-EINTR`: data calls and `accept` start over, an interrupted
/// `connect` goes on and says `-EINPROGRESS`, an interrupted `close` has closed.
class kernel {
public:
  virtual ~kernel() = default;

  // -- time and waiting ------------------------------------------------------------

  virtual time_point now() = 0;
  virtual int epoll_create() = 0;
  virtual int epoll_ctl(int epoll, int operation, int fd, std::uint32_t events, void* context) = 0;
  virtual int epoll_wait(int epoll, std::span<epoll_event> events, int timeout_ms) = 0;
  /// Non-blocking and close-on-exec, starts at 0.
  virtual int eventfd() = 0;

  // -- sockets ------------------------------------------------------------------------

  /// Always non-blocking and close-on-exec.
  virtual int socket(int family, int type, int protocol) = 0;
  virtual int bind(int fd, const sockaddr* address, socklen_t size) = 0;
  virtual int listen(int fd, int backlog) = 0;
  /// The new descriptor is non-blocking and close-on-exec, too.
  virtual int accept(int fd, sockaddr* address, socklen_t* size) = 0;
  virtual int connect(int fd, const sockaddr* address, socklen_t size) = 0;
  virtual int shutdown(int fd, int how) = 0;
  virtual int close(int fd) = 0;
  virtual int getsockname(int fd, sockaddr* address, socklen_t* size) = 0;
  virtual int getpeername(int fd, sockaddr* address, socklen_t* size) = 0;
  virtual int setsockopt(int fd, int level, int name, const void* value, socklen_t size) = 0;
  virtual int getsockopt(int fd, int level, int name, void* value, socklen_t* size) = 0;
  virtual int ioctl(int fd, unsigned long request, void* argument) = 0;

  // -- data --------------------------------------------------------------------------------

  virtual ssize_t read(int fd, void* data, std::size_t size) = 0;
  /// A peer that is gone is `-EPIPE` and no signal, on sockets.
  virtual ssize_t write(int fd, const void* data, std::size_t size) = 0;
  virtual ssize_t writev(int fd, std::span<const iovec> pieces) = 0;
  virtual ssize_t recvmsg(int fd, msghdr* message, int flags) = 0;
  /// Like `sendmmsg`, always with `MSG_NOSIGNAL`.
  virtual ssize_t sendmsg(int fd, const msghdr* message, int flags) = 0;
  virtual int recvmmsg(int fd, std::span<mmsghdr> messages, int flags) = 0;
  virtual int sendmmsg(int fd, std::span<mmsghdr> messages, int flags) = 0;
};

/// The real one; stateless and safe to share between threads.
kernel& linux_kernel() noexcept;

/// Owns a descriptor; closes it through the kernel it came from.
class descriptor {
public:
  descriptor() noexcept = default;
  descriptor(kernel& os, int fd) noexcept : os_(&os), fd_(fd) {}
  descriptor(descriptor&& other) noexcept : os_(other.os_), fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(os_, other.os_);
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor() { reset(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
  void reset() noexcept {
    if (fd_ >= 0)
      os_->close(std::exchange(fd_, -1));
  }

private:
  kernel* os_ = nullptr;
  int fd_ = -1;
};

}  // namespace taps::sys
