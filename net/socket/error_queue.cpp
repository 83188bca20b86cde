#include "taps/net/socket/error_queue.hpp"

#include "taps/net/socket/native_address.hpp"
#include "taps/net/socket/socket.hpp"

#include <linux/errqueue.h>
#include <netinet/in.h>

#include <array>
#include <cstddef>
#include <cstring>

namespace taps {

namespace {

/// The address behind an entry; the kernel leaves one without a family where nobody is named.
std::optional<ip_address> reporter_of(const cmsghdr& item) {
  const auto* begin = reinterpret_cast<const std::byte*>(&item) + CMSG_LEN(0);
  const auto size = item.cmsg_len - CMSG_LEN(0);
  constexpr auto head = sizeof(sock_extended_err);
  native_address address;
  if (size < head + sizeof(sockaddr_in))
    return std::nullopt;
  std::memcpy(address.data(), begin + head,
              std::min<std::size_t>(size - head, native_address::capacity()));
  const auto found = address.get().address;
  return found.is_any() ? std::nullopt : std::optional{found};
}

}  // namespace

int report_soft_errors(sys::kernel& os, int fd, ip_family family) {
  return family == ip_family::v4 ? set_option(os, fd, IPPROTO_IP, IP_RECVERR, 1)
                                 : set_option(os, fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
}

std::optional<packet_error> next_packet_error(sys::kernel& os, int fd) {
  native_address to;
  alignas(cmsghdr) std::array<std::byte, 512> control;
  msghdr header{};
  header.msg_name = to.data();
  header.msg_namelen = native_address::capacity();
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  if (os.recvmsg(fd, &header, MSG_ERRQUEUE) < 0)
    return std::nullopt;
  packet_error result;
  if (header.msg_namelen > 0)
    result.to = to.get();
  for (auto* i = CMSG_FIRSTHDR(&header); i != nullptr; i = CMSG_NXTHDR(&header, i)) {
    const auto v4 = i->cmsg_level == IPPROTO_IP && i->cmsg_type == IP_RECVERR;
    const auto v6 = i->cmsg_level == IPPROTO_IPV6 && i->cmsg_type == IPV6_RECVERR;
    if ((!v4 && !v6) || i->cmsg_len < CMSG_LEN(sizeof(sock_extended_err)))
      continue;
    sock_extended_err what{};
    std::memcpy(&what, CMSG_DATA(i), sizeof what);
    result.code = static_cast<int>(what.ee_errno);
    if (what.ee_origin != SO_EE_ORIGIN_LOCAL)
      result.reporter = reporter_of(*i);
  }
  return result;
}

error describe(const packet_error& what, const socket_address& remote) {
  auto text = "datagrams to " + to_string(remote);
  if (what.reporter)
    text += ", says " + to_string(*what.reporter);
  return os_error(errc::protocol_failed, text, what.code);
}

}  // namespace taps
