// Rendezvous within one host: simultaneous open of streams, checks of datagrams, and what cannot
// be.

#include "taps/tests/conformance/support/rendezvous_fixture.hpp"

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;

namespace {

class rendezvous_on_loopback : public rendezvous_conformance {
protected:
  static local_endpoint v6_local() { return local_endpoint{}.with_ip_address("::1"); }

  void expect_failure(const preconnection& pre, errc reason, const std::string& text,
                      std::optional<duration> timeout = {}) {
    auto me = make_owner();
    const auto made = rendezvous(pre, me.actor, {timeout});
    const auto told = me.log->wait("establishment_error");
    EXPECT_EQ(told.reason.reason(), reason) << to_string(told.reason);
    EXPECT_NE(told.reason.text().find(text), std::string::npos) << told.reason.text();
    EXPECT_EQ(told.connection, made);
    expect_closed(made);
    EXPECT_EQ(me.log->names(), "establishment_error");
  }

  preconnection between(const local_endpoint& local, const remote_endpoint& remote,
                        transport_properties wanted = reliable_inorder_stream()) {
    auto result = at(local, std::move(wanted));
    result.add_remote(remote);
    return result;
  }
};

}  // namespace

// -- meeting --------------------------------------------------------------------------------------

TEST_F(rendezvous_on_loopback, RDV_01_two_streams_meet) {
  for (const auto& where : {loopback_local(), v6_local()}) {
    auto a = make_side(net_, where, reliable_inorder_stream());
    auto b = make_side(net_, where, reliable_inorder_stream());
    meet(a, b);
    expect_met(a, b);
    expect_talk(a, b, "received_partial");
    close(a.connection);
    close(b.connection);
    a.by.log->wait("closed");
    b.by.log->wait("closed");
  }
}

TEST_F(rendezvous_on_loopback, RDV_01_the_second_comes_later) {
  auto a = make_side(net_, loopback_local(), reliable_inorder_stream());
  auto b = make_side(net_, loopback_local(), reliable_inorder_stream());
  resolve_side(a);
  resolve_side(b);
  introduce(a, b);
  introduce(b, a);
  meet(a);
  properties_of(a.connection);
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(a.by.log->names(), "");
  meet(b);
  expect_met(a, b);
  expect_talk(a, b, "received_partial");
}

TEST_F(rendezvous_on_loopback, RDV_01_several_addresses_make_one_connection) {
  auto a = make_side(net_, loopback_local(), reliable_inorder_stream());
  auto b = make_side(net_, loopback_local(), reliable_inorder_stream());
  for (auto* x : {&a, &b})
    x->pre.add_local(v6_local()).add_local(local_endpoint{}.with_ip_address("127.0.0.2"));
  meet(a, b);
  EXPECT_EQ(a.found.size(), 3u);
  expect_met(a, b);
  expect_talk(a, b, "received_partial");
  EXPECT_EQ(a.by.log->count("rendezvous_done"), 1u);
  EXPECT_EQ(a.by.log->count("connection_error"), 0u);
}

TEST_F(rendezvous_on_loopback, RDV_01_a_plain_stream_peer_may_just_connect) {
  auto me = make_side(net_, loopback_local(), reliable_inorder_stream());
  resolve_side(me);
  closed_port somewhere;
  me.pre.add_remote(loopback_remote(somewhere.port()));
  meet(me);
  properties_of(me.connection);
  // The listener may not be there yet.
  posix_socket peer;
  for (int i = 0; i < 1000 && peer.get() < 0; ++i) {
    peer = posix_connect(*me.found.front().port());
    if (peer.get() < 0)
      std::this_thread::sleep_for(5ms);
  }
  ASSERT_GE(peer.get(), 0);
  me.by.log->wait("rendezvous_done");
  peer.send("hello");
  receive(me.connection);
  EXPECT_EQ(me.by.log->wait("received_partial").data.size(), 5u);
}

TEST_F(rendezvous_on_loopback, RDV_01_datagrams_meet) {
  for (const auto& where : {loopback_local(), v6_local()}) {
    auto a = make_side(net_, where, unreliable_datagram());
    auto b = make_side(net_, where, unreliable_datagram());
    meet(a, b);
    expect_met(a, b);
    expect_talk(a, b, "received");
    close(a.connection);
    close(b.connection);
    a.by.log->wait("closed");
    b.by.log->wait("closed");
  }
}

TEST_F(rendezvous_on_loopback, RDV_02_datagrams_are_done_when_the_peer_is_heard) {
  const auto peer = posix_bind(0, AF_INET, SOCK_DGRAM);
  auto me = make_side(net_, loopback_local(), unreliable_datagram());
  resolve_side(me);
  me.pre.add_remote(loopback_remote(peer.port()));
  meet(me);
  // The peer knows no checks: it is sent some, and says nothing.
  EXPECT_EQ(peer.read(20).size(), 20u);
  settle(me.connection);
  EXPECT_EQ(me.by.log->names(), "");
  sockaddr_storage address;
  const auto size = loopback(address, AF_INET, *me.found.front().port());
  ASSERT_EQ(::sendto(peer.get(), "hi", 2, 0, reinterpret_cast<sockaddr*>(&address), size), 2);
  me.by.log->wait("rendezvous_done");
  receive(me.connection);
  EXPECT_EQ(me.by.log->wait("received").data.size(), 2u);
}

TEST_F(rendezvous_on_loopback, RDV_02_what_was_sent_before_leaves_when_the_peer_is_there) {
  auto a = make_side(net_, loopback_local(), unreliable_datagram());
  auto b = make_side(net_, loopback_local(), unreliable_datagram());
  resolve_side(a);
  resolve_side(b);
  introduce(a, b);
  introduce(b, a);
  meet(a);
  send(a.connection, "early");
  meet(b);
  receive(b.connection);
  EXPECT_EQ(b.by.log->wait("received").data.size(), 5u);
  EXPECT_EQ(b.by.log->names(), "rendezvous_done received");
}

TEST_F(rendezvous_on_loopback, RDV_02_a_stranger_is_not_the_peer) {
  const auto peer = posix_bind(0, AF_INET, SOCK_DGRAM);
  const auto stranger = posix_bind(0, AF_INET, SOCK_DGRAM);
  auto me = make_side(net_, loopback_local(), unreliable_datagram());
  resolve_side(me);
  me.pre.add_remote(loopback_remote(peer.port()));
  meet(me);
  EXPECT_EQ(peer.read(20).size(), 20u);
  sockaddr_storage address;
  const auto size = loopback(address, AF_INET, *me.found.front().port());
  ::sendto(stranger.get(), "hi", 2, 0, reinterpret_cast<sockaddr*>(&address), size);
  for (int i = 0; i < 10; ++i)
    settle(me.connection);
  EXPECT_EQ(me.by.log->names(), "");
  abort(me.connection);
  me.by.log->wait("connection_error");
}

// -- failing --------------------------------------------------------------------------------------

TEST_F(rendezvous_on_loopback, RDV_03_nobody_comes) {
  closed_port nobody;
  for (const auto& wanted : {reliable_inorder_stream(), unreliable_datagram()})
    expect_failure(between(loopback_local(), loopback_remote(nobody.port()), wanted),
                   errc::establishment_failed, "the peer was not met in time", 300ms);
}

TEST_F(rendezvous_on_loopback, RDV_03_aborted_while_it_waits) {
  closed_port nobody;
  for (const auto& wanted : {reliable_inorder_stream(), unreliable_datagram()}) {
    auto me = make_owner();
    const auto made =
        rendezvous(between(loopback_local(), loopback_remote(nobody.port()), wanted), me.actor);
    properties_of(made);
    abort(made);
    EXPECT_EQ(me.log->wait("connection_error").reason.reason(), errc::local_abort);
    EXPECT_EQ(me.log->names(), "connection_error");
  }
}

TEST_F(rendezvous_on_loopback, PRE_03_an_endpoint_is_missing) {
  const std::string text = "Rendezvous needs a Local and a Remote Endpoint";
  expect_failure(to(loopback_remote(9)), errc::invalid_configuration, text);
  expect_failure(at(loopback_local()), errc::invalid_configuration, text);
}

TEST_F(rendezvous_on_loopback, PRE_03_endpoints_that_lead_nowhere) {
  expect_failure(between(loopback_local(), remote_endpoint{}.with_ip_address("127.0.0.1")),
                 errc::invalid_configuration, "neither port nor service");
  expect_failure(between(loopback_local(), remote_endpoint{}.with_ip_address("::1").with_port(9)),
                 errc::invalid_configuration, "cannot reach");
  expect_failure(
      between(loopback_local(), remote_endpoint{}.with_ip_address("192.0.2.1").with_port(9)),
      errc::no_candidates, "none of 127.0.0.1");
  expect_failure(between(local_endpoint{}.with_ip_address("192.0.2.77").with_port(9),
                         remote_endpoint{}.with_ip_address("192.0.2.1").with_port(9)),
                 errc::no_candidates, "this host does not have 192.0.2.77");
  expect_failure(between(loopback_local(9), loopback_remote(9)), errc::no_candidates, "none of");
}

TEST_F(rendezvous_on_loopback, PRE_03_a_port_in_use_is_named) {
  const auto stream = posix_bind();
  const auto datagram = posix_bind(0, AF_INET, SOCK_DGRAM);
  expect_failure(between(loopback_local(stream.port()), loopback_remote(9)),
                 errc::establishment_failed,
                 "port " + std::to_string(stream.port()) + " is in use");
  expect_failure(
      between(loopback_local(datagram.port()), loopback_remote(9), unreliable_datagram()),
      errc::establishment_failed, "port " + std::to_string(datagram.port()) + " is in use");
}

TEST_F(rendezvous_on_loopback, RDV_03_groups_have_no_rendezvous) {
  const auto ssm =
      local_endpoint{}.with_single_source_multicast_group_ip("232.1.1.1", "192.0.2.1").with_port(9);
  expect_failure(between(ssm, loopback_remote(9), unreliable_datagram()),
                 errc::invalid_configuration, "multicast group: 232.1.1.1");
  expect_failure(between(loopback_local(),
                         remote_endpoint{}.with_ip_address("239.1.1.1").with_port(9),
                         unreliable_datagram()),
                 errc::invalid_configuration, "multicast group: 239.1.1.1");
}

TEST_F(rendezvous_on_loopback, SEL_11_default_security_has_no_rendezvous) {
  auto pre = net_.preconnection(loopback_local(), reliable_inorder_stream(), {});
  pre.add_remote(loopback_remote(9));
  expect_failure(pre, errc::no_candidates, "");
}

// -- what else a Connection does ------------------------------------------------------------------

TEST_F(rendezvous_on_loopback, GRP_04_what_met_cannot_be_cloned) {
  auto a = make_side(net_, loopback_local(), reliable_inorder_stream());
  auto b = make_side(net_, loopback_local(), reliable_inorder_stream());
  meet(a, b);
  expect_met(a, b);
  clone(a.connection, a.by.actor);
  EXPECT_EQ(a.by.log->wait("clone_error").reason.reason(), errc::not_cloneable);
}

// -- Resolve --------------------------------------------------------------------------------------

TEST_F(rendezvous_on_loopback, PRE_09_resolve_gives_local_endpoints_ports) {
  caf::scoped_actor self{system_};
  auto pre = at(loopback_local());
  const auto found = resolve(pre, self);
  ASSERT_TRUE(found) << to_string(found.failure());
  EXPECT_TRUE(found->remotes.empty());
  ASSERT_EQ(found->locals.size(), 1u);
  EXPECT_EQ(to_string(*found->locals[0].address()), "127.0.0.1");
  EXPECT_NE(found->locals[0].port().value_or(0), 0);
  const auto fixed = resolve(at(loopback_local(4711)), self);
  ASSERT_TRUE(fixed);
  EXPECT_EQ(fixed->locals[0].port(), 4711);
}

TEST_F(rendezvous_on_loopback, PRE_09_resolve_lists_what_interfaces_have) {
  caf::scoped_actor self{system_};
  auto pre = at(local_endpoint{}.with_interface("lo"));
  const auto found = resolve(pre, self);
  ASSERT_TRUE(found) << to_string(found.failure());
  ASSERT_FALSE(found->locals.empty());
  for (const auto& x : found->locals) {
    EXPECT_TRUE(x.address()->is_loopback()) << to_string(x);
    EXPECT_EQ(x.interface(), "lo");
  }
}
