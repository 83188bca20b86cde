#include "taps/net/sys/kernel.hpp"

#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

namespace taps::sys {

namespace {

template<class T>
T or_errno(T answer) noexcept {
  return answer < 0 ? static_cast<T>(-errno) : answer;
}

/// Calls until a signal does not get in between.
template<class Call>
auto retry(Call call) noexcept -> decltype(call()) {
  for (;;) {
    const auto answer = or_errno(call());
    if (answer != -EINTR)
      return answer;
  }
}

class real_kernel final : public kernel {
public:
  // -- time and waiting ------------------------------------------------------------

  time_point now() override { return clock::now(); }

  int epoll_create() override { return or_errno(::epoll_create1(EPOLL_CLOEXEC)); }

  int epoll_ctl(int epoll, int operation, int fd, std::uint32_t events, void* context) override {
    epoll_event event{};
    event.events = events;
    event.data.ptr = context;
    return or_errno(::epoll_ctl(epoll, operation, fd, &event));
  }

  int epoll_wait(int epoll, std::span<epoll_event> events, int timeout_ms) override {
    return or_errno(
        ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), timeout_ms));
  }

  int eventfd() override { return or_errno(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }

  // -- sockets ------------------------------------------------------------------------

  int socket(int family, int type, int protocol) override {
    return or_errno(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
  }

  int bind(int fd, const sockaddr* address, socklen_t size) override {
    return or_errno(::bind(fd, address, size));
  }

  int listen(int fd, int backlog) override { return or_errno(::listen(fd, backlog)); }

  int accept(int fd, sockaddr* address, socklen_t* size) override {
    return retry([=] { return ::accept4(fd, address, size, SOCK_NONBLOCK | SOCK_CLOEXEC); });
  }

  int connect(int fd, const sockaddr* address, socklen_t size) override {
    const auto answer = or_errno(::connect(fd, address, size));
    // The attempt goes on behind our back (POSIX, connect): a second call would be an error.
    return answer == -EINTR ? -EINPROGRESS : answer;
  }

  int shutdown(int fd, int how) override { return or_errno(::shutdown(fd, how)); }

  int close(int fd) override {
    const auto answer = or_errno(::close(fd));
    // Linux has let go of the number already; again could hit somebody else's descriptor.
    return answer == -EINTR ? 0 : answer;
  }

  int getsockname(int fd, sockaddr* address, socklen_t* size) override {
    return or_errno(::getsockname(fd, address, size));
  }

  int getpeername(int fd, sockaddr* address, socklen_t* size) override {
    return or_errno(::getpeername(fd, address, size));
  }

  int setsockopt(int fd, int level, int name, const void* value, socklen_t size) override {
    return or_errno(::setsockopt(fd, level, name, value, size));
  }

  int getsockopt(int fd, int level, int name, void* value, socklen_t* size) override {
    return or_errno(::getsockopt(fd, level, name, value, size));
  }

  int ioctl(int fd, unsigned long request, void* argument) override {
    return or_errno(::ioctl(fd, request, argument));
  }

  // -- data --------------------------------------------------------------------------------

  ssize_t read(int fd, void* data, std::size_t size) override {
    return retry([=] { return ::read(fd, data, size); });
  }

  // A library cannot ignore SIGPIPE for the whole process, so sockets are written to by calls that
  // can do without the signal; what is no socket refuses those.
  ssize_t write(int fd, const void* data, std::size_t size) override {
    const auto answer = retry([=] { return ::send(fd, data, size, MSG_NOSIGNAL); });
    return answer != -ENOTSOCK ? answer : retry([=] { return ::write(fd, data, size); });
  }

  ssize_t writev(int fd, std::span<const iovec> pieces) override {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    const auto answer = sendmsg(fd, &message, 0);
    return answer != -ENOTSOCK ? answer : retry([=] {
      return ::writev(fd, pieces.data(), static_cast<int>(pieces.size()));
    });
  }

  ssize_t recvmsg(int fd, msghdr* message, int flags) override {
    return retry([=] { return ::recvmsg(fd, message, flags | MSG_CMSG_CLOEXEC); });
  }

  ssize_t sendmsg(int fd, const msghdr* message, int flags) override {
    return retry([=] { return ::sendmsg(fd, message, flags | MSG_NOSIGNAL); });
  }

  int recvmmsg(int fd, std::span<mmsghdr> messages, int flags) override {
    return retry([=] {
      return ::recvmmsg(fd, messages.data(), static_cast<unsigned>(messages.size()),
                        flags | MSG_CMSG_CLOEXEC, nullptr);
    });
  }

  int sendmmsg(int fd, std::span<mmsghdr> messages, int flags) override {
    return retry([=] {
      return ::sendmmsg(fd, messages.data(), static_cast<unsigned>(messages.size()),
                        flags | MSG_NOSIGNAL);
    });
  }
};

}  // namespace

kernel& linux_kernel() noexcept {
  static real_kernel os;
  return os;
}

}  // namespace taps::sys
