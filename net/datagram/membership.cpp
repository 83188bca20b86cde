#include "taps/net/datagram/membership.hpp"

#include "taps/net/socket/native_address.hpp"
#include "taps/net/socket/socket.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace taps {

namespace {

/// IPV6_MULTICAST_ALL (linux/in6.h), which <netinet/in.h> does not have.
constexpr int ipv6_multicast_all = 29;

void put(const ip_address& x, sockaddr_storage& out) {
  const native_address native{{x, 0, 0}};
  std::memcpy(&out, native.data(), native.size());
}

error failure(const ip_address& group, std::uint32_t interface, int code) {
  auto what = "join " + to_string(group);
  if (interface != 0)
    what += " on interface " + std::to_string(interface);
  if (code == ENOBUFS)
    what += " (net.ipv4.igmp_max_memberships and igmp_max_msf limit that)";
  return os_error(errc::establishment_failed, what, code);
}

}  // namespace

void hear_own_memberships_only(sys::kernel& os, int fd, ip_family family) {
  if (family == ip_family::v4)
    set_option(os, fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
  else
    set_option(os, fd, IPPROTO_IPV6, ipv6_multicast_all, 0);
}

result<void> membership::hear_at(std::span<const std::uint32_t> interfaces) {
  const auto others = std::partition(joined_.begin(), joined_.end(), [&](auto x) {
    return std::ranges::find(interfaces, x) != interfaces.end();
  });
  std::for_each(others, joined_.end(), [this](auto x) { leave(x); });
  joined_.erase(others, joined_.end());
  error last;
  for (const auto x : interfaces) {
    if (std::ranges::find(joined_, x) != joined_.end())
      continue;
    if (auto joined = join(x); joined)
      joined_.push_back(x);
    else if (last = joined.failure(); is_shortage(last))
      return last;
  }
  return last && joined_.empty() ? result<void>{last} : result<void>{};
}

result<void> membership::join(std::uint32_t interface) {
  int status = 0;
  if (sources_.empty())
    status = ask(true, interface, nullptr);
  for (std::size_t i = 0; i < sources_.size() && status == 0; ++i)
    status = ask(true, interface, &sources_[i]);
  if (status == 0)
    return {};
  leave(interface);
  return failure(group_, interface, -status);
}

void membership::leave(std::uint32_t interface) {
  if (sources_.empty())
    ask(false, interface, nullptr);
  for (const auto& x : sources_)
    ask(false, interface, &x);
}

int membership::ask(bool join, std::uint32_t interface, const ip_address* source) {
  const auto level = group_.is_v4() ? IPPROTO_IP : IPPROTO_IPV6;
  if (source == nullptr) {
    group_req request{};
    request.gr_interface = interface;
    put(group_, request.gr_group);
    return os_->setsockopt(fd_, level, join ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP, &request,
                           sizeof request);
  }
  group_source_req request{};
  request.gsr_interface = interface;
  put(group_, request.gsr_group);
  put(*source, request.gsr_source);
  return os_->setsockopt(fd_, level, join ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP,
                         &request, sizeof request);
}

}  // namespace taps
