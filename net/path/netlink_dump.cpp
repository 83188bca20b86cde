#include "taps/net/path/netlink_dump.hpp"

#include "taps/net/path/interface_type.hpp"
#include "taps/net/socket/socket.hpp"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace taps {

namespace {

/// What the kernel fills at once in answer to a dump.
constexpr std::size_t answer_size = 32 * 1024;

result<sys::descriptor> open_netlink(sys::kernel& os, std::uint32_t groups) {
  sys::descriptor made{os, os.socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)};
  if (made.get() < 0)
    return os_error(errc::protocol_failed, "routing socket", -made.get());
  sockaddr_nl own{};
  own.nl_family = AF_NETLINK;
  own.nl_groups = groups;
  if (const auto status = os.bind(made.get(), reinterpret_cast<sockaddr*>(&own), sizeof own);
      status < 0)
    return os_error(errc::protocol_failed, "routing socket", -status);
  return made;
}

// -- reading --------------------------------------------------------------------------------------

/// Calls `f` with each attribute between two places; libmnl's loops are not C++.
template<class F>
void for_each_attribute(const void* first, const void* last, F f) {
  const auto* end = static_cast<const char*>(last);
  for (auto* x = static_cast<const nlattr*>(first);
       mnl_attr_ok(x, static_cast<int>(end - reinterpret_cast<const char*>(x)));
       x = mnl_attr_next(x))
    f(x);
}

template<class Header, class F>
void for_each_attribute(const nlmsghdr& message, F f) {
  for_each_attribute(mnl_nlmsg_get_payload_offset(&message, sizeof(Header)),
                     mnl_nlmsg_get_payload_tail(&message), f);
}

template<class F>
void for_each_inner_attribute(const nlattr* outer, F f) {
  const auto* first = static_cast<const char*>(mnl_attr_get_payload(outer));
  for_each_attribute(first, first + mnl_attr_get_payload_len(outer), f);
}

std::optional<ip_address> address_in(const nlattr* x) {
  const auto* bytes = static_cast<const std::uint8_t*>(mnl_attr_get_payload(x));
  if (mnl_attr_get_payload_len(x) == 4) {
    ip_address::v4_bytes v4;
    std::memcpy(v4.data(), bytes, v4.size());
    return ip_address{v4};
  }
  if (mnl_attr_get_payload_len(x) == 16) {
    ip_address::v6_bytes v6;
    std::memcpy(v6.data(), bytes, v6.size());
    return ip_address{v6};
  }
  return std::nullopt;
}

std::optional<ip_family> family_of(unsigned char x) noexcept {
  if (x == AF_INET)
    return ip_family::v4;
  if (x == AF_INET6)
    return ip_family::v6;
  return std::nullopt;
}

std::string_view text_in(const nlattr* x) noexcept {
  const auto* text = static_cast<const char*>(mnl_attr_get_payload(x));
  return {text, ::strnlen(text, mnl_attr_get_payload_len(x))};
}

std::uint32_t number_in(const nlattr* x) noexcept {
  return mnl_attr_get_payload_len(x) >= sizeof(std::uint32_t) ? mnl_attr_get_u32(x) : 0;
}

/// Turns the messages of a dump into facts.
class reader {
public:
  reader(netlink_facts& facts, const std::string& sysfs) : facts_(facts), sysfs_(sysfs) {}

  void read(const nlmsghdr& message) {
    switch (message.nlmsg_type) {
    case RTM_NEWLINK:
      read_link(message);
      break;
    case RTM_NEWADDR:
      read_address(message);
      break;
    case RTM_NEWROUTE:
      read_route(message);
      break;
    default:
      break;
    }
  }

private:
  void read_link(const nlmsghdr& message);
  void read_address(const nlmsghdr& message);
  void read_route(const nlmsghdr& message);
  void read_next_hops(const nlattr* hops, network_route route);

  netlink_facts& facts_;
  const std::string& sysfs_;
};

void reader::read_link(const nlmsghdr& message) {
  const auto* link = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(&message));
  network_interface x;
  x.index = static_cast<std::uint32_t>(link->ifi_index);
  x.up = (link->ifi_flags & IFF_UP) != 0 && (link->ifi_flags & IFF_RUNNING) != 0;
  std::string_view kind;
  for_each_attribute<ifinfomsg>(message, [&](const nlattr* each) {
    if (mnl_attr_get_type(each) == IFLA_IFNAME)
      x.name = text_in(each);
    else if (mnl_attr_get_type(each) == IFLA_MTU)
      x.mtu = number_in(each);
    else if (mnl_attr_get_type(each) == IFLA_LINKINFO)
      for_each_inner_attribute(each, [&](const nlattr* inner) {
        if (mnl_attr_get_type(inner) == IFLA_INFO_KIND)
          kind = text_in(inner);
      });
  });
  x.type = type_of({x.name, link->ifi_type, kind}, sysfs_);
  facts_.interfaces.push_back(std::move(x));
}

void reader::read_address(const nlmsghdr& message) {
  const auto* header = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(&message));
  const auto family = family_of(header->ifa_family);
  if (!family)
    return;
  std::uint32_t flags = header->ifa_flags;
  std::optional<ip_address> own;
  for_each_attribute<ifaddrmsg>(message, [&](const nlattr* each) {
    const auto type = mnl_attr_get_type(each);
    // On point-to-point links IFA_ADDRESS is the peer's.
    if (type == IFA_LOCAL || (type == IFA_ADDRESS && !own))
      own = address_in(each);
    else if (type == IFA_FLAGS)
      flags = number_in(each);
  });
  if (!own)
    return;
  interface_address x{*own, header->ifa_prefixlen};
  x.temporary = *family == ip_family::v6 && (flags & IFA_F_TEMPORARY) != 0;
  x.unusable = (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED)) != 0;
  for (auto& i : facts_.interfaces)
    if (i.index == header->ifa_index)
      i.addresses.push_back(x);
}

void reader::read_route(const nlmsghdr& message) {
  const auto* header = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
  const auto family = family_of(header->rtm_family);
  if (!family || header->rtm_type != RTN_UNICAST || (header->rtm_flags & RTM_F_CLONED) != 0)
    return;
  network_route x;
  x.destination = ip_address::any(*family);
  x.prefix_length = header->rtm_dst_len;
  std::uint32_t table = header->rtm_table;
  const nlattr* hops = nullptr;
  for_each_attribute<rtmsg>(message, [&](const nlattr* each) {
    const auto type = mnl_attr_get_type(each);
    if (type == RTA_DST)
      x.destination = address_in(each).value_or(x.destination);
    else if (type == RTA_GATEWAY)
      x.gateway = address_in(each);
    else if (type == RTA_OIF)
      x.interface = number_in(each);
    else if (type == RTA_PRIORITY)
      x.metric = number_in(each);
    else if (type == RTA_TABLE)
      table = number_in(each);
    else if (type == RTA_MULTIPATH)
      hops = each;
  });
  if (table != RT_TABLE_MAIN)
    return;
  if (hops)
    read_next_hops(hops, std::move(x));
  else
    facts_.routes.push_back(std::move(x));
}

void reader::read_next_hops(const nlattr* hops, network_route route) {
  const auto* hop = static_cast<const rtnexthop*>(mnl_attr_get_payload(hops));
  int left = mnl_attr_get_payload_len(hops);
  while (RTNH_OK(hop, left)) {
    route.interface = static_cast<std::uint32_t>(hop->rtnh_ifindex);
    route.gateway.reset();
    for_each_attribute(RTNH_DATA(hop), reinterpret_cast<const char*>(hop) + hop->rtnh_len,
                       [&](const nlattr* inner) {
                         if (mnl_attr_get_type(inner) == RTA_GATEWAY)
                           route.gateway = address_in(inner);
                       });
    facts_.routes.push_back(route);
    left -= RTNH_ALIGN(hop->rtnh_len);
    hop = RTNH_NEXT(hop);
  }
}

// -- asking ---------------------------------------------------------------------------------------

result<void> ask(sys::kernel& os, int fd, std::uint16_t what) {
  alignas(nlmsghdr) std::array<std::byte, 128> buffer{};
  auto* request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = what;
  request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  // The longest of the three headers; for each the family comes first, and 0 means all.
  mnl_nlmsg_put_extra_header(request, sizeof(ifinfomsg));
  iovec piece{request, request->nlmsg_len};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  const auto sent = os.sendmsg(fd, &message, 0);
  return sent < 0 ? result<void>{os_error(errc::protocol_failed, "routing socket",
                                          static_cast<int>(-sent))}
                  : result<void>{};
}

/// Reads answers until the dump is over. A dump that changed meanwhile is as good: an event
/// follows.
result<void> read_dump(sys::kernel& os, int fd, reader& to) {
  std::vector<std::byte> buffer(answer_size);
  for (;;) {
    iovec piece{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    const auto n = os.recvmsg(fd, &message, 0);
    if (n <= 0)
      return os_error(errc::protocol_failed, "routing socket",
                      n < 0 ? static_cast<int>(-n) : EPIPE);
    auto left = static_cast<int>(n);
    for (const auto* each = reinterpret_cast<const nlmsghdr*>(buffer.data());
         mnl_nlmsg_ok(each, left); each = mnl_nlmsg_next(each, &left)) {
      if (each->nlmsg_type == NLMSG_DONE)
        return {};
      if (each->nlmsg_type == NLMSG_ERROR)
        return os_error(errc::protocol_failed, "routing socket",
                        -static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(each))->error);
      to.read(*each);
    }
  }
}

}  // namespace

result<netlink_facts> dump_network(sys::kernel& os, const std::string& sysfs) {
  auto socket = open_netlink(os, 0);
  if (!socket)
    return socket.failure();
  netlink_facts facts;
  reader to{facts, sysfs};
  for (const std::uint16_t what : {RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE}) {
    if (auto asked = ask(os, socket->get(), what); !asked)
      return asked.failure();
    if (auto done = read_dump(os, socket->get(), to); !done)
      return done.failure();
  }
  return facts;
}

result<sys::descriptor> open_network_events(sys::kernel& os) {
  return open_netlink(os, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                              RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE);
}

}  // namespace taps
