#pragma once

#include "taps/tests/conformance/support/fixture.hpp"
#include "taps/tests/support/network_namespace/network_namespace.hpp"

#include <fstream>
#include <net/if.h>
#include <sstream>

namespace taps::testing {

inline constexpr auto port = 5000;

inline const auto receiving =
    unreliable_datagram().with(property_id::direction, direction::unidirectional_receive);

inline local_endpoint any_source(std::string_view group) {
  return local_endpoint{}.with_any_source_multicast_group_ip(group).with_port(port);
}

inline local_endpoint one_source(std::string_view group, std::string_view source) {
  return local_endpoint{}.with_single_source_multicast_group_ip(group, source).with_port(port);
}

inline remote_endpoint group(std::string_view address) {
  return remote_endpoint{}.with_multicast_group_ip(address).with_port(port);
}

inline std::string content(const std::string& file) {
  std::ifstream in{file};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// Waits until something is so.
template<class Condition>
bool wait_until(Condition condition) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit)
      return false;
    std::this_thread::yield();
  }
  return true;
}

/// A plain socket that hears a group at the cable, with the hop limit of what comes.
inline posix_socket plain_member(const std::string& group) {
  const auto v4 = group.find(':') == std::string::npos;
  const auto level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
  posix_socket result{::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  group_req request{};
  request.gr_interface = ::if_nametoindex("cable");
  auto& place = request.gr_group;
  socklen_t size = sizeof(sockaddr_in);
  if (auto& x = reinterpret_cast<sockaddr_in&>(place); v4) {
    x.sin_family = AF_INET;
    x.sin_port = htons(port);
    ::inet_pton(AF_INET, group.c_str(), &x.sin_addr);
  } else {
    auto& y = reinterpret_cast<sockaddr_in6&>(place);
    y.sin6_family = AF_INET6;
    y.sin6_port = htons(port);
    ::inet_pton(AF_INET6, group.c_str(), &y.sin6_addr);
    size = sizeof y;
  }
  const int one = 1;
  ::setsockopt(result.get(), level, v4 ? IP_RECVTTL : IPV6_RECVHOPLIMIT, &one, sizeof one);
  EXPECT_EQ(::bind(result.get(), reinterpret_cast<sockaddr*>(&place), size), 0);
  EXPECT_EQ(::setsockopt(result.get(), level, MCAST_JOIN_GROUP, &request, sizeof request), 0);
  return result;
}

/// The hop limit of the next datagram; -1 if none comes.
inline int hops_of_next(const posix_socket& member) {
  char text[16];
  alignas(cmsghdr) char control[64];
  iovec piece{text, sizeof text};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  int hops = -1;
  if (::recvmsg(member.get(), &message, 0) >= 0 && CMSG_FIRSTHDR(&message))
    std::memcpy(&hops, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof hops);
  return hops;
}

/// Another host has 192.0.2.2, 192.0.2.3 and 2001:db8::2, this one 192.0.2.1 and 2001:db8::1, and
/// hears groups at the cable only, unless it asks for more.
class multicast : public conformance {
protected:
  void SetUp() override {
    TAPS_NEEDS_NAMESPACE();
    other_ = std::make_unique<neighbour>("cable");
    give_addresses("cable");
    other_->shell("ip addr add 192.0.2.2/24 dev eth0 && ip addr add 192.0.2.3/24 dev eth0 && "
                  "ip addr add 2001:db8::2/64 dev eth0 nodad");
  }

  void TearDown() override {
    conformance::TearDown();
    other_.reset();
  }

  void give_addresses(const std::string& name) {
    shell("ip addr add 192.0.2.1/24 dev " + name);
    shell("ip addr add 2001:db8::1/64 dev " + name + " nodad");
    EXPECT_TRUE(wait_until([&] {
      const auto links = net_.host_network();
      return links->owner_of(*ip_address::parse("192.0.2.1")) &&
             links->owner_of(*ip_address::parse("2001:db8::1"));
    }));
  }

  /// A Listener whose Connections receive whatever comes.
  listening hear(std::vector<local_endpoint> where, std::vector<remote_endpoint> from = {}) {
    listening result;
    result.by = make_owner([](caf::event_based_actor*, const told& x) {
      if (x.what == "connection_received")
        receive(x.connection, {.count = 100});
    });
    result.listener = taps::listen(
        net_.preconnection(std::move(where), std::move(from), receiving, plain()), result.by.actor);
    result.port = port_of(result.listener);
    return result;
  }

  /// Sends one datagram from there; `to` is an address as socat wants it.
  void send_from_there(const std::string& text, const std::string& to) {
    other_->shell("echo -n " + text + " | socat -u - " + to);
  }
  void send_v4(const std::string& text, const std::string& to = "239.1.1.1",
               const std::string& from = "192.0.2.2") {
    send_from_there(text,
                    "UDP4-DATAGRAM:" + to + ":5000,bind=" + from + ",ip-multicast-if=192.0.2.2");
  }
  void send_v6(const std::string& text, const std::string& to) {
    send_from_there(text, "UDP6-DATAGRAM:[" + to + "]:5000");
  }

  /// Has socat hear a group there and write what comes to a file, which it returns.
  std::string hear_there(const std::string& how, const std::string& table,
                         const std::string& member) {
    const auto file = ::testing::TempDir() + "heard_there";
    std::filesystem::remove(file);
    other_->start("socat -u " + how + " OPEN:" + file + ",creat,append");
    other_->shell("timeout 10 sh -c \"until grep -qi " + member + " " + table +
                  "; do sleep 0.01; done\"");
    return file;
  }

  std::vector<connection> group_of(const connection& x) {
    caf::scoped_actor self{system_};
    std::vector<connection> result;
    self->request(x, std::chrono::seconds{10}, grouped_connections_command{})
        .receive([&](const connection_list& y) { result = y.members; },
                 [&](const caf::error& y) { ADD_FAILURE() << to_string(y); });
    return result;
  }

  /// Whether this host is a member of 239.1.1.1 anywhere.
  static bool is_member() {
    return content("/proc/self/net/igmp").find("010101EF") != std::string::npos;
  }

  error failure_of_listening(const local_endpoint& at,
                             const transport_properties& wanted = receiving,
                             security_parameters security = plain()) {
    auto me = make_owner();
    taps::listen(net_.preconnection(at, wanted, security), me.actor);
    auto told = me.log->wait("establishment_error");
    EXPECT_EQ(me.log->names(), "establishment_error");
    return told.reason;
  }

  error failure_of_initiating(std::vector<local_endpoint> locals,
                              std::vector<remote_endpoint> remotes,
                              const transport_properties& wanted = unreliable_datagram(),
                              security_parameters security = plain()) {
    auto me = make_owner();
    initiate(net_.preconnection(std::move(locals), std::move(remotes), wanted, security), me.actor);
    auto told = me.log->wait("establishment_error");
    EXPECT_EQ(me.log->names(), "establishment_error");
    return told.reason;
  }

  std::unique_ptr<neighbour> other_;
};

}  // namespace taps::testing
