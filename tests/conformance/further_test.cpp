// Ids that need no feature of their own and hold already, by the public API over real sockets.

#include "taps/tests/conformance/support/fixture.hpp"

#include <array>

using namespace taps;
using namespace taps::testing;

namespace {

/// A plain socket bound to another loopback address, connected to `port` of 127.0.0.1.
posix_socket connect_from(const char* source, std::uint16_t port, int type) {
  posix_socket result{::socket(AF_INET, type | SOCK_CLOEXEC, 0)};
  sockaddr_in from{};
  from.sin_family = AF_INET;
  ::inet_pton(AF_INET, source, &from.sin_addr);
  sockaddr_storage to;
  const auto size = loopback(to, AF_INET, port);
  if (::bind(result.get(), reinterpret_cast<sockaddr*>(&from), sizeof from) != 0 ||
      ::connect(result.get(), reinterpret_cast<sockaddr*>(&to), size) != 0)
    result.close();
  return result;
}

const reaction receive_at_once = [](auto*, const told& x) {
  if (x.what == "connection_received")
    receive(x.connection, {.count = 100});
};

/// A frame of `length_prefix`.
std::string frame(const std::string& payload) {
  const auto n = payload.size();
  return std::string{static_cast<char>(n >> 24), static_cast<char>(n >> 16),
                     static_cast<char>(n >> 8), static_cast<char>(n)} +
         payload;
}

/// A Connection to a plain socket, with or without frames.
class further : public conformance {
protected:
  void connect(bool framed) {
    listener_ = posix_bind();
    me_ = make_owner();
    auto pre = to(loopback_remote(listener_.port()));
    if (framed)
      pre.add_framer(length_prefix());
    made_ = initiate(pre, me_.actor);
    peer_ = posix_accept(listener_);
    me_.log->wait("ready");
  }

  posix_socket listener_;
  posix_socket peer_;
  owner me_;
  connection made_;
};

using conformance_further = further;

}  // namespace

// -- endpoints and Listeners --------------------------------------------------------------------

TEST_F(conformance, EP_06_an_endpoint_for_one_protocol_is_not_for_the_other) {
  auto streams = listen_at(at(loopback_local()));
  auto datagrams = posix_bind(0, AF_INET, SOCK_DGRAM);
  const auto towards = [&](transport_properties wanted) {
    auto pre = to(loopback_remote(streams.port), std::move(wanted));
    pre.add_remote(loopback_remote(datagrams.port()).with_protocol("UDP"));
    return pre;
  };
  auto me = make_owner();
  initiate(towards(reliable_inorder_stream()), me.actor);
  const auto stream = me.log->wait("ready");
  ASSERT_EQ(stream.report.candidates.size(), 1u);
  EXPECT_EQ(stream.report.candidates[0].who.remote.port, streams.port);
  auto datagram = initiate(towards(unreliable_datagram()), me.actor);
  me.log->wait("ready", 2);
  taps::send(datagram, "here");
  EXPECT_EQ(datagrams.read(4), "here");
  for (const auto& x : me.log->wait("ready", 2).report.candidates)
    EXPECT_EQ(x.who.remote.port, x.who.stack == "udp" ? datagrams.port() : streams.port);
}

TEST_F(conformance, LST_08_a_filter_keeps_other_sources_away) {
  auto pre = at(loopback_local());
  pre.add_remote(remote_endpoint{}.with_ip_address("127.0.0.2"));
  auto server = listen_at(pre, receive_at_once);
  // It sends nothing: that might be too late already.
  auto stranger = connect_from("127.0.0.3", server.port, SOCK_STREAM);
  auto friendly = connect_from("127.0.0.2", server.port, SOCK_STREAM);
  ASSERT_TRUE(friendly.send("friend"));
  EXPECT_EQ(server.by.log->wait("received_partial").data.view(), "friend");
  // Nobody serves the stranger, who is told so instead of being left waiting.
  int failure = 0;
  EXPECT_EQ(stranger.read(1, &failure), "");
  EXPECT_NE(failure, EAGAIN) << "left waiting";
  EXPECT_EQ(server.by.log->count("connection_received"), 1u);
}

TEST_F(conformance, LST_08_a_filter_for_datagrams) {
  auto pre = at(loopback_local(), unreliable_datagram());
  pre.add_remote(remote_endpoint{}.with_ip_address("127.0.0.2"));
  auto server = listen_at(pre, receive_at_once);
  auto stranger = connect_from("127.0.0.3", server.port, SOCK_DGRAM);
  ASSERT_TRUE(stranger.send("stranger"));
  ASSERT_TRUE(stranger.send("again"));
  auto friendly = connect_from("127.0.0.2", server.port, SOCK_DGRAM);
  ASSERT_TRUE(friendly.send("friend"));
  EXPECT_EQ(server.by.log->wait("received").data.view(), "friend");
  EXPECT_EQ(server.by.log->count("connection_received"), 1u);
}

// -- Message Properties ---------------------------------------------------------------------------

TEST_F(conformance_further, MSG_06_bounds_hold_for_contexts_and_connections) {
  using namespace std::chrono_literals;
  message_context context;
  EXPECT_EQ(context.add("msgLifetime", 0s).failure().reason(), errc::invalid_configuration);
  EXPECT_EQ(context.add("msgLifetime", -1s).failure().reason(), errc::invalid_configuration);
  EXPECT_EQ(context.add("msgPriority", -1).failure().reason(), errc::invalid_configuration);
  EXPECT_TRUE(context.properties().all_default());
  connect(false);
  EXPECT_EQ(set(made_, "msgLifetime", 0s).reason(), errc::invalid_configuration);
  EXPECT_EQ(set(made_, "msgPriority", -1).reason(), errc::invalid_configuration);
  EXPECT_EQ(properties_of(made_).get("msgPriority"), property_value{100});
}

// -- receiving ------------------------------------------------------------------------------------

TEST_F(conformance_further, RCV_03_one_message_in_two_parts_of_one_context) {
  connect(true);
  receive(made_, {.min_incomplete_length = 1, .max_length = 1000});
  receive(made_, {.min_incomplete_length = 1, .max_length = 1000});
  std::string payload(1500, 'a');
  payload[1000] = 'b';
  // All at once, lest the first part be what has come by then.
  ASSERT_TRUE(peer_.send(frame(payload)));
  const auto first = me_.log->wait("received_partial", 1);
  const auto second = me_.log->wait("received_partial", 2);
  EXPECT_EQ(first.data.view(), payload.substr(0, 1000));
  EXPECT_FALSE(first.end);
  EXPECT_EQ(second.data.view(), payload.substr(1000));
  EXPECT_TRUE(second.end);
  EXPECT_EQ(first.context, second.context);
}

TEST_F(conformance_further, RCV_05_the_minimum_is_waited_for) {
  connect(false);
  receive(made_, {.min_incomplete_length = 100});
  ASSERT_TRUE(peer_.send(std::string(99, 'x')));
  settle(made_);
  EXPECT_EQ(me_.log->count("received_partial"), 0u);
  ASSERT_TRUE(peer_.send("y"));
  const auto ev = me_.log->wait("received_partial");
  EXPECT_EQ(ev.data.view(), std::string(99, 'x') + "y");
  EXPECT_FALSE(ev.end);
}

TEST_F(conformance_further, RCV_05_a_shorter_message_ends_the_wait) {
  connect(true);
  receive(made_, {.min_incomplete_length = 100});
  ASSERT_TRUE(peer_.send(frame("short")));
  EXPECT_EQ(me_.log->wait("received").data.view(), "short");
}

TEST_F(conformance_further, RCV_08_half_a_frame_at_the_end) {
  connect(true);
  // The first may get the part that has come, as before every end; the second must hear of it.
  receive(made_, {.count = 2});
  ASSERT_TRUE(peer_.send(frame("0123456789").substr(0, 7)));
  settle(made_);
  peer_.reset();
  EXPECT_EQ(me_.log->wait("connection_error").reason.reason(), errc::connection_aborted);
  EXPECT_GE(me_.log->count("receive_error"), 1u);
  EXPECT_EQ(me_.log->count("receive_error") + me_.log->count("received_partial"), 2u);
  EXPECT_EQ(me_.log->all().back().what, "connection_error");
}

TEST_F(conformance, the_report_is_readable_as_long_as_the_connection_lives) {
  auto server = listen_at(at(loopback_local()));
  auto me = make_owner();
  auto mine = initiate(to(loopback_remote(server.port)), me.actor);
  const auto told = me.log->wait("ready").report;
  const auto report_of = [&](const connection& x) {
    caf::scoped_actor self{system_};
    establishment_report result;
    self->request(x, std::chrono::seconds{10}, get_report_command{})
        .receive([&](establishment_report& y) { result = std::move(y); },
                 [&](const caf::error& y) { ADD_FAILURE() << to_string(y); });
    return result;
  };
  EXPECT_EQ(told.candidates.size(), 1u);
  EXPECT_EQ(report_of(mine), told);
  const auto accepted = server.by.log->wait("connection_received").connection;
  EXPECT_TRUE(report_of(accepted).candidates.empty());
}

TEST_F(conformance, GRP_04_an_accepted_connection_cannot_be_cloned) {
  auto server = listen_at(at(loopback_local()));
  auto me = make_owner();
  auto mine = initiate(to(loopback_remote(server.port)), me.actor);
  const auto accepted = server.by.log->wait("connection_received").connection;
  clone(accepted, server.by.actor);
  EXPECT_EQ(server.by.log->wait("clone_error").reason.reason(), errc::not_cloneable);
  // And is none the worse for it.
  receive(mine);
  taps::send(accepted, "still here");
  EXPECT_EQ(me.log->wait("received_partial").data.view(), "still here");
}
