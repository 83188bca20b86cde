#include "taps/net/stream/fast_open.hpp"

#include "taps/net/files/text_file.hpp"
#include "taps/net/socket/socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <array>
#include <cerrno>
#include <cstdlib>

namespace taps {

namespace {

constexpr auto setting = "/proc/sys/net/ipv4/tcp_fastopen";
/// How many connections may have brought data and not finished their handshake.
constexpr int backlog = 256;

}  // namespace

bool fast_open_permitted(establishment how) {
  const auto text = read_text_file(setting);
  const auto bits = text ? std::strtol(text->c_str(), nullptr, 0) : 0;
  return (bits & (how == establishment::listen ? 2 : 1)) != 0;
}

result<void> check_fast_open(preference wanted, establishment how) {
  if (wanted != preference::require || fast_open_permitted(how))
    return {};
  return {errc::not_supported, std::string{"zeroRttMsg: net.ipv4.tcp_fastopen does not let "} +
                                   (how == establishment::listen ? "servers" : "clients")};
}

int connect_with_data(sys::kernel& os, int fd, const native_address& remote,
                      outbound_queue& early) {
  std::array<iovec, 16> pieces;
  std::size_t count = 0;
  for (const auto& piece : early.pieces()) {
    if (count == pieces.size())
      break;
    pieces[count++] = {const_cast<std::byte*>(piece.data.data()), piece.data.size()};
  }
  msghdr header{};
  header.msg_name = const_cast<sockaddr*>(remote.data());
  header.msg_namelen = remote.size();
  header.msg_iov = pieces.data();
  header.msg_iovlen = count;
  const auto n = early.bytes() == 0 ? -EOPNOTSUPP : os.sendmsg(fd, &header, MSG_FASTOPEN);
  // Switched off, or not for sockets of this kind.
  if (n == -EOPNOTSUPP || n == -EINVAL)
    return os.connect(fd, remote.data(), remote.size());
  if (n < 0)
    return static_cast<int>(n);
  early.consume(static_cast<std::size_t>(n));
  return -EINPROGRESS;
}

void accept_with_data(sys::kernel& os, int fd) {
  set_option(os, fd, IPPROTO_TCP, TCP_FASTOPEN, backlog);
}

bool came_with_data(sys::kernel& os, int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  return os.getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
         (info.tcpi_options & TCPI_OPT_SYN_DATA) != 0;
}

}  // namespace taps
