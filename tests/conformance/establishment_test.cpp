// PRE, EP, EST, SEL and RAC: from Initiate to Ready, over real sockets.

#include "taps/tests/conformance/support/fixture.hpp"

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

// -- Preconnections ---------------------------------------------------------------------------

TEST_F(conformance, PRE_01_initiate_without_remote) {
  auto me = make_owner();
  initiate(net_.preconnection({}, {}, reliable_inorder_stream(), plain()), me.actor);
  EXPECT_EQ(me.log->wait("establishment_error").reason.reason(), errc::invalid_configuration);
  EXPECT_EQ(me.log->names(), "establishment_error");
}

TEST_F(conformance, PRE_02_listen_without_local) {
  auto me = make_owner();
  auto listener = listen(net_.preconnection({}, {}, reliable_inorder_stream(), plain()), me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_EQ(ev.reason.reason(), errc::invalid_configuration);
  EXPECT_EQ(ev.listener, listener);
}

TEST_F(conformance, PRE_04_later_changes_do_not_reach_a_connection) {
  auto server = listen_at(at(loopback_local()));
  closed_port nobody;
  auto pre = to(loopback_remote(server.port));
  auto me = make_owner();
  auto first = initiate(pre, me.actor);
  pre.remove_remote(loopback_remote(server.port)).add_remote(loopback_remote(nobody.port()));
  pre.add_framer(length_prefix());
  EXPECT_EQ(me.log->wait("ready").connection, first);
  taps::send(first, "raw");
  auto accepted = server.by.log->wait("connection_received").connection;
  receive(accepted);
  EXPECT_EQ(server.by.log->wait("received_partial").data.view(), "raw");
}

TEST_F(conformance, PRE_04_nor_accepted_connections) {
  auto pre = at(loopback_local());
  auto server = listen_at(pre, [](auto*, const told& x) {
    if (x.what == "connection_received")
      receive(x.connection);
  });
  pre.add_framer(length_prefix());
  auto peer = posix_connect(server.port);
  ASSERT_TRUE(peer.send("raw"));
  EXPECT_EQ(server.by.log->wait("received_partial").data.view(), "raw");
}

TEST_F(conformance, PRE_05_initiate_twice) {
  auto server = listen_at(at(loopback_local()));
  auto pre = to(loopback_remote(server.port));
  auto me = make_owner();
  auto first = initiate(pre, me.actor);
  me.log->wait("ready");
  close(first);
  server.by.log->wait("connection_received");
  close(server.by.log->wait("connection_received").connection);
  me.log->wait("closed");
  auto second = initiate(pre, me.actor);
  EXPECT_EQ(me.log->wait("ready", 2).connection, second);
  EXPECT_NE(first, second);
}

TEST_F(conformance, PRE_06_no_stack_has_per_message_reliability) {
  auto me = make_owner();
  initiate(to(loopback_remote(9), transport_properties{}.require(property_id::per_msg_reliability)),
           me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_EQ(ev.reason.reason(), errc::no_candidates);
  EXPECT_NE(ev.reason.text().find("perMsgReliability"), std::string::npos) << ev.reason.text();
}

TEST_F(conformance, PRE_07_contradiction_before_any_query) {
  auto me = make_owner();
  auto wanted = transport_properties{}
                    .prohibit(property_id::reliability)
                    .require(property_id::per_msg_reliability);
  initiate(to(remote_endpoint{}.with_hostname("name.invalid").with_port(1), wanted), me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_EQ(ev.reason.reason(), errc::invalid_configuration);
  EXPECT_TRUE(ev.report.names.empty());
}

TEST_F(conformance, PRE_08_reliable_without_congestion_control) {
  auto me = make_owner();
  auto wanted = transport_properties{}
                    .require(property_id::reliability)
                    .prohibit(property_id::congestion_control);
  initiate(to(loopback_remote(9), wanted), me.actor);
  EXPECT_EQ(me.log->wait("establishment_error").reason.reason(), errc::no_candidates);
}

TEST_F(conformance, PRE_09_resolve) {
  caf::scoped_actor self{system_};
  auto only_local = resolve(at(loopback_local()), self);
  ASSERT_TRUE(only_local);
  EXPECT_TRUE(only_local->remotes.empty());
  auto names = resolve(to(remote_endpoint{}.with_hostname("localhost").with_port(7)), self);
  ASSERT_TRUE(names);
  ASSERT_FALSE(names->remotes.empty());
  for (const auto& x : names->remotes) {
    ASSERT_TRUE(x.address());
    EXPECT_TRUE(x.address()->is_loopback());
    EXPECT_EQ(x.port(), 7);
  }
}

TEST_F(conformance, PRE_10_resolve_unresolvable) {
  caf::scoped_actor self{system_};
  auto names = resolve(to(remote_endpoint{}.with_hostname("name.invalid").with_port(7)), self);
  ASSERT_FALSE(names);
  EXPECT_EQ(names.failure().reason(), errc::resolution_failed) << to_string(names.failure());
}

TEST_F(conformance, PRE_11_same_remote_twice_is_one_candidate) {
  closed_port nobody;
  auto pre = to(loopback_remote(nobody.port()));
  pre.add_remote(loopback_remote(nobody.port()));
  auto me = make_owner();
  initiate(pre, me.actor);
  EXPECT_EQ(me.log->wait("establishment_error").report.candidates.size(), 1u);
}

TEST_F(conformance, PRE_12_initiate_returns_at_once) {
  black_hole hole;
  std::size_t inside = 0;
  event_log_ptr log = std::make_shared<event_log>();
  connection made;
  auto pre = to(loopback_remote(hole.port()));
  auto me = net_.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    made = initiate(pre, self);
    inside = log->all().size();
    log->add({"initiated", made, {}, {}, {}, {}, {}, true, {}});
    return recorder(self, log, {});
  });
  owners_.push_back(me);
  log->wait("initiated");
  EXPECT_EQ(inside, 0u);
  EXPECT_EQ(properties_of(made).get("connState"), property_value{connection_state::establishing});
  abort(made);
  EXPECT_EQ(log->wait_end().what, "connection_error");
}

// -- endpoints ----------------------------------------------------------------------------------

TEST_F(conformance, EP_01_the_last_address_counts) {
  auto server = listen_at(at(loopback_local()));
  auto me = make_owner();
  initiate(
      to(loopback_remote(server.port).with_ip_address("192.0.2.1").with_ip_address("127.0.0.1")),
      me.actor);
  EXPECT_EQ(me.log->wait("ready").report.candidates.size(), 1u);
}

TEST_F(conformance, EP_03_malformed_address) {
  auto me = make_owner();
  initiate(to(remote_endpoint{}.with_ip_address("300.1.2.3").with_port(1)), me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_EQ(ev.reason.reason(), errc::invalid_configuration);
  EXPECT_NE(ev.reason.text().find("300.1.2.3"), std::string::npos);
}

TEST_F(conformance, EP_04_an_address_beside_a_name_is_the_only_one) {
  auto server = listen_at(at(loopback_local()));
  auto me = make_owner();
  initiate(to(loopback_remote(server.port).with_hostname("name.invalid")), me.actor);
  const auto ev = me.log->wait("ready");
  EXPECT_TRUE(ev.report.names.empty());
  EXPECT_EQ(ev.report.candidates.size(), 1u);
}

TEST_F(conformance, EP_05_unknown_service) {
  auto me = make_owner();
  initiate(to(remote_endpoint{}.with_ip_address("127.0.0.1").with_service("no-such-service")),
           me.actor);
  EXPECT_EQ(me.log->wait("establishment_error").reason.reason(), errc::resolution_failed);
}

TEST_F(conformance, EP_05_https_is_443) {
  auto me = make_owner();
  auto made =
      initiate(to(remote_endpoint{}.with_ip_address("127.0.0.1").with_service("https")), me.actor);
  const auto ev = me.log->wait_end();
  ASSERT_FALSE(ev.report.candidates.empty());
  EXPECT_EQ(ev.report.candidates.front().who.remote.port, 443);
}

TEST_F(conformance, EP_07_unknown_interface) {
  auto me = make_owner();
  initiate(net_.preconnection({local_endpoint{}.with_interface("nope0")}, {loopback_remote(9)},
                              reliable_inorder_stream(), plain()),
           me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_NE(ev.reason.text().find("nope0"), std::string::npos) << ev.reason.text();
}

TEST_F(conformance, EP_09_local_port) {
  auto server = listen_at(at(loopback_local()));
  EXPECT_NE(server.port, 0);
  auto free = posix_bind();
  const auto port = free.port();
  free.close();
  auto me = make_owner();
  auto made = initiate(net_.preconnection({loopback_local(port)}, {loopback_remote(server.port)},
                                          reliable_inorder_stream(), plain()),
                       me.actor);
  me.log->wait("ready");
  EXPECT_EQ(properties_of(made).get("_tapline.localEndpoint"),
            property_value{"127.0.0.1:" + std::to_string(port)});
  auto other = initiate(to(loopback_remote(server.port)), me.actor);
  me.log->wait("ready", 2);
  EXPECT_EQ(to_string(properties_of(other).get("_tapline.localEndpoint")).find("127.0.0.1:0"),
            std::string::npos);
}

TEST_F(conformance, EP_10_second_remote_when_the_first_refuses) {
  auto server = listen_at(at(loopback_local()));
  closed_port nobody;
  auto pre = to(loopback_remote(nobody.port()));
  pre.add_remote(loopback_remote(server.port));
  auto me = make_owner();
  initiate(pre, me.actor);
  const auto ev = me.log->wait("ready");
  ASSERT_NE(ev.report.winner(), nullptr);
  EXPECT_EQ(ev.report.winner()->who.remote.port, server.port);
}

// -- selection ----------------------------------------------------------------------------------

TEST_F(conformance, SEL_03_unreliable_datagram_is_udp) {
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(9), unreliable_datagram()), me.actor);
  me.log->wait("ready");
  EXPECT_EQ(properties_of(made).get("_tapline.stack"), property_value{"udp"});
}

TEST_F(conformance, SEL_04_not_without_safely_replayable) {
  auto me = make_owner();
  initiate(
      to(loopback_remote(9), unreliable_datagram().with(property_id::safely_replayable, false)),
      me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_EQ(ev.reason.reason(), errc::no_candidates);
  EXPECT_NE(ev.reason.text().find("safelyReplayable"), std::string::npos) << ev.reason.text();
}

TEST_F(conformance, SEL_11_default_security_is_never_plain) {
  auto me = make_owner();
  initiate(net_.preconnection(loopback_remote(9)), me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_EQ(ev.reason.reason(), errc::no_candidates);
  EXPECT_TRUE(ev.report.candidates.empty());
}

TEST_F(conformance, SEL_16_a_framer_keeps_boundaries) {
  auto server = listen_at(at(loopback_local()));
  auto wanted = transport_properties{}.require(property_id::preserve_msg_boundaries);
  auto me = make_owner();
  initiate(to(loopback_remote(server.port), wanted), me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_EQ(ev.reason.reason(), errc::no_candidates);
  EXPECT_NE(ev.reason.text().find("preserveMsgBoundaries"), std::string::npos);
  auto framed = to(loopback_remote(server.port), wanted);
  framed.add_framer(length_prefix());
  auto made = initiate(framed, me.actor);
  me.log->wait("ready");
  EXPECT_TRUE(properties_of(made).has("preserveMsgBoundaries"));
}

// -- establishment --------------------------------------------------------------------------------

TEST_F(conformance, EST_01_ready_once_and_first) {
  auto server = listen_at(at(loopback_local()), [](auto*, const told& x) {
    if (x.what == "connection_received")
      taps::send(x.connection, "early");
  });
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(server.port)), me.actor);
  receive(made);
  me.log->wait("received_partial");
  EXPECT_EQ(me.log->names(), "ready received_partial");
}

TEST_F(conformance, EST_02_closed_port) {
  closed_port first;
  closed_port second;
  auto pre = to(loopback_remote(first.port()));
  pre.add_remote(loopback_remote(second.port()));
  auto me = make_owner();
  auto made = initiate(pre, me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_EQ(ev.reason.reason(), errc::establishment_failed);
  EXPECT_EQ(ev.report.candidates.size(), 2u);
  EXPECT_EQ(me.log->names(), "establishment_error");
  expect_closed(made);
}

TEST_F(conformance, EST_03_timeout) {
  black_hole hole;
  auto me = make_owner();
  const auto start = steady_clock::now();
  initiate(to(loopback_remote(hole.port())), me.actor, {.timeout = 200ms});
  const auto ev = me.log->wait("establishment_error");
  const auto took = steady_clock::now() - start;
  EXPECT_EQ(ev.reason.reason(), errc::establishment_failed);
  EXPECT_GE(took, 200ms);
  EXPECT_LT(took, 400ms);
}

TEST_F(conformance, EST_04_bad_name) {
  auto me = make_owner();
  initiate(to(remote_endpoint{}.with_hostname("name.invalid").with_port(1)), me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_EQ(ev.reason.reason(), errc::resolution_failed);
  EXPECT_NE(ev.reason.text().find("name.invalid"), std::string::npos);
}

TEST_F(conformance, EST_05_datagrams_are_ready_without_a_peer) {
  closed_port nobody;
  auto me = make_owner();
  initiate(to(loopback_remote(nobody.port()), unreliable_datagram()), me.actor);
  me.log->wait("ready");
}

TEST_F(conformance, EST_05_no_packet_leaves) {
  auto peer = posix_bind(0, AF_INET, SOCK_DGRAM);
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(peer.port()), unreliable_datagram()), me.actor);
  me.log->wait("ready");
  settle(made);
  pollfd wait{peer.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, 0), 0);
  // One would have been seen.
  taps::send(made, "x");
  EXPECT_EQ(::poll(&wait, 1, 10000), 1);
}

TEST_F(conformance, EST_06_send_before_ready) {
  auto server = listen_at(at(loopback_local()), [](auto*, const told& x) {
    if (x.what == "connection_received")
      receive(x.connection);
  });
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(server.port)), me.actor);
  taps::send(made, "first", {}, {.notify = true});
  me.log->wait("sent");
  EXPECT_EQ(me.log->names(), "ready sent");
  EXPECT_EQ(server.by.log->wait("received_partial").data.view(), "first");
}

TEST_F(conformance, EST_06_sent_once) {
  auto listener = posix_bind();
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(listener.port())), me.actor);
  taps::send(made, "once", {}, {.notify = true});
  close(made);
  auto peer = posix_accept(listener);
  EXPECT_EQ(peer.read(), "once");
  peer.close();
  me.log->wait("closed");
  EXPECT_EQ(me.log->names(), "ready sent closed");
}

TEST_F(conformance, EST_07_send_before_ready_then_failure) {
  closed_port nobody;
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(nobody.port())), me.actor);
  taps::send(made, "lost");
  me.log->wait("establishment_error");
  // The Send may also come when the Connection has ended already: then there is no event for it.
  const auto names = me.log->names();
  EXPECT_TRUE(names == "send_error establishment_error" || names == "establishment_error") << names;
}

TEST_F(conformance, EST_07_both_events_in_order) {
  black_hole hole;
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(hole.port())), me.actor, {.timeout = 50ms});
  taps::send(made, "lost");
  me.log->wait("establishment_error");
  EXPECT_EQ(me.log->names(), "send_error establishment_error");
}

TEST_F(conformance, EST_08_initiate_with_send_fails_once) {
  black_hole hole;
  auto me = make_owner();
  initiate_with_send(to(loopback_remote(hole.port())), me.actor, slice::copy_of("lost"), {},
                     {.timeout = 50ms});
  me.log->wait("establishment_error");
  EXPECT_EQ(me.log->names(), "establishment_error");
}

TEST_F(conformance, EST_09_the_first_message_is_first) {
  auto pre = at(loopback_local());
  pre.add_framer(length_prefix());
  auto server = listen_at(pre, [](auto*, const told& x) {
    if (x.what == "connection_received")
      receive(x.connection, {.count = 2});
  });
  auto me = make_owner();
  auto towards = to(loopback_remote(server.port));
  towards.add_framer(length_prefix());
  auto made = initiate_with_send(towards, me.actor, slice::copy_of("one"));
  taps::send(made, "two");
  EXPECT_EQ(server.by.log->wait("received", 1).data.view(), "one");
  EXPECT_EQ(server.by.log->wait("received", 2).data.view(), "two");
}

TEST_F(conformance, EST_10_receive_before_ready_then_failure) {
  black_hole hole;
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(hole.port())), me.actor, {.timeout = 50ms});
  receive(made);
  me.log->wait("establishment_error");
  EXPECT_EQ(me.log->names(), "establishment_error");
}

TEST_F(conformance, EST_11_close_in_establishing) {
  black_hole hole;
  auto me = make_owner();
  close(initiate(to(loopback_remote(hole.port())), me.actor));
  me.log->wait("closed");
  EXPECT_EQ(me.log->names(), "closed");
}

TEST_F(conformance, EST_12_abort_in_establishing) {
  black_hole hole;
  auto me = make_owner();
  abort(initiate(to(loopback_remote(hole.port())), me.actor));
  EXPECT_EQ(me.log->wait("connection_error").reason.reason(), errc::local_abort);
  EXPECT_EQ(me.log->names(), "connection_error");
}

// -- racing over real sockets ---------------------------------------------------------------------

TEST_F(conformance, RAC_01_black_hole_then_live) {
  auto server = listen_at(at(loopback_local()));
  black_hole hole{server.port, AF_INET6};
  ASSERT_EQ(hole.port(), server.port);
  auto me = make_owner();
  initiate(to(remote_endpoint{}.with_hostname("localhost").with_port(server.port)), me.actor);
  const auto ev = me.log->wait("ready");
  ASSERT_EQ(ev.report.candidates.size(), 2u);
  const auto& tried = ev.report.candidates;
  EXPECT_TRUE(tried[0].who.remote.address.is_v6());
  EXPECT_EQ(tried[1].fate, candidate_fate::won);
  const auto gap = tried[1].started() - tried[0].started();
  EXPECT_GE(gap, 250ms);
  EXPECT_LT(gap, 350ms);
}

TEST_F(conformance, RAC_02_refused_then_live) {
  auto server = listen_at(at(loopback_local()));
  auto me = make_owner();
  initiate(to(remote_endpoint{}.with_hostname("localhost").with_port(server.port)), me.actor);
  const auto ev = me.log->wait("ready");
  ASSERT_EQ(ev.report.candidates.size(), 2u);
  EXPECT_EQ(ev.report.candidates[0].fate, candidate_fate::failed);
  EXPECT_LT(ev.report.candidates[1].started() - ev.report.candidates[0].ended, 50ms);
}

TEST_F(conformance, RAC_08_losers_are_closed) {
  auto live = posix_bind();
  black_hole hole;
  auto pre = to(loopback_remote(hole.port()));
  pre.add_remote(loopback_remote(live.port()));
  racing_options pace;
  pace.attempt_delay = 10ms;
  pre.set_racing(pace);
  auto me = make_owner();
  auto made = initiate(pre, me.actor);
  const auto ev = me.log->wait("ready");
  EXPECT_EQ(ev.report.candidates[0].fate, candidate_fate::lost);
  auto accepted = posix_accept(live);
  taps::send(made, "x");
  EXPECT_EQ(accepted.read(1), "x");
  settle(made);
  EXPECT_EQ(me.log->count("ready"), 1u);
  // The Connection and nothing else holds descriptors.
  EXPECT_EQ(net_.num_residents(), 1u);
}

TEST_F(conformance, RAC_08_a_loser_that_got_through_is_closed) {
  // Both peers are live and both handshakes complete.
  auto first = posix_bind();
  auto second = posix_bind();
  auto pre = to(loopback_remote(first.port()));
  pre.add_remote(loopback_remote(second.port()));
  pre.set_racing({.mode = racing_mode::simultaneous});
  auto me = make_owner();
  auto made = initiate(pre, me.actor);
  const auto ev = me.log->wait("ready");
  ASSERT_EQ(ev.report.candidates.size(), 2u);
  const auto first_won = ev.report.winner()->who.remote.port == first.port();
  auto alive = posix_accept(first_won ? first : second);
  auto lost = posix_accept(first_won ? second : first);
  // The loser got no byte and hears of its end; the winner works.
  ASSERT_GE(lost.get(), 0);
  int failure = 0;
  EXPECT_EQ(lost.read(1, &failure), "");
  EXPECT_NE(failure, EAGAIN) << "still open";
  taps::send(made, "x");
  EXPECT_EQ(alive.read(1), "x");
  settle(made);
  EXPECT_EQ(me.log->names(), "ready");
  EXPECT_EQ(net_.num_residents(), 1u);
}

TEST_F(conformance, RAC_10_failover) {
  auto server = listen_at(at(loopback_local()));
  closed_port nobody;
  auto pre = to(loopback_remote(nobody.port()));
  pre.add_remote(loopback_remote(server.port));
  racing_options pace;
  pace.mode = racing_mode::failover;
  pre.set_racing(pace);
  auto me = make_owner();
  initiate(pre, me.actor);
  const auto ev = me.log->wait("ready");
  ASSERT_EQ(ev.report.candidates.size(), 2u);
  EXPECT_EQ(ev.report.candidates[0].fate, candidate_fate::failed);
  EXPECT_GE(ev.report.candidates[1].started(), ev.report.candidates[0].ended);
}

TEST_F(conformance, RAC_10_failover_starts_nothing_while_the_first_may_still_answer) {
  black_hole hole;
  auto live = posix_bind();
  auto pre = to(loopback_remote(hole.port()));
  pre.add_remote(loopback_remote(live.port()));
  pre.set_racing({.mode = racing_mode::failover, .attempt_delay = 10ms});
  auto me = make_owner();
  initiate(pre, me.actor, {.timeout = 200ms});
  const auto ev = me.log->wait("establishment_error");
  ASSERT_EQ(ev.report.candidates.size(), 2u);
  EXPECT_EQ(ev.report.candidates[1].fate, candidate_fate::not_tried);
  pollfd wait{live.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, 0), 0);
}

TEST_F(conformance, RAC_13_a_message_arrives_once_though_two_race) {
  auto pre = at(loopback_local());
  auto first = listen_at(pre);
  auto second = listen_at(at(loopback_local()));
  auto towards = to(loopback_remote(first.port));
  towards.add_remote(loopback_remote(second.port));
  racing_options pace;
  pace.mode = racing_mode::simultaneous;
  towards.set_racing(pace);
  auto me = make_owner();
  auto made = initiate(towards, me.actor);
  taps::send(made, "once", {}, {.notify = true});
  me.log->wait("sent");
  const auto winner = me.log->wait("ready").report.winner()->who.remote.port;
  auto& server = winner == first.port ? first : second;
  receive(server.by.log->wait("connection_received").connection);
  EXPECT_EQ(server.by.log->wait("received_partial").data.view(), "once");
  EXPECT_EQ(me.log->count("sent"), 1u);
}
