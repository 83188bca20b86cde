// LST, PRP and SEL: Listeners, and properties of running Connections.

#include "taps/tests/conformance/support/fixture.hpp"

using namespace taps;
using namespace taps::testing;

namespace {

const reaction receive_at_once = [](auto*, const told& x) {
  if (x.what == "connection_received")
    receive(x.connection, {.count = 100});
};

}  // namespace

TEST_F(conformance, LST_01_established_and_usable_at_once) {
  auto server = listen_at(at(loopback_local()), [](auto*, const told& x) {
    if (x.what == "connection_received")
      taps::send(x.connection, "welcome");
  });
  auto peer = posix_connect(server.port);
  EXPECT_EQ(peer.read(7), "welcome");
  EXPECT_EQ(server.by.log->wait("connection_received").state, connection_state::established);
}

TEST_F(conformance, LST_02_stop) {
  auto server = listen_at(at(loopback_local()), receive_at_once);
  auto peer = posix_connect(server.port);
  auto accepted = server.by.log->wait("connection_received").connection;
  stop(server.listener);
  stop(server.listener);
  server.by.log->wait("stopped");
  EXPECT_LT(posix_connect(server.port).get(), 0);
  ASSERT_TRUE(peer.send("still"));
  EXPECT_EQ(server.by.log->wait("received_partial").data.view(), "still");
  taps::send(accepted, "here");
  EXPECT_EQ(peer.read(4), "here");
  EXPECT_EQ(server.by.log->count("stopped"), 1u);
}

TEST_F(conformance, LST_02_stop_spares_datagram_connections) {
  auto server = listen_at(at(loopback_local(), unreliable_datagram()), receive_at_once);
  auto peer = posix_connect(server.port, AF_INET, SOCK_DGRAM);
  ASSERT_TRUE(peer.send("one"));
  auto accepted = server.by.log->wait("connection_received").connection;
  server.by.log->wait("received");
  stop(server.listener);
  server.by.log->wait("stopped");
  auto late = posix_connect(server.port, AF_INET, SOCK_DGRAM);
  late.send("late");
  ASSERT_TRUE(peer.send("two"));
  EXPECT_EQ(server.by.log->wait("received", 2).data.view(), "two");
  EXPECT_EQ(server.by.log->count("connection_received"), 1u);
  taps::send(accepted, "three");
  EXPECT_EQ(peer.read(5), "three");
}

TEST_F(conformance, LST_03_limit_of_new_connections) {
  auto server = listen_at(at(loopback_local()), receive_at_once);
  set_new_connection_limit(server.listener, 2);
  port_of(server.listener);  // by now it has taken effect
  auto a = posix_connect(server.port);
  auto b = posix_connect(server.port);
  auto c = posix_connect(server.port);
  for (auto* x : {&a, &b, &c})
    ASSERT_TRUE(x->send("x"));
  server.by.log->wait("received_partial", 2);
  // The third is here, and waits.
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (net_.num_residents() < 4 && std::chrono::steady_clock::now() < limit)
    std::this_thread::yield();
  EXPECT_EQ(server.by.log->count("connection_received"), 2u);
  set_new_connection_limit(server.listener, std::nullopt);
  server.by.log->wait("connection_received", 3);
  server.by.log->wait("received_partial", 3);
  set_new_connection_limit(server.listener, 0);
  port_of(server.listener);
  auto d = posix_connect(server.port);
  set_new_connection_limit(server.listener, 1);
  server.by.log->wait("connection_received", 4);
}

TEST_F(conformance, LST_03_failed_handshakes_do_not_count) {
  class password final : public framer {
    std::string_view name() const noexcept override { return "password"; }
    void start(framer_context&) override {}
    result<void> new_sent_message(framer_context& context, slice data, const message_context&,
                                  bool) override {
      context.send(std::move(data));
      return {};
    }
    void handle_received_data(framer_context& context) override {
      const auto given = context.parse(1, 1);
      context.advance_receive_cursor(1);
      if (given && given->bytes.front() == std::byte{'+'})
        context.make_connection_ready();
      else
        context.fail_connection({errc::protocol_failed, "wrong"});
    }
  };
  auto pre = at(loopback_local());
  pre.add_framer([] { return std::make_unique<password>(); });
  auto server = listen_at(pre);
  set_new_connection_limit(server.listener, 1);
  port_of(server.listener);  // by now it has taken effect
  for (int i = 0; i < 3; ++i) {
    auto wrong = posix_connect(server.port);
    ASSERT_TRUE(wrong.send("-"));
    EXPECT_EQ(wrong.read(), "");  // over
  }
  auto right = posix_connect(server.port);
  ASSERT_TRUE(right.send("+"));
  server.by.log->wait("connection_received");
  EXPECT_EQ(server.by.log->names(), "connection_received");
}

TEST_F(conformance, LST_03_who_waits_when_the_listener_stops) {
  auto server = listen_at(at(loopback_local()), receive_at_once);
  set_new_connection_limit(server.listener, 0);
  port_of(server.listener);  // by now it has taken effect
  auto peer = posix_connect(server.port);
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (net_.num_residents() < 3 && std::chrono::steady_clock::now() < limit)
    std::this_thread::yield();
  stop(server.listener);
  server.by.log->wait("stopped");
  int failure = 0;
  EXPECT_EQ(peer.read(1, &failure), "");
  EXPECT_EQ(server.by.log->names(), "stopped");
}

TEST_F(conformance, LST_04_port_in_use) {
  auto taken = posix_bind();
  auto me = make_owner();
  auto listener = listen(at(loopback_local(taken.port())), me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_EQ(ev.listener, listener);
  EXPECT_EQ(ev.reason.reason(), errc::establishment_failed);
  EXPECT_NE(ev.reason.text().find(std::to_string(taken.port())), std::string::npos);
  EXPECT_EQ(me.log->names(), "establishment_error");
}

TEST_F(conformance, LST_05_datagrams_of_two_peers) {
  auto server = listen_at(at(loopback_local(), unreliable_datagram()), [](auto*, const told& x) {
    if (x.what == "connection_received")
      receive(x.connection);
    if (x.what == "received")
      taps::send(x.connection, "to " + x.data.str());
  });
  auto a = posix_connect(server.port, AF_INET, SOCK_DGRAM);
  auto b = posix_connect(server.port, AF_INET, SOCK_DGRAM);
  ASSERT_TRUE(a.send("a"));
  ASSERT_TRUE(b.send("b"));
  EXPECT_EQ(a.read(4), "to a");
  EXPECT_EQ(b.read(4), "to b");
  EXPECT_EQ(server.by.log->count("connection_received"), 2u);
}

TEST_F(conformance, LST_06_one_connection_per_peer_until_closed) {
  auto server = listen_at(at(loopback_local(), unreliable_datagram()), receive_at_once);
  auto peer = posix_connect(server.port, AF_INET, SOCK_DGRAM);
  ASSERT_TRUE(peer.send("1"));
  ASSERT_TRUE(peer.send("2"));
  server.by.log->wait("received", 2);
  EXPECT_EQ(server.by.log->count("connection_received"), 1u);
  close(server.by.log->wait("connection_received").connection);
  server.by.log->wait("closed");
  ASSERT_TRUE(peer.send("3"));
  server.by.log->wait("connection_received", 2);
  EXPECT_EQ(server.by.log->wait("received", 3).data.view(), "3");
}

TEST_F(conformance, LST_07_both_protocols_on_one_port) {
  auto either = transport_properties{}
                    .no_preference(property_id::reliability)
                    .no_preference(property_id::preserve_order)
                    .no_preference(property_id::congestion_control)
                    .with(property_id::safely_replayable, true);
  auto server = listen_at(at(loopback_local(), either), receive_at_once);
  auto stream = posix_connect(server.port);
  ASSERT_TRUE(stream.send("s"));
  server.by.log->wait("received_partial");
  auto datagram = posix_connect(server.port, AF_INET, SOCK_DGRAM);
  ASSERT_TRUE(datagram.send("d"));
  EXPECT_EQ(server.by.log->wait("received").data.view(), "d");
}

TEST_F(conformance, LST_09_plain_client) {
  auto server = listen_at(at(local_endpoint{}), receive_at_once);
  for (auto family : {AF_INET, AF_INET6}) {
    auto peer = posix_connect(server.port, family);
    ASSERT_TRUE(peer.send("x"));
  }
  server.by.log->wait("received_partial", 2);
}

// -- properties of running Connections ------------------------------------------------------------

TEST_F(conformance, PRP_06_read_only) {
  auto server = listen_at(at(loopback_local()));
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(server.port)), me.actor);
  me.log->wait("ready");
  EXPECT_EQ(set(made, "connState", 1).reason(), errc::read_only);
  EXPECT_EQ(set(made, "sendMsgMaxLen", 1).reason(), errc::read_only);
  EXPECT_EQ(properties_of(made).get("connState"), property_value{connection_state::established});
}

TEST_F(conformance, PRP_07_selection_properties) {
  auto server = listen_at(at(loopback_local()));
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(server.port)), me.actor);
  me.log->wait("ready");
  EXPECT_EQ(set(made, "reliability", preference::avoid).reason(), errc::read_only);
}

TEST_F(conformance, PRP_08_preferences_read_as_booleans) {
  auto server = listen_at(at(loopback_local()));
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(server.port)), me.actor);
  me.log->wait("ready");
  auto properties = properties_of(made);
  EXPECT_EQ(properties.get("reliability"), property_value{true});
  EXPECT_EQ(properties.get("preserveMsgBoundaries"), property_value{false});
}

TEST_F(conformance, PRP_11_connection_properties_come_from_the_preconnection) {
  auto server = listen_at(at(loopback_local()));
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(server.port),
                          reliable_inorder_stream().with(property_id::conn_priority, 7)),
                       me.actor);
  me.log->wait("ready");
  EXPECT_EQ(properties_of(made).get("connPriority"), property_value{7});
}

TEST_F(conformance, PRP_18_unidirectional) {
  auto server = listen_at(at(loopback_local()));
  auto me = make_owner();
  auto only = [](direction x) { return reliable_inorder_stream().with(property_id::direction, x); };
  auto in =
      initiate(to(loopback_remote(server.port), only(direction::unidirectional_receive)), me.actor);
  me.log->wait("ready", 1);
  EXPECT_EQ(properties_of(in).get("canSend"), property_value{false});
  EXPECT_EQ(properties_of(in).get("sendMsgMaxLen"), property_value{0});
  auto out =
      initiate(to(loopback_remote(server.port), only(direction::unidirectional_send)), me.actor);
  me.log->wait("ready", 2);
  EXPECT_EQ(properties_of(out).get("canReceive"), property_value{false});
  EXPECT_EQ(properties_of(out).get("recvMsgMaxLen"), property_value{0});
}

TEST_F(conformance, PRP_19_datagram_limits) {
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(9), unreliable_datagram()), me.actor);
  me.log->wait("ready");
  auto properties = properties_of(made);
  EXPECT_EQ(properties.get("sendMsgMaxLen"), property_value{65507});
  EXPECT_LE(properties.get("singularTransmissionMsgMaxLen").get_or<std::int64_t>(1 << 30), 65507);
}
