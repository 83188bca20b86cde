// SND, RCV and FRM: data transfer, against plain sockets and ourselves.

#include "taps/tests/conformance/support/transfer_fixture.hpp"

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;

namespace {

/// Passes everything on; for orders and endings.
class tag_framer : public framer {
public:
  explicit tag_framer(std::string tag) : tag_(std::move(tag)) {}
  std::string_view name() const noexcept override { return "tag"; }
  void stop(framer_context& context) override {
    context.send(slice::copy_of("bye" + tag_));
    context.make_connection_closed();
  }
  result<void> new_sent_message(framer_context& context, slice data, const message_context&,
                                bool) override {
    context.send(slice::copy_of(tag_ + "(" + data.str() + ")"));
    return {};
  }
  void handle_received_data(framer_context& context) override {
    while (auto view = context.parse(1, 1 << 20)) {
      auto text =
          std::string{reinterpret_cast<const char*>(view->bytes.data()), view->bytes.size()};
      context.advance_receive_cursor(view->bytes.size());
      if (text.find("fail") != std::string::npos) {
        context.fail_connection({errc::deframing_failed, "the framer gave up"});
        return;
      }
      context.deliver(context.inbound_context(), slice::copy_of(text + tag_), true);
    }
  }

private:
  std::string tag_;
};

/// Says good-bye, and is done only once the peer has answered.
class polite_framer : public framer {
public:
  std::string_view name() const noexcept override { return "polite"; }
  void stop(framer_context& context) override { context.send(slice::copy_of("bye")); }
  result<void> new_sent_message(framer_context& context, slice data, const message_context&,
                                bool) override {
    context.send(std::move(data));
    return {};
  }
  void handle_received_data(framer_context& context) override {
    while (auto view = context.parse(1, 1 << 20)) {
      context.advance_receive_cursor(view->bytes.size());
      context.make_connection_closed();
    }
  }
};

framer_factory tag(std::string text) {
  return [text] { return std::make_unique<tag_framer>(text); };
}

}  // namespace

// -- sending ----------------------------------------------------------------------------------

TEST_F(transfer, SND_01_one_sent_each_in_order) {
  connect();
  std::vector<message_context> contexts;
  for (int i = 0; i < 100; ++i) {
    message_context context;
    context.add("none", "number", std::to_string(i));
    contexts.push_back(context);
    taps::send(made_, "x", context, {.notify = true});
  }
  me_.log->wait("sent", 100);
  EXPECT_EQ(peer_.read(100).size(), 100u);
  std::size_t i = 0;
  for (const auto& x : me_.log->all()) {
    if (x.what == "sent") {
      EXPECT_EQ(x.context.get("none", "number"), std::to_string(i++));
    }
  }
}

TEST_F(transfer, SND_02_too_large_for_a_datagram) {
  auto me = make_owner();
  auto receiver = posix_bind(0, AF_INET, SOCK_DGRAM);
  auto made = initiate(to(loopback_remote(receiver.port()), unreliable_datagram()), me.actor);
  taps::send(made, std::string(65508, 'x'));
  EXPECT_EQ(me.log->wait("send_error").reason.reason(), errc::message_too_large);
  taps::send(made, "fits", {}, {.notify = true});
  me.log->wait("sent");
  EXPECT_EQ(receiver.read(4), "fits");
}

TEST_F(transfer, MSG_02_zero_length_datagram) {
  auto server = listen_at(at(loopback_local(), unreliable_datagram()), [](auto*, const told& x) {
    if (x.what == "connection_received")
      receive(x.connection);
  });
  auto me = make_owner();
  taps::send(initiate(to(loopback_remote(server.port), unreliable_datagram()), me.actor), "");
  EXPECT_TRUE(server.by.log->wait("received").data.empty());
}

TEST_F(transfer, MSG_05_not_replayable_over_datagrams) {
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(9), unreliable_datagram()), me.actor);
  taps::send(made, "x", message_context{}.with_safely_replayable(false));
  EXPECT_EQ(me.log->wait("send_error").reason.reason(), errc::invalid_message_properties);
}

TEST_F(transfer, SND_15_checksum_over_a_part) {
  // Receivers that let through nothing below a coverage of 12 and 13 bytes.
  constexpr int receive_coverage = 11;
  for (const int wanted : {12, 13}) {
    auto me = make_owner();
    auto receiver = posix_bind(0, AF_INET, SOCK_DGRAM, 0, IPPROTO_UDPLITE);
    ::setsockopt(receiver.get(), IPPROTO_UDPLITE, receive_coverage, &wanted, sizeof wanted);
    auto made = initiate(
        to(loopback_remote(receiver.port()).with_protocol("udplite"), unreliable_datagram()),
        me.actor);
    message_properties four;
    four.checksum_length = 4;
    taps::send(made, "four bytes", message_context{}.with_properties(four));
    taps::send(made, "all");
    EXPECT_EQ(receiver.read(1), wanted == 12 ? "f" : "a");
  }
}

// -- receiving -----------------------------------------------------------------------------------

TEST_F(transfer, RCV_01_one_event_per_receive) {
  connect();
  me_.log->wait("ready");
  ASSERT_TRUE(peer_.send("a"));
  settle(made_);
  EXPECT_EQ(names(), "ready");
  receive(made_);
  EXPECT_EQ(me_.log->wait("received_partial").data.view(), "a");
  ASSERT_TRUE(peer_.send("b"));
  settle(made_);
  EXPECT_EQ(me_.log->count("received_partial"), 1u);
}

TEST_F(transfer, RCV_02_data_before_receive) {
  connect();
  ASSERT_TRUE(peer_.send("early"));
  me_.log->wait("ready");
  settle(made_);
  receive(made_);
  EXPECT_EQ(me_.log->wait("received_partial").data.view(), "early");
}

TEST_F(transfer, RCV_04_datagrams_are_split_not_cut) {
  auto server = listen_at(at(loopback_local(), unreliable_datagram()), [](auto*, const told& x) {
    if (x.what == "connection_received")
      receive(x.connection, {.max_length = 1000, .count = 2});
  });
  auto peer = posix_connect(server.port, AF_INET, SOCK_DGRAM);
  ASSERT_TRUE(peer.send(std::string(1500, 'x')));
  auto first = server.by.log->wait("received_partial", 1);
  auto second = server.by.log->wait("received_partial", 2);
  EXPECT_EQ(first.data.size(), 1000u);
  EXPECT_FALSE(first.end);
  EXPECT_EQ(second.data.size(), 500u);
  EXPECT_TRUE(second.end);
  EXPECT_EQ(first.context, second.context);
}

TEST_F(transfer, RCV_06_byte_streams_yield_partial) {
  connect();
  receive(made_);
  ASSERT_TRUE(peer_.send("abc"));
  const auto ev = me_.log->wait("received_partial");
  EXPECT_EQ(ev.data.view(), "abc");
  EXPECT_FALSE(ev.end);
}

TEST_F(transfer, RCV_07_end_of_the_peers_data) {
  connect();
  receive(made_);
  peer_.finish();
  EXPECT_TRUE(me_.log->wait("received_partial").end);
  EXPECT_EQ(properties_of(made_).get("canReceive"), property_value{false});
  taps::send(made_, "still");
  EXPECT_EQ(peer_.read(5), "still");
  receive(made_);
  EXPECT_EQ(me_.log->wait("receive_error").reason.reason(), errc::no_more_data);
  EXPECT_EQ(me_.log->count("closed"), 0u);
}

TEST_F(transfer, RCV_12_no_receive_no_reading) {
  connect();
  me_.log->wait("ready");
  std::size_t written = 0;
  const std::string block(64 * 1024, 'x');
  pollfd wait{peer_.get(), POLLOUT, 0};
  while (written < (std::size_t{256} << 20) && ::poll(&wait, 1, 300) == 1) {
    const auto n = ::send(peer_.get(), block.data(), block.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0)
      written += static_cast<std::size_t>(n);
  }
  // The kernel's buffers are full, and nothing of ours holds more.
  EXPECT_LT(written, std::size_t{64} << 20);
}

TEST_F(transfer, RCV_13_bad_receives) {
  connect();
  me_.log->wait("ready");
  receive(made_, {.max_length = 0});
  EXPECT_EQ(me_.log->wait("receive_error").reason.reason(), errc::invalid_configuration);
  auto only =
      reliable_inorder_stream().with(property_id::direction, direction::unidirectional_send);
  auto sender = initiate(to(loopback_remote(listener_.port()), only), me_.actor);
  me_.log->wait("ready", 2);
  receive(sender);
  EXPECT_NE(me_.log->wait("receive_error", 2).reason.text(), "");
  EXPECT_EQ(me_.log->count("connection_error"), 0u);
}

TEST_F(transfer, RCV_09_full_coverage_wanted) {
  constexpr int send_coverage = 10;
  auto server = listen_at(at(loopback_local().with_protocol("udplite"), unreliable_datagram()),
                          [](auto*, const told& x) {
                            if (x.what == "connection_received")
                              receive(x.connection);
                          });
  auto peer = posix_connect(server.port, AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
  for (const int coverage : {12, 0}) {
    ::setsockopt(peer.get(), IPPROTO_UDPLITE, send_coverage, &coverage, sizeof coverage);
    ASSERT_TRUE(peer.send(coverage == 0 ? "covered" : "covered in part"));
  }
  EXPECT_EQ(server.by.log->wait("received").data.view(), "covered");
}

// -- framers --------------------------------------------------------------------------------------

TEST_F(transfer, FRM_01_three_in_one_segment_and_one_in_many) {
  connect(reliable_inorder_stream(), {length_prefix()});
  receive(made_, {.count = 4});
  const std::string frame{"\0\0\0\2ab", 6};
  ASSERT_TRUE(peer_.send(frame + frame + frame));
  me_.log->wait("received", 3);
  for (auto byte : frame) {
    ASSERT_TRUE(peer_.send(std::string_view{&byte, 1}));
    settle(made_);
  }
  EXPECT_EQ(me_.log->wait("received", 4).data.view(), "ab");
}

TEST_F(transfer, FRM_02_order_of_framers) {
  connect(reliable_inorder_stream(), {tag("A"), tag("B")});
  taps::send(made_, "x");
  EXPECT_EQ(peer_.read(7), "A(B(x))");
  receive(made_);
  ASSERT_TRUE(peer_.send("y"));
  EXPECT_EQ(me_.log->wait("received").data.view(), "yAB");
}

TEST_F(transfer, FRM_05_failure_after_ready) {
  connect(reliable_inorder_stream(), {tag("A")});
  me_.log->wait("ready");
  receive(made_);
  ASSERT_TRUE(peer_.send("fail"));
  EXPECT_EQ(me_.log->wait("connection_error").reason.reason(), errc::deframing_failed);
}

TEST_F(transfer, FRM_06_last_words) {
  connect(reliable_inorder_stream(), {tag("A")});
  me_.log->wait("ready");
  close(made_);
  EXPECT_EQ(peer_.read(), "byeA");
  peer_.close();
  me_.log->wait("closed");
}

TEST_F(transfer, FRM_06_closed_waits_for_the_framer) {
  connect(reliable_inorder_stream(), {[] { return std::make_unique<polite_framer>(); }});
  me_.log->wait("ready");
  close(made_);
  EXPECT_EQ(peer_.read(3), "bye");
  settle(made_);
  EXPECT_EQ(names(), "ready");
  EXPECT_EQ(properties_of(made_).get("connState"), property_value{connection_state::closing});
  // Nor has the peer been told that this is all.
  pollfd wait{peer_.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, 0), 0);
  ASSERT_TRUE(peer_.send("bye"));
  EXPECT_EQ(peer_.read(), "");
  peer_.close();
  me_.log->wait("closed");
  EXPECT_EQ(names(), "ready closed");
}

TEST_F(transfer, FRM_11_oversize_length) {
  connect(reliable_inorder_stream(), {length_prefix()});
  receive(made_);
  ASSERT_TRUE(peer_.send("\xff\xff\xff\xffx"));
  EXPECT_EQ(me_.log->wait("receive_error").reason.reason(), errc::deframing_failed);
}

TEST_F(transfer, FRM_11_end_inside_a_frame) {
  connect(reliable_inorder_stream(), {length_prefix()});
  receive(made_);
  ASSERT_TRUE(peer_.send(std::string_view{"\0\0\0\5ab", 6}));
  peer_.finish();
  me_.log->wait("received_partial");
  receive(made_);
  EXPECT_EQ(me_.log->wait("receive_error").reason.reason(), errc::deframing_failed);
}
