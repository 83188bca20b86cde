#include "taps/tests/net/datagram/datagram_fixture.hpp"

#include <netinet/in.h>

#include <cerrno>

namespace taps::testing {

namespace {

using datagram_connection_test = datagram_fixture;

TAPS_FOR_ALL_DATAGRAMS(datagram_connection_test);

TEST_P(datagram_connection_test, exchanges_datagrams_with_a_plain_socket) {
  for (const auto family : {ip_family::v4, ip_family::v6}) {
    auto peer = bound(family);
    recording_sink sink;
    start(sink, peer.local());
    sink.instance->set_demand(true);
    sink.send("question");
    socket_address from;
    EXPECT_EQ(peer.receive_from(&from), "question");
    EXPECT_EQ(from, sink.instance->local());
    peer.send_to("answer", from);
    ASSERT_TRUE(run([&] { return sink.pieces.size() == 1; }));
    EXPECT_EQ(sink.data, "answer");
    EXPECT_TRUE(sink.infos[0].end_of_message);
    EXPECT_FALSE(sink.infos[0].final);
    EXPECT_EQ(sink.infos[0].ecn, 0);
  }
}

TEST_P(datagram_connection_test, initiating_sends_nothing) {
  auto peer = bound();
  start(client, peer.local());
  client.instance->close();
  ASSERT_TRUE(run([&] { return client.closed; }));
  EXPECT_EQ(os.num_calls("sendmsg") + os.num_calls("sendmmsg") + os.num_calls("write"), 0u);
}

TEST_P(datagram_connection_test, no_route_is_an_error_at_once) {
  os.fail_next("connect", ENETUNREACH);
  connect_request request;
  request.remote = {*ip_address::parse("192.0.2.1"), 53, 0};
  const auto made = transport.connect(request, client);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.failure(), errc::establishment_failed);
  EXPECT_EQ(made.failure().text(), "connect to 192.0.2.1:53: Network is unreachable");
}

TEST_P(datagram_connection_test, too_large_fails_with_sizes_and_ends_nothing) {
  auto peer = bound();
  start(client, peer.local());
  EXPECT_EQ(client.instance->limits().send, 65507u);
  client.send(std::string(65508, 'x'));
  client.send("fits");
  ASSERT_EQ(client.queue->completions().size(), 2u);
  const auto& failure = client.queue->completions()[0].failure;
  ASSERT_TRUE(failure);
  EXPECT_EQ(*failure, errc::message_too_large);
  EXPECT_NE(failure->text().find("65508"), std::string::npos) << failure->text();
  EXPECT_NE(failure->text().find("65507"), std::string::npos) << failure->text();
  EXPECT_FALSE(client.queue->completions()[1].failure);
  EXPECT_EQ(peer.receive_from(), "fits");
  EXPECT_EQ(client.terminals, 0);
}

TEST_P(datagram_connection_test, the_largest_datagram_arrives_whole) {
  auto peer = bound();
  start(client, peer.local());
  client.instance->set_demand(true);
  std::string text(65507, 'x');
  for (std::size_t i = 0; i < text.size(); ++i)
    text[i] = static_cast<char>('a' + i % 26);
  client.send(text);
  socket_address from;
  EXPECT_EQ(peer.receive_from(&from), text);
  peer.send_to("small", from);
  peer.send_to(text, from);
  peer.send_to("small again", from);
  ASSERT_TRUE(run([&] { return client.pieces.size() == 3; }));
  EXPECT_EQ(client.pieces[0], "small");
  EXPECT_EQ(client.pieces[1], text);
  EXPECT_EQ(client.pieces[2], "small again");
}

TEST_P(datagram_connection_test, knows_what_fits_into_one_packet) {
  for (const auto family : {ip_family::v4, ip_family::v6}) {
    auto peer = bound(family);
    recording_sink sink;
    start(sink, peer.local());
    const auto limits = sink.instance->limits();
    ASSERT_TRUE(limits.singular_transmission);
    EXPECT_GE(*limits.singular_transmission, 1000u);
    EXPECT_LE(*limits.singular_transmission, limits.send);
    EXPECT_EQ(limits.send, family == ip_family::v4 ? 65507u : 65527u);
  }
}

TEST_P(datagram_connection_test, empty_messages_are_messages) {
  auto peer = bound();
  start(client, peer.local());
  client.instance->set_demand(true);
  client.send("");
  socket_address from;
  EXPECT_EQ(peer.receive_from(&from), "");
  EXPECT_EQ(from, client.instance->local());
  peer.send_to("", from);
  peer.send_to("x", from);
  ASSERT_TRUE(run([&] { return client.pieces.size() == 2; }));
  EXPECT_EQ(client.pieces[0], "");
  EXPECT_TRUE(client.infos[0].end_of_message);
}

TEST_P(datagram_connection_test, waiting_messages_leave_in_one_call_with_their_boundaries) {
  auto peer = bound();
  start(client, peer.local());
  const auto push = [&](std::string_view text, bool end) {
    outbound piece;
    piece.data = slice::copy_of(text);
    piece.end_of_message = end;
    client.queue->push(std::move(piece));
  };
  push("one", true);
  push("tw", false);
  push("o", true);
  push("", true);
  push("three", true);
  push("unfinished", false);
  os.forget_calls();
  client.flush();
  EXPECT_EQ(os.num_calls("sendmmsg"), 1u);
  for (const auto* expected : {"one", "two", "", "three"})
    EXPECT_EQ(peer.receive_from(), expected);
  EXPECT_EQ(client.queue->bytes(), 10u);
  push(" business", true);
  client.flush();
  EXPECT_EQ(peer.receive_from(), "unfinished business");
}

TEST_P(datagram_connection_test, a_full_socket_is_waited_for) {
  auto peer = bound();
  start(client, peer.local());
  os.fail_next("sendmsg", EAGAIN);
  client.send("late");
  EXPECT_TRUE(client.queue->completions().empty());
  ASSERT_TRUE(run([&] { return client.queue->empty(); }));
  EXPECT_EQ(client.writable, 1);
  EXPECT_EQ(peer.receive_from(), "late");
  os.forget_calls();
  os.fail_next("sendmsg", EAGAIN);
  client.send("later");
  ASSERT_TRUE(run([&] { return client.queue->empty(); }));
  EXPECT_EQ(client.writable, 2);
  EXPECT_EQ(os.num_calls("epoll_ctl"), 2u) << "room is watched only while something waits";
}

TEST_P(datagram_connection_test, refusal_by_the_peers_host_ends_nothing) {
  auto gone = bound();
  const auto nobody = gone.local();
  gone.close();
  start(client, nobody);
  client.instance->set_demand(true);
  client.send("into the void");
  settle(loop);
  client.send("again");
  settle(loop);
  EXPECT_TRUE(client.soft_errors.empty()) << "nobody asked for them";
  EXPECT_EQ(client.terminals, 0);
  EXPECT_EQ(client.queue->completions().size(), 2u);
  for (const auto& x : client.queue->completions())
    EXPECT_FALSE(x.failure);
}

TEST_P(datagram_connection_test, refusal_is_a_soft_error_if_asked_for) {
  auto wanted = std::make_shared<transport_properties>(unreliable_datagram());
  wanted->prefer(property_id::soft_error_notify);
  auto gone = bound();
  const auto nobody = gone.local();
  gone.close();
  start(client, nobody, wanted);
  client.send("into the void");
  ASSERT_TRUE(run([&] { return !client.soft_errors.empty(); }));
  EXPECT_EQ(client.soft_errors[0].text(),
            "datagrams to " + to_string(nobody) + ", says 127.0.0.1: Connection refused");
  EXPECT_EQ(client.terminals, 0);
  // Somebody moves in.
  auto peer = unbound();
  ASSERT_EQ(peer.bind(nobody), 0);
  client.send("still there?");
  EXPECT_EQ(peer.receive_from(), "still there?");
}

TEST_P(datagram_connection_test, one_too_large_for_its_path_changes_the_path_and_costs_no_other) {
  auto peer = bound();
  start(client, peer.local());
  os.fail_next("sendmsg", EMSGSIZE);
  client.send("arrives");
  EXPECT_EQ(peer.receive_from(), "arrives");
  ASSERT_TRUE(run([&] { return client.path_changes == 1; }));
  // Twice in a row, it is this one.
  os.fail_next("sendmsg", EMSGSIZE, 2);
  client.send("does not");
  client.send("does");
  EXPECT_EQ(peer.receive_from(), "does");
  settle(loop);
  EXPECT_EQ(client.path_changes, 1);
  ASSERT_EQ(client.queue->completions().size(), 3u);
  ASSERT_TRUE(client.queue->completions()[1].failure);
  EXPECT_EQ(client.queue->completions()[1].failure->reason(), errc::message_too_large);
}

TEST_P(datagram_connection_test, what_the_kernel_refuses_is_named) {
  auto peer = bound();
  start(client, peer.local());
  os.fail_next("setsockopt", EINVAL);
  const auto done = client.instance->set_property(property_id::conn_capacity_profile,
                                                  capacity_profile::scavenger);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().text(), "set connCapacityProfile: Invalid argument");
}

TEST_P(datagram_connection_test, an_error_that_waits_costs_no_message) {
  auto peer = bound();
  start(client, peer.local());
  os.fail_next("sendmsg", ECONNREFUSED);
  client.send("arrives");
  EXPECT_EQ(peer.receive_from(), "arrives");
  os.fail_next("sendmsg", EHOSTUNREACH, 2);
  client.send("does not");
  ASSERT_EQ(client.queue->completions().size(), 2u);
  ASSERT_TRUE(client.queue->completions()[1].failure);
  EXPECT_EQ(client.queue->completions()[1].failure->os_code(), EHOSTUNREACH);
  settle(loop);
  EXPECT_EQ(client.terminals, 0);
}

TEST_P(datagram_connection_test, without_demand_datagrams_wait) {
  auto peer = bound();
  start(client, peer.local());
  for (int i = 0; i < 20; ++i)
    peer.send_to(std::to_string(i), client.instance->local());
  settle(loop);
  EXPECT_TRUE(client.pieces.empty());
  client.hook = [&](std::string_view) { client.instance->set_demand(false); };
  client.instance->set_demand(true);
  settle(loop);
  EXPECT_EQ(client.pieces.size(), 1u) << "one was wanted, one was given";
  client.hook = nullptr;
  client.instance->set_demand(true);
  ASSERT_TRUE(run([&] { return client.pieces.size() == 20; }));
  for (std::size_t i = 0; i < 20; ++i)
    EXPECT_EQ(client.pieces[i], std::to_string(i));
}

TEST_P(datagram_connection_test, only_the_peer_is_heard) {
  auto peer = bound();
  auto stranger = bound();
  start(client, peer.local());
  client.instance->set_demand(true);
  stranger.send_to("psst", client.instance->local());
  peer.send_to("hello", client.instance->local());
  ASSERT_TRUE(run([&] { return !client.pieces.empty(); }));
  EXPECT_EQ(client.data, "hello");
}

TEST_P(datagram_connection_test, tells_the_ecn_codepoint) {
  auto peer = bound();
  start(client, peer.local());
  client.instance->set_demand(true);
  peer.option(IPPROTO_IP, IP_TOS, 3);
  peer.send_to("congested", client.instance->local());
  ASSERT_TRUE(run([&] { return !client.infos.empty(); }));
  EXPECT_EQ(client.infos[0].ecn, 3);
}

TEST_P(datagram_connection_test, the_capacity_profile_marks_packets) {
  auto wanted = std::make_shared<transport_properties>();
  wanted->with(property_id::conn_capacity_profile, capacity_profile::scavenger);
  auto peer = bound();
  start(client, peer.local(), wanted);
  const auto tos = [&] {
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(fd, IPPROTO_IP, IP_TOS, &value, &size);
    return value;
  };
  EXPECT_EQ(tos(), 1 << 2);
  EXPECT_TRUE(client.instance->set_property(property_id::conn_capacity_profile,
                                            capacity_profile::capacity_seeking));
  EXPECT_EQ(tos(), 10 << 2);
}

TEST_P(datagram_connection_test, close_frees_the_port_at_once_and_closed_follows) {
  auto peer = bound();
  start(client, peer.local());
  const auto local = client.instance->local();
  client.instance->close();
  auto next = unbound();
  EXPECT_EQ(next.bind(local), 0);
  EXPECT_EQ(client.terminals, 0);
  loop.run_deferred();
  EXPECT_TRUE(client.closed);
  client.instance->close();
  settle(loop);
  EXPECT_EQ(client.terminals, 1);
  EXPECT_EQ(loop.num_sources(), 0u);
}

TEST_P(datagram_connection_test, abort_is_silent) {
  auto peer = bound();
  start(client, peer.local());
  client.instance->abort();
  settle(loop);
  EXPECT_EQ(client.terminals, 0);
  EXPECT_EQ(loop.num_sources(), 0u);
}

TEST_P(datagram_connection_test, any_call_to_the_sink_may_destroy_the_instance) {
  for (const std::string_view doomed : {"ready", "data", "writable", "closed"}) {
    auto peer = bound();
    recording_sink sink;
    bool hit = false;
    sink.hook = [&](std::string_view name) {
      if (name == doomed) {
        hit = true;
        sink.instance.reset();
      }
    };
    start(sink, peer.local());
    if (sink.instance) {
      peer.send_to("one", sink.instance->local());
      peer.send_to("two", sink.instance->local());
      sink.instance->set_demand(true);
      if (doomed == "writable") {
        os.fail_next("sendmsg", EAGAIN);
        sink.send("x");
      }
      if (doomed == "closed")
        sink.instance->close();
    }
    ASSERT_TRUE(run([&] { return hit; })) << doomed;
    settle(loop);
    EXPECT_EQ(loop.num_sources(), 0u) << doomed;
  }
}

}  // namespace

}  // namespace taps::testing
