#include "taps/net/resolver/dns_channel.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>

namespace taps {

namespace {

int library_status() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  return status;
}

int to_ms(std::chrono::milliseconds x) {
  return static_cast<int>(
      std::clamp<std::int64_t>(x.count(), 1, std::numeric_limits<int>::max() / 1024));
}

error ares_error(errc reason, std::string_view what, int status) {
  return {reason, std::string{what} + ": " + ares_strerror(status)};
}

/// Back to the convention of the C library, which c-ares follows.
template<class T>
T to_errno(T answer) {
  if (answer >= 0)
    return answer;
  errno = static_cast<int>(-answer);
  return -1;
}

}  // namespace

// -- watched_socket ---------------------------------------------------------------

class dns_channel::watched_socket final : public io_source {
public:
  watched_socket(dns_channel& owner, int fd) : owner_(&owner), fd_(fd) {}

  void on_io(std::uint32_t events) override {
    constexpr std::uint32_t broken = EPOLLERR | EPOLLHUP;
    // The call may destroy this.
    owner_->process((events & (EPOLLIN | broken)) != 0 ? fd_ : ARES_SOCKET_BAD,
                    (events & (EPOLLOUT | broken)) != 0 ? fd_ : ARES_SOCKET_BAD);
  }

private:
  dns_channel* owner_;
  int fd_;
};

// -- construction -----------------------------------------------------------------

dns_channel::dns_channel(reactor& loop) : loop_(&loop) {}

dns_channel::~dns_channel() {
  if (channel_)
    ares_destroy(channel_);
}

result<void> dns_channel::open(const dns_options& options) {
  interface_ = options.interface;
  if (const auto status = library_status(); status != ARES_SUCCESS)
    return ares_error(errc::resolution_failed, "cannot prepare for DNS", status);
  ares_options wanted{};
  std::string lookups = "b";
  wanted.sock_state_cb = on_socket_state;
  wanted.sock_state_cb_data = this;
  wanted.timeout = to_ms(options.timeout);
  wanted.tries = std::max(options.tries, 1);
  wanted.lookups = lookups.data();
  constexpr int mask =
      ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS;
  if (const auto status = ares_init_options(&channel_, &wanted, mask); status != ARES_SUCCESS)
    return ares_error(errc::resolution_failed, "cannot prepare for DNS", status);
  ares_set_socket_functions(channel_, &socket_functions(), this);
  if (options.servers.empty())
    return {};
  std::string servers;
  for (const auto& x : options.servers)
    servers += (servers.empty() ? "" : ",") + x;
  if (const auto status = ares_set_servers_ports_csv(channel_, servers.c_str());
      status != ARES_SUCCESS)
    return ares_error(errc::invalid_configuration, "DNS servers \"" + servers + "\"", status);
  return {};
}

int dns_channel::open_socket(int family, int type, int protocol) {
  auto& os = loop_->os();
  auto made = os.socket(family, type, protocol);
  if (made >= 0 && !interface_.empty()) {
    const auto bound = os.setsockopt(made, SOL_SOCKET, SO_BINDTODEVICE, interface_.data(),
                                     static_cast<socklen_t>(interface_.size()));
    if (bound < 0) {
      os.close(made);
      made = bound;
    }
  }
  socket_error_ = made < 0 ? -made : 0;
  return to_errno(made);
}

const ares_socket_functions& dns_channel::socket_functions() {
  static constexpr auto os_of = [](void* self) -> sys::kernel& {
    return static_cast<dns_channel*>(self)->loop_->os();
  };
  static const ares_socket_functions functions{
      [](int family, int type, int protocol, void* self) {
        return static_cast<dns_channel*>(self)->open_socket(family, type, protocol);
      },
      [](ares_socket_t fd, void* self) { return to_errno(os_of(self).close(fd)); },
      [](ares_socket_t fd, const sockaddr* address, ares_socklen_t size, void* self) {
        return to_errno(os_of(self).connect(fd, address, size));
      },
      [](ares_socket_t fd, void* data, std::size_t size, int flags, sockaddr* from,
         ares_socklen_t* from_size, void* self) -> ares_ssize_t {
        iovec piece{data, size};
        msghdr message{};
        message.msg_name = from;
        message.msg_namelen = from_size ? *from_size : 0;
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        const auto answer = os_of(self).recvmsg(fd, &message, flags);
        if (from_size && answer >= 0)
          *from_size = message.msg_namelen;
        return to_errno(answer);
      },
      [](ares_socket_t fd, const iovec* pieces, int count, void* self) -> ares_ssize_t {
        return to_errno(os_of(self).writev(fd, {pieces, static_cast<std::size_t>(count)}));
      },
  };
  return functions;
}

// -- queries ------------------------------------------------------------------------

void dns_channel::query(const std::string& name, ip_family family, ares_addrinfo_callback done,
                        void* context) {
  ares_addrinfo_hints hints{};
  // The order of addresses is the business of whoever races them.
  hints.ai_flags = ARES_AI_NOSORT;
  hints.ai_family = family == ip_family::v4 ? AF_INET : AF_INET6;
  ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, done, context);
  arm_timer();
}

void dns_channel::query(const std::string& name, dns_record type, ares_callback done,
                        void* context) {
  constexpr int class_in = 1;
  ares_query(channel_, name.c_str(), class_in, number_of(type), done, context);
  arm_timer();
}

void dns_channel::process(ares_socket_t readable, ares_socket_t writable) {
  ares_process_fd(channel_, readable, writable);
  arm_timer();
}

void dns_channel::arm_timer() {
  timeval left{};
  if (!ares_timeout(channel_, nullptr, &left)) {
    timer_.cancel();
    return;
  }
  // The time of the turn may be old already, and then the timer would ring too early.
  loop_->timers().schedule(timer_, loop_->os().now() + std::chrono::seconds{left.tv_sec} +
                                       std::chrono::microseconds{left.tv_usec});
}

void dns_channel::on_timer(void* self) {
  static_cast<dns_channel*>(self)->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

void dns_channel::on_socket_state(void* self, ares_socket_t fd, int read, int write) {
  static_cast<dns_channel*>(self)->watch(fd, read != 0, write != 0);
}

void dns_channel::watch(int fd, bool read, bool write) {
  const auto events = (read ? std::uint32_t{EPOLLIN} : 0) | (write ? std::uint32_t{EPOLLOUT} : 0);
  if (events == 0) {
    sockets_.erase(fd);
    return;
  }
  auto& socket = sockets_[fd];
  // c-ares cannot be told of a failure here: the query then ends by its time-out.
  if (socket) {
    static_cast<void>(loop_->modify(*socket, events));
    return;
  }
  socket = std::make_unique<watched_socket>(*this, fd);
  static_cast<void>(loop_->add(fd, events, *socket));
}

}  // namespace taps
