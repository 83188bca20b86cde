#include "taps/tests/net/stream/stream_fixture.hpp"

#include <atomic>
#include <cerrno>

namespace taps::testing {

namespace {

class stream_close_test : public stream_fixture {
protected:
  /// How long closing took by the loop's clock.
  duration time_to_end() {
    const auto begin = os.now();
    EXPECT_TRUE(run([&] { return client.terminated(); }));
    return os.now() - begin;
  }
};

TAPS_FOR_ALL_STREAMS(stream_close_test);

TEST_P(stream_close_test, everything_arrives_although_inbound_data_was_not_read) {
  connect_to_peer();
  peer.send(pattern(100000));
  const auto text = pattern(1024 * 1024);
  client.send(text);
  std::string got;
  int code = 0;
  std::thread reader{[&] {
    got = peer.receive_all(&code);
    peer.close();
    loop.wake();
  }};
  EXPECT_TRUE(run([&] { return client.queue->empty(); }));
  client.instance->close();
  EXPECT_TRUE(run([&] { return client.terminated(); }));
  reader.join();
  EXPECT_TRUE(client.closed);
  EXPECT_EQ(code, 0) << "a reset destroys what was not read yet";
  EXPECT_EQ(got, text);
  EXPECT_TRUE(client.data.empty());
  EXPECT_EQ(client.terminals, 1);
  EXPECT_EQ(loop.num_sources(), 0u);
}

TEST_P(stream_close_test, ends_in_the_same_turn_when_the_peer_was_first) {
  connect_to_peer();
  client.instance->set_demand(true);
  peer.close();
  ASSERT_TRUE(run([&] { return client.finals == 1; }));
  os.forget_calls();
  client.instance->close();
  EXPECT_EQ(client.terminals, 0) << "never from inside";
  loop.run_deferred();
  EXPECT_TRUE(client.closed);
  EXPECT_EQ(os.num_calls("epoll_wait"), 0u);
}

TEST_P(stream_close_test, ends_at_once_when_nothing_was_ever_sent) {
  connect_to_peer();
  client.instance->close();
  EXPECT_EQ(client.terminals, 0) << "never from inside";
  loop.run_deferred();
  EXPECT_TRUE(client.closed);
  int code = 0;
  EXPECT_EQ(peer.receive_all(&code), "");
  EXPECT_EQ(code, 0);
}

TEST_P(stream_close_test, what_the_peer_sent_in_vain_resets_it) {
  connect_to_peer();
  peer.send(pattern(1000));
  client.instance->close();
  time_to_end();
  EXPECT_TRUE(client.closed);
  int code = 0;
  peer.receive_all(&code);
  // The kernel does not do so for what fell back from several paths.
  EXPECT_EQ(code, is_plain() ? ECONNRESET : 0);
}

TEST_P(stream_close_test, both_ends_closing_wait_for_no_timer) {
  start(client, listen());
  ASSERT_TRUE(run([&] { return client.ready == 1 && inbound.accepted.size() == 1; }));
  auto& server = *inbound.accepted[0];
  client.send("x");
  server.instance->set_demand(true);
  server.hook = [&](std::string_view) {
    if (server.finals == 1 && !server.closed)
      server.instance->close();
  };
  client.instance->close();
  EXPECT_LT(time_to_end(), std::chrono::seconds{1});
  EXPECT_TRUE(run([&] { return server.closed; }));
  EXPECT_TRUE(client.closed);
  EXPECT_EQ(loop.timers().size(), 0u);
}

TEST_P(stream_close_test, a_peer_that_stays_open_is_given_two_seconds) {
  connect_to_peer();
  client.send("x");
  os.stop_clock();
  client.instance->close();
  // Scripted, for on a stopped clock the real acknowledgement might come too late.
  os.answer_next("ioctl", 0, fd);
  const auto took = time_to_end();
  EXPECT_TRUE(client.closed);
  EXPECT_EQ(took, std::chrono::seconds{2});
}

TEST_P(stream_close_test, the_two_seconds_begin_with_the_acknowledgement_not_with_a_poll) {
  connect_to_peer();
  client.send("x");
  client.instance->close();
  ASSERT_TRUE(run([&] { return *loop.timers().next() <= os.now() + std::chrono::seconds{2}; }));
  EXPECT_EQ(client.terminals, 0);
  peer.close();
  EXPECT_LT(time_to_end(), std::chrono::seconds{1});
  EXPECT_TRUE(client.closed);
}

TEST_P(stream_close_test, a_peer_that_never_stops_sending_does_not_hold_it_open) {
  connect_to_peer();
  client.send("x");
  client.instance->close();
  std::atomic<bool> stop = false;
  const auto block = pattern(64 * 1024);
  std::thread sender{[&] {
    while (!stop && peer.send(block) == block.size())
      ;
  }};
  EXPECT_LT(time_to_end(), std::chrono::milliseconds{1900});
  stop = true;
  sender.join();
  EXPECT_TRUE(client.closed);
}

TEST_P(stream_close_test, without_acknowledgement_it_fails_after_30_seconds) {
  connect_to_peer();
  client.send(pattern(16 * 1024 * 1024));
  settle(loop);
  os.stop_clock();
  client.instance->close();
  EXPECT_EQ(time_to_end(), std::chrono::seconds{30});
  ASSERT_TRUE(client.failure);
  EXPECT_EQ(*client.failure, errc::timeout);
  EXPECT_NE(client.failure->text().find("did not acknowledge"), std::string::npos);
}

TEST_P(stream_close_test, the_connection_timeout_limits_it) {
  auto wanted = std::make_shared<transport_properties>();
  wanted->with(property_id::conn_timeout, std::chrono::seconds{7});
  connect_to_peer(wanted);
  client.send(pattern(16 * 1024 * 1024));
  settle(loop);
  os.stop_clock();
  client.instance->close();
  EXPECT_EQ(time_to_end(), std::chrono::seconds{7});
  EXPECT_EQ(*client.failure, errc::timeout);
}

TEST_P(stream_close_test, a_reset_before_all_arrived_is_a_failure) {
  connect_to_peer();
  client.send(pattern(16 * 1024 * 1024));
  settle(loop);
  client.instance->close();
  peer.reset();
  time_to_end();
  ASSERT_TRUE(client.failure);
  EXPECT_EQ(*client.failure, errc::connection_aborted);
}

TEST_P(stream_close_test, twice_is_once) {
  connect_to_peer();
  client.instance->close();
  client.instance->close();
  peer.close();
  time_to_end();
  settle(loop);
  EXPECT_TRUE(client.closed);
  EXPECT_EQ(client.terminals, 1);
}

TEST_P(stream_close_test, abort_while_closing_ends_it_silently) {
  connect_to_peer();
  client.send("x");
  client.instance->close();
  client.instance->abort();
  settle(loop);
  EXPECT_EQ(client.terminals, 0);
  EXPECT_EQ(loop.num_sources(), 0u);
  EXPECT_EQ(loop.timers().size(), 0u);
}

TEST_P(stream_close_test, while_connecting_it_gives_up) {
  start(client, listen());
  client.instance->close();
  time_to_end();
  settle(loop);
  EXPECT_TRUE(client.closed);
  EXPECT_EQ(client.ready, 0);
  EXPECT_EQ(client.terminals, 1);
}

TEST_P(stream_close_test, abort_and_destruction_reset_the_peer) {
  for (const bool destroy : {false, true}) {
    connect_to_peer();
    const auto terminals = client.terminals;
    if (destroy)
      client.instance.reset();
    else
      client.instance->abort();
    int code = 0;
    EXPECT_EQ(peer.receive_all(&code), "");
    EXPECT_EQ(code, ECONNRESET);
    settle(loop);
    EXPECT_EQ(client.terminals, terminals);
    client.ready = 0;
  }
}

TEST_P(stream_close_test, many_cycles_leave_nothing_behind) {
  const auto address = listen();
  inbound.hook = [](recording_sink& server) {
    server.instance->set_demand(true);
    server.hook = [&server](std::string_view name) {
      if (name == "data" && server.finals == 1)
        server.instance->close();
    };
  };
  for (int i = 0; i < 300; ++i) {
    recording_sink sink;
    start(sink, address);
    sink.hook = [&](std::string_view name) {
      if (name == "ready")
        sink.instance->close();
    };
    ASSERT_TRUE(run([&] { return sink.closed; })) << i;
  }
  ASSERT_TRUE(
      run([&] { return inbound.accepted.size() == 300 && inbound.accepted.back()->closed; }));
  EXPECT_EQ(loop.num_sources(), 1u) << "the listener";
  EXPECT_EQ(loop.timers().size(), 0u);
}

}  // namespace

}  // namespace taps::testing
