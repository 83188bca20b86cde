#include "taps/tests/net/stream/stream_fixture.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>

namespace taps::testing {

namespace {

using stream_connection_test = stream_fixture;

// -- establishment ----------------------------------------------------------------

TAPS_FOR_ALL_STREAMS(stream_connection_test);

TEST_P(stream_connection_test, connects_and_exchanges_data_with_an_accepted_one) {
  for (const auto family : {ip_family::v4, ip_family::v6}) {
    recording_sink caller;
    start(caller, listen(family));
    const auto before = inbound.accepted.size();
    ASSERT_TRUE(run([&] { return caller.ready == 1 && inbound.accepted.size() == before + 1; }));
    auto& server = *inbound.accepted.back();
    caller.instance->set_demand(true);
    server.instance->set_demand(true);
    caller.send("hello");
    ASSERT_TRUE(run([&] { return server.data == "hello"; }));
    server.send("yes");
    ASSERT_TRUE(run([&] { return caller.data == "yes"; }));
    EXPECT_EQ(caller.instance->local(), server.instance->remote());
    EXPECT_EQ(caller.instance->remote(), server.instance->local());
    EXPECT_EQ(caller.terminals + server.terminals, 0);
  }
}

TEST_P(stream_connection_test, refusal_fails_and_names_the_address) {
  auto gone = plain_socket::listening();
  const auto nobody = gone.local();
  gone.close();
  start(client, nobody);
  ASSERT_TRUE(run([&] { return client.terminated(); }));
  ASSERT_TRUE(client.failure);
  EXPECT_EQ(*client.failure, errc::establishment_failed);
  EXPECT_EQ(client.failure->text(), "connect to " + to_string(nobody) + ": Connection refused");
  EXPECT_EQ(client.ready, 0);
  EXPECT_EQ(loop.num_sources(), 0u);
}

TEST_P(stream_connection_test, an_error_known_at_once_is_returned) {
  os.fail_next("connect", ENETUNREACH);
  connect_request request;
  request.remote = {*ip_address::parse("192.0.2.1"), 80, 0};
  const auto made = transport.connect(request, client);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.failure().text(), "connect to 192.0.2.1:80: Network is unreachable");
  settle(loop);
  EXPECT_EQ(client.terminals, 0);
}

TEST_P(stream_connection_test, an_unknown_interface_is_named) {
  connect_request request;
  request.remote = listen();
  request.interface = "nosuch0";
  const auto made = transport.connect(request, client);
  ASSERT_FALSE(made);
  EXPECT_NE(made.failure().text().find("nosuch0"), std::string::npos) << made.failure().text();
}

TEST_P(stream_connection_test, binds_the_local_address_it_is_told) {
  connect_request request;
  request.remote = listen();
  request.local = socket_address{*ip_address::parse("127.0.0.5"), 0, 0};
  start(client, request);
  ASSERT_TRUE(run([&] { return client.ready == 1 && inbound.accepted.size() == 1; }));
  EXPECT_EQ(client.instance->local().address, request.local->address);
  EXPECT_EQ(inbound.accepted[0]->instance->remote(), client.instance->local());
}

TEST_P(stream_connection_test, a_local_port_in_use_is_named) {
  auto taken = plain_socket::listening();
  connect_request request;
  request.remote = listen();
  request.local = taken.local();
  const auto made = transport.connect(request, client);
  ASSERT_FALSE(made);
  EXPECT_NE(made.failure().text().find("port " + std::to_string(taken.local().port) + " is in use"),
            std::string::npos)
      << made.failure().text();
}

TEST_P(stream_connection_test, never_talks_to_itself) {
  auto reserved = plain_socket::listening();
  connect_request request;
  request.remote = reserved.local();
  reserved.close();
  request.local = request.remote;
  start(client, request);
  ASSERT_TRUE(run([&] { return client.terminated() || client.ready > 0; }));
  ASSERT_TRUE(client.failure);
  EXPECT_EQ(client.failure->os_code(), ECONNREFUSED);
}

// -- sending ----------------------------------------------------------------------

TEST_P(stream_connection_test, a_round_trip_is_one_call_of_each_kind) {
  start(client, listen());
  ASSERT_TRUE(run([&] { return client.ready == 1 && inbound.accepted.size() == 1; }));
  auto& server = *inbound.accepted[0];
  client.instance->set_demand(true);
  server.instance->set_demand(true);
  server.hook = [&](std::string_view) { server.send("pong"); };
  const auto round_trip = [&](std::size_t n) {
    client.send("ping");
    ASSERT_TRUE(run([&] { return client.data.size() == n * 4; }));
  };
  round_trip(1);
  os.forget_calls();
  for (std::size_t i = 2; i <= 11; ++i)
    round_trip(i);
  EXPECT_EQ(os.num_calls("write"), 20u);
  EXPECT_EQ(os.num_calls("read"), 20u);
  EXPECT_EQ(os.num_calls("epoll_wait"), 20u);
  EXPECT_EQ(os.calls().size(), 60u);
}

TEST_P(stream_connection_test, pieces_leave_in_one_call) {
  connect_to_peer();
  for (int i = 0; i < 10; ++i) {
    outbound piece;
    piece.data = slice::copy_of(std::string(3, static_cast<char>('0' + i)));
    client.queue->push(std::move(piece));
  }
  os.forget_calls();
  client.flush();
  EXPECT_EQ(os.num_calls("writev"), 1u);
  EXPECT_TRUE(client.queue->empty());
  EXPECT_EQ(peer.receive(30), "000111222333444555666777888999");
}

TEST_P(stream_connection_test, short_writes_and_interruptions_lose_nothing) {
  connect_to_peer();
  os.limit_write(777);
  os.fail_next("write", EINTR, 3);
  const auto text = pattern(20000);
  client.send(text.substr(0, 5000));
  outbound piece;
  piece.data = slice::copy_of(text.substr(5000, 7000));
  client.queue->push(piece);
  piece.data = slice::copy_of(text.substr(12000));
  client.queue->push(piece);
  client.flush();
  EXPECT_TRUE(client.queue->empty());
  EXPECT_EQ(peer.receive(20000), text);
  EXPECT_EQ(os.unused(), "");
}

TEST_P(stream_connection_test, a_full_socket_is_waited_for) {
  connect_to_peer();
  os.fail_next("write", EAGAIN);
  client.send("late");
  EXPECT_FALSE(client.queue->empty());
  os.forget_calls();
  client.flush();
  EXPECT_EQ(os.num_calls("write"), 0u) << "nothing to gain before the kernel says so";
  os.report(fd, EPOLLOUT);
  ASSERT_TRUE(run([&] { return client.queue->empty(); }));
  EXPECT_EQ(client.writable, 1);
  EXPECT_EQ(peer.receive(4), "late");
}

TEST_P(stream_connection_test, a_peer_that_does_not_read_holds_the_queue_back) {
  connect_to_peer();
  const auto text = pattern(1024 * 1024);
  for (int i = 0; i < 16; ++i)
    client.send(text);
  settle(loop);
  EXPECT_GT(client.queue->bytes(), 4u * 1024 * 1024);
  EXPECT_LT(client.queue->completions().size(), 16u);
  std::string got;
  beside([&] { got = peer.receive(16 * text.size()); });
  EXPECT_TRUE(client.queue->empty());
  EXPECT_EQ(client.queue->completions().size(), 16u);
  ASSERT_EQ(got.size(), 16 * text.size());
  for (std::size_t i = 0; i < 16; ++i)
    EXPECT_EQ(got.compare(i * text.size(), text.size(), text), 0);
}

TEST_P(stream_connection_test, writing_to_a_reset_peer_fails_later_not_inside) {
  connect_to_peer();
  os.fail_next("write", EPIPE);
  client.send("lost");
  EXPECT_EQ(client.terminals, 0);
  ASSERT_TRUE(run([&] { return client.terminated(); }));
  EXPECT_EQ(*client.failure, errc::connection_aborted);
  EXPECT_EQ(client.terminals, 1);
}

// -- receiving --------------------------------------------------------------------

TEST_P(stream_connection_test, without_demand_nothing_is_read_and_the_sender_stops) {
  connect_to_peer();
  os.forget_calls();
  const auto block = pattern(64 * 1024);
  std::size_t sent = 0;
  for (;;) {
    const auto n = ::send(peer.get(), block.data(), block.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    settle(loop);
    if (n <= 0)
      break;
    sent += static_cast<std::size_t>(n);
    ASSERT_LT(sent, 256u * 1024 * 1024);
  }
  EXPECT_EQ(os.num_calls("read"), 0u);
  EXPECT_TRUE(client.data.empty());
  client.instance->set_demand(true);
  EXPECT_TRUE(client.data.empty()) << "never from inside";
  ASSERT_TRUE(run([&] { return client.data.size() == sent; }));
}

TEST_P(stream_connection_test, demand_for_what_waits_already_is_met_in_the_same_turn) {
  connect_to_peer();
  peer.send("early");
  settle(loop);
  os.forget_calls();
  client.instance->set_demand(true);
  loop.run_deferred();
  EXPECT_EQ(client.data, "early");
  EXPECT_EQ(os.num_calls("epoll_wait"), 0u);
}

TEST_P(stream_connection_test, demand_withdrawn_in_the_middle_stops_the_reading) {
  connect_to_peer();
  client.hook = [&](std::string_view) { client.instance->set_demand(false); };
  os.limit_read(10);
  peer.send(pattern(30));
  client.instance->set_demand(true);
  ASSERT_TRUE(run([&] { return !client.data.empty(); }));
  os.limit_read(0);
  settle(loop);
  EXPECT_EQ(client.data, pattern(30).substr(0, 10));
  EXPECT_EQ(client.pieces.size(), 1u);
}

TEST_P(stream_connection_test, an_end_right_behind_the_data_comes_last_and_once) {
  connect_to_peer();
  const auto text = pattern(200000);
  std::thread sender{[&] {
    peer.send(text);
    peer.close();
  }};
  client.instance->set_demand(true);
  ASSERT_TRUE(run([&] { return client.finals > 0; }));
  sender.join();
  settle(loop);
  EXPECT_EQ(client.data, text);
  EXPECT_EQ(client.finals, 1);
  EXPECT_TRUE(client.infos.back().end_of_message);
  EXPECT_EQ(client.terminals, 0) << "the other direction is still open";
}

TEST_P(stream_connection_test, urgent_data_does_not_hide_what_comes_behind_it) {
  connect_to_peer();
  peer.send("abc");
  ::send(peer.get(), "!", 1, MSG_OOB);
  peer.send("def");
  client.instance->set_demand(true);
  // Only the plain kind knows what is urgent.
  const std::string expected = is_plain() ? "abcdef" : "abc!def";
  ASSERT_TRUE(run([&] { return client.data.size() >= expected.size(); }));
  EXPECT_EQ(client.data, expected);
}

TEST_P(stream_connection_test, a_hangup_reported_with_data_delivers_the_data) {
  connect_to_peer();
  client.instance->set_demand(true);
  os.data_next("read", "rest", fd);
  os.data_next("read", "", fd);
  os.report(fd, EPOLLIN | EPOLLHUP | EPOLLRDHUP);
  ASSERT_TRUE(run([&] { return client.finals == 1; }));
  EXPECT_EQ(client.data, "rest");
}

TEST_P(stream_connection_test, what_came_before_a_reset_is_delivered_first) {
  connect_to_peer();
  peer.send("before");
  peer.reset();
  client.instance->set_demand(true);
  ASSERT_TRUE(run([&] { return client.terminated(); }));
  EXPECT_EQ(client.data, "before");
  ASSERT_TRUE(client.failure);
  EXPECT_EQ(*client.failure, errc::connection_aborted);
  EXPECT_EQ(client.failure->text(),
            "connection reset by peer " + to_string(client.instance->remote()));
  EXPECT_EQ(client.terminals, 1);
  EXPECT_EQ(client.finals, 0);
}

TEST_P(stream_connection_test, a_reset_is_told_at_once_when_nobody_reads) {
  connect_to_peer();
  peer.send("unwanted");
  peer.reset();
  ASSERT_TRUE(run([&] { return client.terminated(); }));
  EXPECT_EQ(*client.failure, errc::connection_aborted);
  EXPECT_TRUE(client.data.empty());
}

TEST_P(stream_connection_test, a_reset_after_the_peers_end_is_told_too) {
  connect_to_peer();
  client.instance->set_demand(true);
  peer.shut_down(SHUT_WR);
  ASSERT_TRUE(run([&] { return client.finals == 1; }));
  peer.reset();
  ASSERT_TRUE(run([&] { return client.terminated(); }));
  EXPECT_EQ(*client.failure, errc::connection_aborted);
  EXPECT_EQ(client.finals, 1);
}

// -- half-close -------------------------------------------------------------------

TEST_P(stream_connection_test, answers_a_peer_that_has_finished) {
  connect_to_peer();
  client.instance->set_demand(true);
  peer.send("question");
  peer.shut_down(SHUT_WR);
  ASSERT_TRUE(run([&] { return client.finals == 1; }));
  client.send("answer", true);
  EXPECT_EQ(peer.receive_all(), "answer");
  ASSERT_TRUE(run([&] { return client.closed; })) << "both directions are done";
  EXPECT_EQ(client.terminals, 1);
  EXPECT_EQ(loop.num_sources(), 0u);
}

TEST_P(stream_connection_test, a_final_message_leaves_the_other_direction_open) {
  connect_to_peer();
  client.instance->set_demand(true);
  client.send("");
  client.send("last", true);
  EXPECT_EQ(client.queue->completions().size(), 2u);
  EXPECT_EQ(peer.receive_all(), "last");
  peer.send("still here");
  ASSERT_TRUE(run([&] { return client.data == "still here"; }));
  settle(loop);
  EXPECT_EQ(client.terminals, 0);
  peer.close();
  ASSERT_TRUE(run([&] { return client.closed; }));
  EXPECT_EQ(client.finals, 1);
}

TEST_P(stream_connection_test, nothing_goes_out_behind_a_final_message) {
  connect_to_peer();
  outbound piece;
  piece.data = slice::copy_of("last");
  piece.final = true;
  client.queue->push(piece);
  piece.data = slice::copy_of("too late");
  client.queue->push(piece);
  client.flush();
  EXPECT_EQ(peer.receive_all(), "last");
  EXPECT_EQ(client.queue->bytes(), 8u);
}

TEST_P(stream_connection_test, an_empty_final_message_is_just_the_end) {
  connect_to_peer();
  client.send("", true);
  EXPECT_EQ(peer.receive_all(), "");
  EXPECT_TRUE(client.queue->empty());
}

// -- sinks that end the instance -------------------------------------------------------

TEST_P(stream_connection_test, any_call_to_the_sink_may_destroy_the_instance) {
  for (const std::string_view doomed : {"ready", "writable", "data", "final", "failed", "closed"}) {
    for (const bool only_abort : {false, true}) {
      recording_sink sink;
      bool hit = false;
      sink.hook = [&](std::string_view name) {
        const auto final = name == "data" && sink.finals > 0;
        if (name != doomed && !(doomed == "final" && final))
          return;
        hit = true;
        if (only_abort)
          sink.instance->abort();
        else
          sink.instance.reset();
      };
      auto waiting = plain_socket::listening();
      start(sink, waiting.local());
      auto other = waiting.accept();
      ASSERT_TRUE(run([&] { return sink.ready == 1; }));
      if (sink.instance)
        sink.instance->set_demand(true);
      if (doomed == "writable") {
        os.fail_next("write", EAGAIN, 1, fd);
        sink.send("x");
        os.report(fd, EPOLLIN | EPOLLOUT);
      }
      other.send("data");
      if (doomed == "failed")
        other.reset();
      else
        other.shut_down(SHUT_WR);
      if (doomed == "closed")
        sink.instance->close();
      ASSERT_TRUE(run([&] { return hit; })) << doomed;
      settle(loop);
      EXPECT_EQ(loop.num_sources(), 0u) << doomed;
      EXPECT_LE(sink.terminals, 1);
    }
  }
}

// -- properties -------------------------------------------------------------------

TEST_P(stream_connection_test, properties_become_socket_options) {
  auto wanted = std::make_shared<transport_properties>();
  wanted->require(property_id::keep_alive)
      .with(property_id::conn_timeout, std::chrono::seconds{5})
      .with(property_id::keep_alive_timeout, std::chrono::seconds{3})
      .with(property_id::conn_capacity_profile, capacity_profile::low_latency_interactive);
  ASSERT_TRUE(wanted->check());
  connect_to_peer(wanted);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 5000);
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 3);
  EXPECT_EQ(option(IPPROTO_IP, IP_TOS) & 0xfc, 36 << 2);
  EXPECT_TRUE(client.instance->set_property(property_id::conn_timeout, std::chrono::seconds{2}));
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 2000);
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 0) << "a probe after 3 s would come too late";
  EXPECT_TRUE(client.instance->set_property(property_id::conn_timeout, special::disabled));
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_TRUE(client.instance->set_property(property_id::conn_priority, 5));
}

TEST_P(stream_connection_test, silence_ends_it_whoever_keeps_the_time) {
  auto wanted = std::make_shared<transport_properties>();
  wanted->with(property_id::conn_timeout, std::chrono::milliseconds{300});
  connect_request request;
  request.remote = listen();
  request.properties = wanted;
  start(client, request);
  ASSERT_TRUE(run([&] { return client.ready == 1 && inbound.accepted.size() == 1; }));
  // Nobody reads, so in the end nothing is acknowledged.
  client.send(std::string(20'000'000, 'x'));
  ASSERT_TRUE(run([&] { return client.terminated(); }));
  ASSERT_TRUE(client.failure);
  EXPECT_EQ(client.failure->reason(), errc::timeout) << client.failure->text();
}

TEST_P(stream_connection_test, what_the_kernel_refuses_is_named) {
  connect_to_peer();
  os.fail_next("setsockopt", EINVAL);
  const auto done =
      client.instance->set_property(property_id::max_send_rate, std::int64_t{1'000'000});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().text(), "set maxSendRate: Invalid argument");
  // What it does not know is done without it.
  os.fail_next("setsockopt", ENOPROTOOPT);
  EXPECT_TRUE(client.instance->set_property(property_id::max_send_rate, std::int64_t{1'000'000}));
}

TEST_P(stream_connection_test, nothing_is_asked_of_the_kernel_that_nobody_asked_for) {
  auto waiting = plain_socket::listening();
  start(client, waiting.local());
  auto other = waiting.accept();
  ASSERT_TRUE(run([&] { return client.ready == 1; }));
  EXPECT_EQ(os.num_calls("setsockopt"), 1u) << "TCP_NODELAY";
  client.send("x");
  EXPECT_EQ(other.receive(1), "x");
  EXPECT_EQ(os.num_calls("ioctl"), 0u);
  EXPECT_EQ(loop.timers().size(), 0u);
}

TEST_P(stream_connection_test, accepted_ones_inherit_the_listeners_properties) {
  auto wanted = std::make_shared<transport_properties>();
  wanted->with(property_id::conn_timeout, std::chrono::seconds{7});
  listen_request request;
  request.local = loopback();
  request.properties = wanted;
  auto made = transport.listen(request, inbound);
  ASSERT_TRUE(made);
  start(client, (*made)->local());
  ASSERT_TRUE(run([&] { return client.ready == 1 && inbound.accepted.size() == 1; }));
  for (const auto& call : os.calls()) {
    if (call.name == "accept" && call.answer >= 0)
      fd = static_cast<int>(call.answer);
  }
  // The kernel has no such timeout for several paths.
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), is_plain() ? 7000 : -1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_NODELAY), 1);
}

}  // namespace

}  // namespace taps::testing
