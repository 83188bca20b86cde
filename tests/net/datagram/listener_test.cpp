#include "taps/tests/net/datagram/datagram_fixture.hpp"

#include "taps/net/socket/native_address.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

namespace taps::testing {

namespace {

class datagram_listener_test : public datagram_fixture {
protected:
  listen_request at(const socket_address& local, port_sharing sharing = port_sharing::none) {
    listen_request request;
    request.local = local;
    request.sharing = sharing;
    return request;
  }

  /// Waits for the n-th Connection and lets it receive.
  recording_sink& accepted(std::size_t n) {
    EXPECT_TRUE(run([&] { return inbound.accepted.size() > n; }));
    auto& result = *inbound.accepted.at(n);
    result.instance->set_demand(true);
    return result;
  }

  std::uint64_t dropped() const { return dynamic_cast<datagram_acceptor&>(*listener).dropped(); }
};

TAPS_FOR_ALL_DATAGRAMS(datagram_listener_test);

TEST_P(datagram_listener_test, the_first_datagram_makes_a_connection_and_is_its_first_message) {
  for (const auto family : {ip_family::v4, ip_family::v6}) {
    const auto before = inbound.accepted.size();
    const auto address = listen(loopback(family));
    auto peer = bound(family);
    peer.send_to("hello", address);
    auto& server = accepted(before);
    EXPECT_TRUE(server.pieces.empty()) << "never from inside";
    ASSERT_TRUE(run([&] { return server.data == "hello"; }));
    EXPECT_EQ(server.instance->remote(), peer.local());
    EXPECT_EQ(server.instance->local(), address);
    server.send("welcome");
    socket_address from;
    EXPECT_EQ(peer.receive_from(&from), "welcome");
    EXPECT_EQ(from, address);
  }
}

TEST_P(datagram_listener_test, each_source_is_a_connection_and_replies_return_right) {
  const auto address = listen();
  std::vector<plain_socket> peers;
  for (int i = 0; i < 20; ++i) {
    peers.push_back(bound());
    peers.back().send_to("from " + std::to_string(i), address);
  }
  ASSERT_TRUE(run([&] { return inbound.accepted.size() == 20; }));
  for (auto& x : inbound.accepted)
    x->instance->set_demand(true);
  ASSERT_TRUE(run([&] {
    return std::all_of(inbound.accepted.begin(), inbound.accepted.end(),
                       [](auto& x) { return !x->data.empty(); });
  }));
  for (auto& x : inbound.accepted)
    x->send("you sent " + x->data);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(peers[static_cast<std::size_t>(i)].receive_from(),
              "you sent from " + std::to_string(i));
}

TEST_P(datagram_listener_test, a_source_keeps_its_connection_until_that_is_closed) {
  const auto address = listen();
  auto peer = bound();
  peer.send_to("one", address);
  auto& first = accepted(0);
  peer.send_to("two", address);
  ASSERT_TRUE(run([&] { return first.pieces.size() == 2; }));
  EXPECT_EQ(inbound.accepted.size(), 1u);
  first.instance->close();
  EXPECT_EQ(first.terminals, 0);
  ASSERT_TRUE(run([&] { return first.closed; }));
  peer.send_to("three", address);
  auto& second = accepted(1);
  ASSERT_TRUE(run([&] { return second.data == "three"; }));
  EXPECT_EQ(first.pieces.size(), 2u);
  EXPECT_EQ(listener->local(), address);
}

TEST_P(datagram_listener_test, bound_to_no_address_it_answers_from_the_one_that_was_called) {
  listen({ip_address::any(ip_family::v4), 0, 0});
  const socket_address second{*ip_address::parse("127.0.0.2"), listener->local().port, 0};
  const socket_address third{*ip_address::parse("127.0.0.3"), listener->local().port, 0};
  auto peer = bound();
  peer.send_to("a", second);
  peer.send_to("b", third);
  auto& one = accepted(0);
  auto& two = accepted(1);
  EXPECT_EQ(one.instance->local(), second);
  EXPECT_EQ(two.instance->local(), third);
  socket_address from;
  two.send("reply");
  EXPECT_EQ(peer.receive_from(&from), "reply");
  EXPECT_EQ(from, third);
  one.send("reply");
  peer.receive_from(&from);
  EXPECT_EQ(from, second);
}

TEST_P(datagram_listener_test, stopped_it_leaves_its_connections_alone) {
  const auto address = listen();
  auto peer = bound();
  auto stranger = bound();
  peer.send_to("one", address);
  auto& server = accepted(0);
  ASSERT_TRUE(run([&] { return server.data == "one"; }));
  listener.reset();
  stranger.send_to("too late", address);
  peer.send_to("two", address);
  ASSERT_TRUE(run([&] { return server.pieces.size() == 2; }));
  server.send("still here");
  EXPECT_EQ(peer.receive_from(), "still here");
  EXPECT_EQ(inbound.accepted.size(), 1u);
  EXPECT_EQ(loop.num_sources(), 1u);
  server.instance->close();
  ASSERT_TRUE(run([&] { return server.closed; }));
  EXPECT_EQ(loop.num_sources(), 0u);
  auto next = unbound();
  EXPECT_EQ(next.bind(address), 0) << "the last one lets go of the port";
}

TEST_P(datagram_listener_test, what_waits_is_bounded_and_the_rest_counted) {
  const auto address = listen();
  auto peer = bound();
  for (int i = 0; i < 100; ++i) {
    peer.send_to(std::to_string(i), address);
    settle(loop);
  }
  ASSERT_EQ(inbound.accepted.size(), 1u);
  auto& server = accepted(0);
  ASSERT_TRUE(run([&] { return server.pieces.size() == 64; }));
  settle(loop);
  EXPECT_EQ(server.pieces.size(), 64u);
  EXPECT_EQ(server.pieces.back(), "63");
  EXPECT_EQ(dropped(), 36u);
  peer.send_to("again", address);
  ASSERT_TRUE(run([&] { return server.pieces.size() == 65; }));
}

TEST_P(datagram_listener_test, what_waits_is_bounded_in_bytes_too) {
  const auto address = listen();
  auto peer = bound();
  for (int i = 0; i < 8; ++i) {
    peer.send_to(std::string(60000, 'x'), address);
    settle(loop);
  }
  auto& server = accepted(0);
  settle(loop);
  EXPECT_EQ(server.pieces.size(), 4u);
  EXPECT_EQ(dropped(), 4u);
}

/// Sends from any address of the loopback network, as many hosts would.
void send_from(const plain_socket& socket, const ip_address& from, const socket_address& to) {
  const native_address remote{to};
  char text = 'x';
  iovec piece{&text, 1};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(in_pktinfo))> control{};
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(remote.data());
  message.msg_namelen = remote.size();
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  auto* header = CMSG_FIRSTHDR(&message);
  header->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
  header->cmsg_level = IPPROTO_IP;
  header->cmsg_type = IP_PKTINFO;
  in_pktinfo info{};
  info.ipi_spec_dst = to_native_v4(from);
  std::memcpy(CMSG_DATA(header), &info, sizeof info);
  ASSERT_EQ(::sendmsg(socket.get(), &message, 0), 1);
}

TEST_P(datagram_listener_test, peers_beyond_the_limit_are_dropped_and_counted) {
  // Without a record of every call.
  reactor plain_loop;
  datagram_transport plain{plain_loop, *GetParam()};
  recording_acceptor_sink sink;
  auto made = plain.listen(at(loopback()), sink);
  ASSERT_TRUE(made);
  auto peers = unbound();
  ASSERT_EQ(peers.bind({ip_address::any(ip_family::v4), 0, 0}), 0);
  const auto host = [](unsigned i) {
    return ip_address{ip_address::v4_bytes{127, static_cast<std::uint8_t>(1 + (i >> 16)),
                                           static_cast<std::uint8_t>(i >> 8),
                                           static_cast<std::uint8_t>(i)}};
  };
  const unsigned limit = datagram_port::max_children;
  for (unsigned i = 0; i < limit + 3; ++i) {
    send_from(peers, host(i), (*made)->local());
    if (i % 64 == 63)
      settle(plain_loop);
  }
  settle(plain_loop);
  EXPECT_EQ(sink.accepted.size(), limit);
  EXPECT_EQ(dynamic_cast<datagram_acceptor&>(**made).dropped(), 3u);
  sink.accepted[5]->instance->abort();
  send_from(peers, host(limit), (*made)->local());
  settle(plain_loop);
  EXPECT_EQ(sink.accepted.size(), limit + 1) << "one left, one may come";
}

TEST_P(datagram_listener_test, all_who_wait_for_room_hear_of_it) {
  const auto address = listen();
  auto one = bound();
  auto two = bound();
  auto three = bound();
  for (auto* peer : {&one, &two, &three})
    peer->send_to("x", address);
  accepted(2);
  os.fail_next("sendmsg", EAGAIN);
  for (auto& x : inbound.accepted)
    x->send("reply");
  // The first one ends the last one while it waits.
  inbound.accepted[0]->hook = [&](std::string_view name) {
    if (name == "writable")
      inbound.accepted[2]->instance.reset();
  };
  ASSERT_TRUE(run([&] { return inbound.accepted[1]->writable == 1; }));
  EXPECT_EQ(one.receive_from(), "reply");
  EXPECT_EQ(two.receive_from(), "reply");
  EXPECT_EQ(inbound.accepted[2]->writable, 0);
}

TEST_P(datagram_listener_test, a_sink_may_end_everything_at_once) {
  const auto address = listen();
  auto one = bound();
  auto two = bound();
  inbound.hook = [&](recording_sink& x) {
    x.instance.reset();
    listener.reset();
  };
  one.send_to("x", address);
  two.send_to("y", address);
  ASSERT_TRUE(run([&] { return inbound.accepted.size() == 1; }));
  settle(loop);
  EXPECT_EQ(inbound.accepted.size(), 1u);
  EXPECT_EQ(loop.num_sources(), 0u);
}

TEST_P(datagram_listener_test, too_large_replies_fail_alone) {
  const auto address = listen();
  auto peer = bound();
  peer.send_to("x", address);
  auto& server = accepted(0);
  server.send(std::string(65508, 'x'));
  server.send("fits");
  ASSERT_EQ(server.queue->completions().size(), 2u);
  ASSERT_TRUE(server.queue->completions()[0].failure);
  EXPECT_EQ(*server.queue->completions()[0].failure, errc::message_too_large);
  EXPECT_EQ(peer.receive_from(), "fits");
  const auto limits = server.instance->limits();
  ASSERT_TRUE(limits.singular_transmission);
  EXPECT_LE(*limits.singular_transmission, limits.send);
}

TEST_P(datagram_listener_test, a_port_in_use_is_named_whoever_shares_it) {
  auto taken = bound();
  auto sharing = unbound();
  sharing.option(SOL_SOCKET, SO_REUSEPORT, 1);
  sharing.option(SOL_SOCKET, SO_REUSEADDR, 1);
  ASSERT_EQ(sharing.bind(loopback()), 0);
  for (const auto& address : {taken.local(), sharing.local()}) {
    const auto refused = transport.listen(at(address, port_sharing::first), inbound);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.failure().os_code(), EADDRINUSE);
    EXPECT_NE(refused.failure().text().find("port " + std::to_string(address.port) + " is in use"),
              std::string::npos)
        << refused.failure().text();
  }
}

TEST_P(datagram_listener_test, the_first_one_keeps_the_port_and_lets_other_shards_in) {
  auto first = transport.listen(at(loopback(), port_sharing::first), inbound);
  ASSERT_TRUE(first);
  const auto address = (*first)->local();
  for (const auto sharing : {port_sharing::none, port_sharing::first})
    EXPECT_FALSE(transport.listen(at(address, sharing), inbound)) << "of another Listener";
  auto joining = at(address, port_sharing::further);
  joining.shared = (*first)->shared();
  bound().send_to("too early", address);
  auto second = transport.listen(joining, inbound);
  ASSERT_TRUE(second) << second.failure().text();
  EXPECT_FALSE(transport.listen(at(address, port_sharing::first), inbound));
  (*first)->shared()->complete();
  std::vector<plain_socket> peers;
  for (int i = 0; i < 20; ++i) {
    peers.push_back(bound());
    peers.back().send_to("x", address);
  }
  EXPECT_TRUE(run([&] { return inbound.accepted.size() == 20; }));
}

}  // namespace

}  // namespace taps::testing
