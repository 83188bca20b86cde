// EP: what each qualifier of an endpoint does, seen from the other side where there is one.

#include "taps/tests/conformance/support/names_fixture.hpp"

using namespace taps;
using namespace taps::testing;

namespace {

bool names(const error& reason, std::string_view what) {
  return reason.text().find(what) != std::string::npos;
}

/// The port that a stream's peer has.
std::uint16_t peer_port(const posix_socket& x) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getpeername(x.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

/// A port that was free a moment ago.
std::uint16_t free_port(int type) { return posix_bind(0, AF_INET, type).port(); }

}  // namespace

TEST_F(conformance, EP_01_the_last_of_each_counts) {
  auto first = posix_bind();
  auto server = listen_at(at(loopback_local()));
  auto me = make_owner();
  initiate(to(loopback_remote(first.port()).with_ip_address("127.0.0.1").with_port(server.port)),
           me.actor);
  const auto ev = me.log->wait("ready");
  ASSERT_EQ(ev.report.candidates.size(), 1u);
  EXPECT_EQ(ev.report.candidates.front().who.remote.port, server.port);
}

TEST_F(conformance, EP_02_a_zone_is_the_interface) {
  const auto in_one = remote_endpoint{}.with_ip_address("fe80::1%lo").with_port(9);
  const auto in_two =
      remote_endpoint{}.with_ip_address("fe80::1").with_interface("lo").with_port(9);
  EXPECT_EQ(in_one, in_two);
  ASSERT_EQ(in_one.interface(), "lo");
  // Both lead to the same candidate, whatever becomes of it.
  auto me = make_owner();
  std::vector<std::string> targets;
  for (const auto& x : {in_one, in_two}) {
    initiate(to(x), me.actor, {.timeout = std::chrono::milliseconds{100}});
    const auto ev = me.log->wait("establishment_error", targets.size() + 1);
    ASSERT_EQ(ev.report.candidates.size(), 1u) << to_string(ev.reason);
    targets.push_back(to_string(ev.report.candidates.front().who.remote));
  }
  EXPECT_EQ(targets[0], targets[1]);
  EXPECT_NE(targets[0].find('%'), std::string::npos) << targets[0];
}

TEST_F(conformance, EP_03_bad_addresses_fail_the_action_and_are_named) {
  const std::vector<std::pair<remote_endpoint, std::string>> remotes{
      {remote_endpoint{}.with_ip_address("1.2.3").with_port(1), "1.2.3"},
      {remote_endpoint{}.with_ip_address("::g").with_port(1), "::g"},
      {remote_endpoint{}.with_multicast_group_ip("192.0.2.7").with_port(1), "192.0.2.7"},
      {remote_endpoint{}.with_multicast_group_ip("2001:db8::7").with_port(1), "2001:db8::7"},
  };
  auto me = make_owner();
  std::size_t n = 0;
  for (const auto& [where, text] : remotes) {
    EXPECT_FALSE(where.check());
    initiate(to(where), me.actor);
    const auto ev = me.log->wait("establishment_error", ++n);
    EXPECT_EQ(ev.reason.reason(), errc::invalid_configuration) << text;
    EXPECT_TRUE(names(ev.reason, text)) << ev.reason.text();
  }
  const std::vector<std::pair<local_endpoint, std::string>> locals{
      {local_endpoint{}.with_ip_address("localhost"), "localhost"},
      {local_endpoint{}.with_any_source_multicast_group_ip("192.0.2.7"), "192.0.2.7"},
      {local_endpoint{}.with_single_source_multicast_group_ip("192.0.2.7", "192.0.2.1"),
       "192.0.2.7"},
      {local_endpoint{}.with_single_source_multicast_group_ip("232.0.0.1", "232.0.0.2"),
       "232.0.0.2"},
  };
  for (const auto& [where, text] : locals) {
    EXPECT_FALSE(where.check());
    listen(at(where, unreliable_datagram()), me.actor);
    const auto ev = me.log->wait("establishment_error", ++n);
    EXPECT_EQ(ev.reason.reason(), errc::invalid_configuration) << text;
    EXPECT_TRUE(names(ev.reason, text)) << ev.reason.text();
  }
}

TEST_F(conformance_names, EP_04_no_query_and_no_other_address) {
  // The name leads elsewhere: to a live peer that must not be contacted.
  auto elsewhere = posix_bind();
  names_.add("peer.test", "127.0.0.1");
  const auto where = remote_endpoint{}
                         .with_hostname("peer.test")
                         .with_ip_address("127.0.0.2")
                         .with_port(elsewhere.port());
  auto me = make_owner();
  initiate(to(where), me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_EQ(ev.reason.reason(), errc::establishment_failed);
  ASSERT_EQ(ev.report.candidates.size(), 1u);
  EXPECT_EQ(to_string(ev.report.candidates.front().who.remote.address), "127.0.0.2");
  EXPECT_TRUE(names_.asked().empty());
  pollfd wait{elsewhere.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, 0), 0);
}

TEST_F(conformance, EP_05_a_port_wins_over_a_service) {
  auto server = listen_at(at(loopback_local()));
  auto me = make_owner();
  initiate(to(loopback_remote(server.port).with_service("https")), me.actor);
  EXPECT_EQ(me.log->wait("ready").report.winner()->who.remote.port, server.port);
}

TEST_F(conformance, EP_05_services_of_resolve_and_listen) {
  caf::scoped_actor self{system_};
  const auto https =
      resolve(to(remote_endpoint{}.with_ip_address("127.0.0.1").with_service("https")), self);
  ASSERT_TRUE(https) << to_string(https.failure());
  ASSERT_EQ(https->remotes.size(), 1u);
  EXPECT_EQ(https->remotes.front().port(), 443);
  const auto unknown =
      resolve(to(remote_endpoint{}.with_ip_address("127.0.0.1").with_service("no-such")), self);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.failure().reason(), errc::resolution_failed);
  auto me = make_owner();
  listen(at(local_endpoint{}.with_ip_address("127.0.0.1").with_service("no-such")), me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_EQ(ev.reason.reason(), errc::resolution_failed);
  EXPECT_TRUE(names(ev.reason, "no-such")) << ev.reason.text();
}

TEST_F(conformance, EP_07_for_every_action_and_stack) {
  auto me = make_owner();
  std::size_t n = 0;
  for (const auto& wanted : {reliable_inorder_stream(), unreliable_datagram()}) {
    const auto local = local_endpoint{}.with_interface("nope0");
    initiate(net_.preconnection({local}, {loopback_remote(9)}, wanted, plain()), me.actor);
    const auto no_way = me.log->wait("establishment_error", ++n);
    EXPECT_TRUE(names(no_way.reason, "nope0")) << no_way.reason.text();
    auto listener = listen(at(local, wanted), me.actor);
    const auto deaf = me.log->wait("establishment_error", ++n);
    EXPECT_EQ(deaf.listener, listener);
    EXPECT_TRUE(names(deaf.reason, "nope0")) << deaf.reason.text();
  }
  EXPECT_EQ(me.log->count("ready"), 0u);
}

TEST_F(conformance, EP_07_a_known_interface_is_fine) {
  auto server = listen_at(at(local_endpoint{}.with_interface("lo")));
  auto me = make_owner();
  initiate(net_.preconnection({local_endpoint{}.with_interface("lo")},
                              {loopback_remote(server.port)}, reliable_inorder_stream(), plain()),
           me.actor);
  me.log->wait("ready");
  server.by.log->wait("connection_received");
}

TEST_F(conformance, EP_08_interface_against_property) {
  auto me = make_owner();
  auto wanted = reliable_inorder_stream().require(property_id::interface, "eth77");
  initiate(net_.preconnection({local_endpoint{}.with_interface("lo")}, {loopback_remote(9)}, wanted,
                              plain()),
           me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_EQ(ev.reason.reason(), errc::invalid_configuration);
  EXPECT_TRUE(names(ev.reason, "lo") && names(ev.reason, "eth77")) << ev.reason.text();
}

TEST_F(conformance, EP_09_the_peer_sees_the_local_port) {
  auto listener = posix_bind();
  const auto port = free_port(SOCK_STREAM);
  auto me = make_owner();
  initiate(net_.preconnection({loopback_local(port)}, {loopback_remote(listener.port())},
                              reliable_inorder_stream(), plain()),
           me.actor);
  me.log->wait("ready");
  auto accepted = posix_accept(listener);
  EXPECT_EQ(peer_port(accepted), port);
}

TEST_F(conformance, EP_09_an_ephemeral_port_can_be_read) {
  auto listener = posix_bind();
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(listener.port())), me.actor);
  me.log->wait("ready");
  auto accepted = posix_accept(listener);
  EXPECT_EQ(properties_of(made).get("_tapline.localEndpoint"),
            property_value{"127.0.0.1:" + std::to_string(peer_port(accepted))});
}

TEST_F(conformance, EP_09_for_datagrams) {
  auto server = posix_bind(0, AF_INET, SOCK_DGRAM);
  const auto port = free_port(SOCK_DGRAM);
  auto me = make_owner();
  const auto send_from = [&](std::vector<local_endpoint> locals) {
    auto made = initiate(net_.preconnection(std::move(locals), {loopback_remote(server.port())},
                                            unreliable_datagram(), plain()),
                         me.actor);
    taps::send(made, "x");
    char byte = 0;
    sockaddr_in from{};
    socklen_t size = sizeof from;
    EXPECT_EQ(::recvfrom(server.get(), &byte, 1, 0, reinterpret_cast<sockaddr*>(&from), &size), 1);
    return std::pair{made, ntohs(from.sin_port)};
  };
  EXPECT_EQ(send_from({loopback_local(port)}).second, port);
  const auto [made, ephemeral] = send_from({});
  EXPECT_EQ(properties_of(made).get("_tapline.localEndpoint"),
            property_value{"127.0.0.1:" + std::to_string(ephemeral)});
}

TEST_F(conformance, EP_09_a_listener_has_the_port_asked_for) {
  const auto port = free_port(SOCK_STREAM);
  auto server = listen_at(at(loopback_local(port)));
  EXPECT_EQ(server.port, port);
  auto peer = posix_connect(port);
  server.by.log->wait("connection_received");
  auto ephemeral = listen_at(at(loopback_local()));
  EXPECT_NE(ephemeral.port, 0);
  EXPECT_NE(ephemeral.port, port);
}

TEST_F(conformance, EP_10_the_order_does_not_matter) {
  auto server = listen_at(at(loopback_local()));
  closed_port nobody;
  auto me = make_owner();
  std::size_t n = 0;
  for (const auto refusing_first : {true, false}) {
    const auto refusing = loopback_remote(nobody.port());
    const auto live = loopback_remote(server.port);
    auto pre = to(refusing_first ? refusing : live);
    pre.add_remote(refusing_first ? live : refusing);
    auto made = initiate(pre, me.actor);
    const auto ev = me.log->wait("ready", ++n);
    EXPECT_EQ(ev.connection, made);
    EXPECT_EQ(ev.report.winner()->who.remote.port, server.port);
    EXPECT_EQ(properties_of(made).get("_tapline.remoteEndpoint"),
              property_value{"127.0.0.1:" + std::to_string(server.port)});
  }
}
