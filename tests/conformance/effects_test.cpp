// PRP and TRM: what properties do to sockets and packets, read back from the socket and seen by
// peers that are not ours. In a network namespace.

#include "taps/tests/conformance/support/effects_fixture.hpp"

#include <netinet/tcp.h>

#include <map>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;

namespace {

using id = property_id;

constexpr capacity_profile profiles[] = {
    capacity_profile::default_profile,         capacity_profile::scavenger,
    capacity_profile::low_latency_interactive, capacity_profile::low_latency_non_interactive,
    capacity_profile::constant_rate_streaming, capacity_profile::capacity_seeking};

/// The DSCPs of section 4.2 of the requirements, by RFC 4594, 5865 and 8622.
int dscp_of(capacity_profile x) {
  static const std::map<capacity_profile, int> all{
      {capacity_profile::default_profile, 0},
      {capacity_profile::scavenger, 1},
      {capacity_profile::low_latency_interactive, 36},
      {capacity_profile::low_latency_non_interactive, 18},
      {capacity_profile::constant_rate_streaming, 28},
      {capacity_profile::capacity_seeking, 10}};
  return all.at(x);
}

remote_endpoint at_loopback(int family, std::uint16_t port) {
  return remote_endpoint{}.with_ip_address(family == AF_INET ? "127.0.0.1" : "::1").with_port(port);
}

/// What a datagram carried, and the traffic class of its packet.
std::pair<std::string, int> receive_marked(const posix_socket& from) {
  char data[2048];
  char control[256];
  iovec piece{data, sizeof data};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  const auto n = ::recvmsg(from.get(), &header, 0);
  int mark = -1;
  for (auto* i = CMSG_FIRSTHDR(&header); n >= 0 && i != nullptr; i = CMSG_NXTHDR(&header, i)) {
    if (i->cmsg_level == IPPROTO_IP && i->cmsg_type == IP_TOS)
      mark = *CMSG_DATA(i);
    if (i->cmsg_level == IPPROTO_IPV6 && i->cmsg_type == IPV6_TCLASS)
      std::memcpy(&mark, CMSG_DATA(i), sizeof mark);
  }
  return {std::string{data, static_cast<std::size_t>(std::max<ssize_t>(n, 0))}, mark};
}

posix_socket marked_receiver(int family) {
  auto made = posix_bind(0, family, SOCK_DGRAM);
  const int on = 1;
  if (family == AF_INET)
    ::setsockopt(made.get(), IPPROTO_IP, IP_RECVTOS, &on, sizeof on);
  else
    ::setsockopt(made.get(), IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof on);
  return made;
}

}  // namespace

// -- timeouts and keep-alives -----------------------------------------------------------------

TEST_F(effects, PRP_09_a_property_of_another_protocol) {
  auto peer = posix_bind(0, AF_INET, SOCK_DGRAM);
  // In a Preconnection it is stored without a word.
  connect(to(loopback_remote(peer.port()),
             unreliable_datagram().with(id::tcp_user_timeout_enabled, true)));
  for (const auto* name : {"tcp.userTimeoutEnabled", "TCP.user-timeout", "sctp.udpEncapsPort"}) {
    const auto failure =
        set(made_, name, name[0] == 's' ? property_value{9} : property_value{true});
    EXPECT_EQ(failure.reason(), errc::not_supported) << name;
  }
  const auto failure = set(made_, "tcp.userTimeoutValue", 5);
  EXPECT_EQ(failure.text(),
            "tcp.userTimeoutValue: this Connection speaks udp, which has no such property");
  taps::send(made_, "alive", message_context{}.with_safely_replayable());
  EXPECT_EQ(receive_marked(peer).first, "alive");
}

TEST_F(effects, PRP_09_its_own_protocol_takes_it) {
  connect_stream(reliable_inorder_stream());
  EXPECT_FALSE(set(made_, "tcp.userTimeoutEnabled", true));
  EXPECT_FALSE(set(made_, "tcp.userTimeoutValue", 60));
  EXPECT_EQ(properties_of(made_).get("tcp.userTimeoutValue"), property_value{60});
  EXPECT_EQ(set(made_, "udp.x", 1).reason(), errc::not_supported);
}

TEST_F(effects, PRP_13_the_timeout_is_the_kernels) {
  connect_stream(reliable_inorder_stream().with(id::conn_timeout, 5s));
  EXPECT_EQ(option(made_, IPPROTO_TCP, TCP_USER_TIMEOUT), 5000);
  EXPECT_FALSE(set(made_, "connTimeout", 7s));
  EXPECT_EQ(option(made_, IPPROTO_TCP, TCP_USER_TIMEOUT), 7000);
  EXPECT_FALSE(set(made_, "connTimeout", special::disabled));
  EXPECT_EQ(option(made_, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
}

TEST_F(effects, PRP_13_also_for_connections_of_a_listener) {
  auto server =
      listen_at(at(loopback_local(), reliable_inorder_stream().with(id::conn_timeout, 5s)));
  auto peer = posix_connect(server.port);
  const auto accepted = server.by.log->wait("connection_received").connection;
  EXPECT_EQ(option(accepted, IPPROTO_TCP, TCP_USER_TIMEOUT), 5000);
}

TEST_F(effects, PRP_14_keep_alives_with_a_period) {
  connect_stream(
      reliable_inorder_stream().require(id::keep_alive).with(id::keep_alive_timeout, 30s));
  EXPECT_EQ(option(made_, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(made_, IPPROTO_TCP, TCP_KEEPIDLE), 30);
  EXPECT_EQ(properties_of(made_).get("keepAlive"), property_value{true});
  EXPECT_FALSE(set(made_, "connTimeout", 10s));
  EXPECT_EQ(option(made_, SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(properties_of(made_).get("keepAlive"), property_value{false});
  EXPECT_FALSE(set(made_, "keepAliveTimeout", 5s));
  EXPECT_EQ(option(made_, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(made_, IPPROTO_TCP, TCP_KEEPIDLE), 5);
}

TEST_F(effects, PRP_14_a_timeout_from_the_start) {
  connect_stream(reliable_inorder_stream()
                     .require(id::keep_alive)
                     .with(id::keep_alive_timeout, 30s)
                     .with(id::conn_timeout, 10s));
  EXPECT_EQ(option(made_, SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(properties_of(made_).get("keepAlive"), property_value{false});
}

TEST_F(effects, PRP_15_keep_alives_with_the_systems_period) {
  posix_socket untouched{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  connect_stream(reliable_inorder_stream().require(id::keep_alive));
  EXPECT_EQ(option(made_, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(made_, IPPROTO_TCP, TCP_KEEPIDLE),
            option(untouched.get(), IPPROTO_TCP, TCP_KEEPIDLE));
  EXPECT_EQ(properties_of(made_).get("keepAlive"), property_value{true});
}

TEST_F(effects, PRP_15_nothing_that_nobody_asked_for) {
  connect_stream(reliable_inorder_stream());
  EXPECT_EQ(option(made_, SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(option(made_, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
  EXPECT_EQ(option(made_, IPPROTO_IP, IP_TOS), 0);
  EXPECT_EQ(option(made_, IPPROTO_IP, IP_RECVERR), 0);
  EXPECT_EQ(properties_of(made_).get("keepAlive"), property_value{false});
}

// -- capacity profiles ----------------------------------------------------------------------------

TEST_F(effects, PRP_16_streams_are_marked) {
  for (const auto family : {AF_INET, AF_INET6})
    for (const auto profile : profiles) {
      auto server = posix_bind(0, family);
      connect(to(at_loopback(family, server.port()),
                 reliable_inorder_stream().with(id::conn_capacity_profile, profile)));
      const auto mark = traffic_class(made_, family);
      EXPECT_EQ(mark >> 2, dscp_of(profile)) << to_string(profile) << " " << family;
      EXPECT_EQ(mark & 3, 0);
      EXPECT_EQ(option(made_, IPPROTO_TCP, TCP_NODELAY), 1);
      EXPECT_FALSE(set(made_, "connCapacityProfile", capacity_profile::scavenger));
      EXPECT_EQ(traffic_class(made_, family) >> 2, 1);
      abort(made_);
      me_.log->wait("connection_error");
    }
}

TEST_F(effects, PRP_16_datagrams_are_marked_on_the_wire) {
  const auto replayable = message_context{}.with_safely_replayable();
  for (const auto family : {AF_INET, AF_INET6})
    for (const auto profile : profiles) {
      auto peer = marked_receiver(family);
      connect(to(at_loopback(family, peer.port()),
                 unreliable_datagram().with(id::conn_capacity_profile, profile)));
      taps::send(made_, "x", replayable);
      EXPECT_EQ(receive_marked(peer), std::pair(std::string{"x"}, dscp_of(profile) << 2));
      EXPECT_FALSE(set(made_, "connCapacityProfile", capacity_profile::capacity_seeking));
      taps::send(made_, "y", replayable);
      EXPECT_EQ(receive_marked(peer), std::pair(std::string{"y"}, 10 << 2));
      // A Message may differ.
      auto urgent = replayable;
      ASSERT_TRUE(urgent.add("msgCapacityProfile", profile));
      taps::send(made_, "z", urgent);
      EXPECT_EQ(receive_marked(peer), std::pair(std::string{"z"}, dscp_of(profile) << 2));
      taps::send(made_, "y", replayable);
      EXPECT_EQ(receive_marked(peer).second, 10 << 2);
    }
}

TEST_F(effects, PRP_16_connections_that_share_a_socket_are_marked_each) {
  auto server =
      listen_at(at(loopback_local(), unreliable_datagram().with(id::conn_capacity_profile,
                                                                capacity_profile::scavenger)));
  const auto meet = [&](std::size_t count) {
    auto peer = marked_receiver(AF_INET);
    sockaddr_storage address;
    const auto size = loopback(address, AF_INET, server.port);
    ::connect(peer.get(), reinterpret_cast<sockaddr*>(&address), size);
    peer.send("hello");
    return std::pair{std::move(peer), server.by.log->wait("connection_received", count).connection};
  };
  auto [one, to_one] = meet(1);
  auto [two, to_two] = meet(2);
  const auto replayable = message_context{}.with_safely_replayable();
  EXPECT_FALSE(set(to_two, "connCapacityProfile", capacity_profile::capacity_seeking));
  taps::send(to_one, "x", replayable);
  taps::send(to_two, "y", replayable);
  EXPECT_EQ(receive_marked(one), std::pair(std::string{"x"}, 1 << 2));
  EXPECT_EQ(receive_marked(two), std::pair(std::string{"y"}, 10 << 2));
  EXPECT_EQ(set(to_two, "recvChecksumLen", 5).reason(), errc::not_supported);
  EXPECT_EQ(properties_of(to_two).get("recvChecksumLen"), property_value{special::full_coverage});
}

// -- rates --------------------------------------------------------------------------------------

TEST_F(effects, PRP_17_a_stream_keeps_below_its_rate) {
  constexpr std::size_t second = 100'000;
  connect_stream(reliable_inorder_stream().with(id::max_send_rate, 800000));
  const auto begin = std::chrono::steady_clock::now();
  taps::send(made_, std::string(250'000, 'x'));
  std::size_t got = 0;
  while (got < 250'000) {
    const auto some = peer_.read(1);
    ASSERT_FALSE(some.empty());
    got += some.size() + peer_.read_waiting();
    const auto passed = std::chrono::steady_clock::now() - begin;
    // What came in so many seconds was sent in no more than these.
    ASSERT_LE(got, second * static_cast<std::size_t>(passed / 1s + 1));
  }
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 2s);
  EXPECT_EQ(option(made_, SOL_SOCKET, SO_MAX_PACING_RATE), 100'000);
}

TEST_F(effects, PRP_17_datagrams_keep_below_their_rate) {
  constexpr std::size_t second = 100'000;
  auto peer = posix_bind(0, AF_INET, SOCK_DGRAM);
  connect(to(loopback_remote(peer.port()), unreliable_datagram()));
  ASSERT_FALSE(set(made_, "maxSendRate", 800000));
  const auto begin = std::chrono::steady_clock::now();
  const auto replayable = message_context{}.with_safely_replayable();
  for (int i = 0; i < 250; ++i)
    taps::send(made_, std::string(1000, 'x'), replayable);
  std::size_t got = 0;
  while (got < 250'000) {
    const auto [data, mark] = receive_marked(peer);
    ASSERT_EQ(data.size(), 1000u);
    got += data.size();
    const auto passed = std::chrono::steady_clock::now() - begin;
    ASSERT_LE(got, second * static_cast<std::size_t>(passed / 1s + 1));
  }
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 2s);
}

TEST_F(effects, PRP_17_a_stream_is_read_below_its_rate) {
  connect_stream(reliable_inorder_stream().with(id::max_recv_rate, 800000));
  receive(made_, {.min_incomplete_length = 150'000});
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(peer_.send(std::string(150'000, 'x')));
  me_.log->wait("received_partial");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 1s);
  // Without the limit the rest comes at once.
  ASSERT_FALSE(set(made_, "maxRecvRate", special::unlimited));
  receive(made_, {.min_incomplete_length = 4'000'000});
  ASSERT_TRUE(peer_.send(std::string(4'000'000, 'x')));
  EXPECT_EQ(me_.log->wait("received_partial", 2).data.size(), 4'000'000u);
}

// -- soft errors ----------------------------------------------------------------------------------

TEST_F(effects, TRM_07_datagrams_to_a_closed_port) {
  const auto replayable = message_context{}.with_safely_replayable();
  for (const auto family : {AF_INET, AF_INET6}) {
    const auto port = posix_bind(0, family, SOCK_DGRAM).port();
    connect(to(at_loopback(family, port), unreliable_datagram().prefer(id::soft_error_notify)));
    observe(made_, event_set::soft_error);
    EXPECT_EQ(properties_of(made_).get("softErrorNotify"), property_value{true});
    taps::send(made_, "x", replayable);
    const auto text = me_.log->wait("soft_error").reason.text();
    EXPECT_NE(text.find("Connection refused"), std::string::npos) << text;
    EXPECT_NE(text.find(", says "), std::string::npos) << text;
    taps::send(made_, "y", replayable);
    me_.log->wait("soft_error", 2);
    settle(made_);
    EXPECT_EQ(me_.log->count("connection_error"), 0u);
    EXPECT_EQ(properties_of(made_).get("connState"), property_value{connection_state::established});
  }
}

TEST_F(effects, TRM_07_nobody_asked) {
  const auto port = posix_bind(0, AF_INET, SOCK_DGRAM).port();
  connect(to(loopback_remote(port), unreliable_datagram()));
  observe(made_, event_set::soft_error);
  for (int i = 0; i < 3; ++i) {
    taps::send(made_, "x", message_context{}.with_safely_replayable());
    settle(made_);
  }
  EXPECT_EQ(me_.log->names(), "ready");
}

TEST_F(effects, TRM_07_answers_of_a_listener) {
  auto server =
      listen_at(at(loopback_local(), unreliable_datagram().require(id::soft_error_notify)));
  auto peer = posix_connect(server.port, AF_INET, SOCK_DGRAM);
  peer.send("hello");
  const auto accepted = server.by.log->wait("connection_received").connection;
  observe(accepted, event_set::soft_error);
  settle(accepted);
  peer.close();
  taps::send(accepted, "anybody?", message_context{}.with_safely_replayable());
  EXPECT_EQ(server.by.log->wait("soft_error").connection, accepted);
}
