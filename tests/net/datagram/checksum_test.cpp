// How much of a datagram its checksum covers, by what a plain receiver lets through.

#include "taps/tests/net/datagram/datagram_fixture.hpp"

#include <netinet/in.h>
#include <netinet/udp.h>

namespace taps::testing {

namespace {

constexpr int send_coverage = 10;
constexpr int receive_coverage = 11;

std::shared_ptr<const message_properties> covering(std::int64_t length) {
  auto result = std::make_shared<message_properties>();
  result->checksum_length = length;
  return result;
}

std::shared_ptr<const transport_properties> with(property_id id, std::int64_t value) {
  return std::make_shared<transport_properties>(transport_properties{}.with(id, value));
}

/// Queues without flushing.
void queue(recording_sink& sink, std::string_view bytes,
           std::shared_ptr<const message_properties> properties = nullptr) {
  sink.queue->push({slice::copy_of(bytes), std::move(properties), true, false});
}

/// The kind that covers as much as one likes.
class partial_checksum_test : public datagram_fixture {
protected:
  /// A peer that wants this coverage, headers included.
  static plain_socket wanting(int coverage, ip_family family = ip_family::v4) {
    auto result = bound(family);
    result.option(IPPROTO_UDPLITE, receive_coverage, coverage);
    return result;
  }
};

/// The kind that covers all or nothing. The kernel lets what has no checksum through for IPv4, and
/// drops it for IPv6 unless told otherwise.
using zero_checksum_test = datagram_fixture;

INSTANTIATE_TEST_SUITE_P(, partial_checksum_test, ::testing::Values(&udplite_kind()));
INSTANTIATE_TEST_SUITE_P(, zero_checksum_test, ::testing::Values(&udp_kind()));

}  // namespace

// -- partial ----------------------------------------------------------------------------------

TEST_P(partial_checksum_test, of_each_message_as_it_asks) {
  for (const auto family : {ip_family::v4, ip_family::v6}) {
    auto peer = wanting(12, family);
    recording_sink sink;
    start(sink, peer.local());
    queue(sink, "three bytes are too little", covering(3));
    queue(sink, "four are enough", covering(4));
    queue(sink, "nothing but the header", covering(0));
    queue(sink, "all");
    queue(sink, "as good as all", covering(1000));
    queue(sink, "header again", covering(0));
    queue(sink, "all again", covering(full_checksum));
    sink.flush();
    for (const auto* expected : {"four are enough", "all", "as good as all", "all again"})
      EXPECT_EQ(peer.receive_from(), expected);
  }
}

TEST_P(partial_checksum_test, and_not_a_byte_more) {
  auto peer = wanting(13);
  start(client, peer.local());
  queue(client, "twelve bytes are covered", covering(4));
  queue(client, "all");
  client.flush();
  EXPECT_EQ(peer.receive_from(), "all");
}

TEST_P(partial_checksum_test, those_that_agree_leave_together) {
  auto peer = bound();
  start(client, peer.local());
  os.forget_calls();
  for (int i = 0; i < 10; ++i)
    queue(client, "partly", covering(2));
  for (int i = 0; i < 10; ++i)
    queue(client, "wholly");
  client.flush();
  EXPECT_EQ(os.num_calls("sendmmsg"), 2u);
  EXPECT_EQ(os.num_calls("setsockopt"), 2u);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(peer.receive_from(), i < 10 ? "partly" : "wholly");
}

TEST_P(partial_checksum_test, by_the_default_of_the_connection) {
  auto peer = wanting(12);
  start(client, peer.local(), with(property_id::msg_checksum_len, 3));
  queue(client, "too little");
  queue(client, "as it asks itself", covering(4));
  client.flush();
  EXPECT_TRUE(client.instance->set_property(property_id::msg_checksum_len, std::int64_t{4}));
  queue(client, "by the new default");
  client.flush();
  EXPECT_EQ(peer.receive_from(), "as it asks itself");
  EXPECT_EQ(peer.receive_from(), "by the new default");
}

TEST_P(partial_checksum_test, of_connections_that_share_a_socket) {
  const auto where = listen();
  auto first = wanting(12);
  auto second = wanting(12);
  first.send_to("hello", where);
  second.send_to("hello", where);
  ASSERT_TRUE(run([&] { return inbound.accepted.size() == 2; }));
  auto& one = *inbound.accepted[0];
  auto& other = *inbound.accepted[1];
  EXPECT_TRUE(one.instance->set_property(property_id::msg_checksum_len, std::int64_t{0}));
  one.send("dropped");
  other.send("whole");
  queue(one, "enough", covering(4));
  one.flush();
  EXPECT_EQ(first.receive_from(), "enough");
  EXPECT_EQ(second.receive_from(), "whole");
}

TEST_P(partial_checksum_test, what_comes_in_must_be_covered_unless_said_otherwise) {
  const auto send = [](plain_socket& from, int coverage, const socket_address& to) {
    from.option(IPPROTO_UDPLITE, send_coverage, coverage);
    EXPECT_GT(from.send_to("coverage " + std::to_string(coverage), to), 0u);
  };
  auto peer = bound();
  recording_sink strict;
  start(strict, peer.local());
  recording_sink lenient;
  start(lenient, peer.local(), with(property_id::recv_checksum_len, 4));
  for (auto* sink : {&strict, &lenient}) {
    sink->instance->set_demand(true);
    for (const int coverage : {11, 12, 0})
      send(peer, coverage, sink->instance->local());
    ASSERT_TRUE(run([&] { return !sink->pieces.empty() && sink->pieces.back() == "coverage 0"; }));
  }
  EXPECT_EQ(strict.data, "coverage 0");
  EXPECT_EQ(lenient.data, "coverage 12coverage 0");
  EXPECT_TRUE(lenient.instance->set_property(property_id::recv_checksum_len, full_checksum));
  EXPECT_TRUE(strict.instance->set_property(property_id::recv_checksum_len, std::int64_t{0}));
  for (auto* sink : {&strict, &lenient}) {
    sink->pieces.clear();
    send(peer, 11, sink->instance->local());
    send(peer, 0, sink->instance->local());
    ASSERT_TRUE(run([&] { return !sink->pieces.empty() && sink->pieces.back() == "coverage 0"; }));
  }
  EXPECT_EQ(strict.pieces.size(), 2u);
  EXPECT_EQ(lenient.pieces.size(), 1u);
}

TEST_P(partial_checksum_test, a_listener_is_as_strict) {
  const auto where = listen();
  auto peer = bound();
  peer.option(IPPROTO_UDPLITE, send_coverage, 12);
  peer.send_to("partly covered", where);
  peer.option(IPPROTO_UDPLITE, send_coverage, 0);
  peer.send_to("covered", where);
  ASSERT_TRUE(run([&] { return inbound.accepted.size() == 1; }));
  auto& sink = *inbound.accepted[0];
  sink.instance->set_demand(true);
  ASSERT_TRUE(run([&] { return !sink.data.empty(); }));
  EXPECT_EQ(sink.data, "covered");
}

// -- all or nothing ---------------------------------------------------------------------------

TEST_P(zero_checksum_test, length_zero_leaves_it_out) {
  auto strict = bound(ip_family::v6);
  start(client, strict.local());
  queue(client, "without", covering(0));
  queue(client, "more than nothing is all", covering(1));
  client.flush();
  EXPECT_EQ(strict.receive_from(), "more than nothing is all");

  auto lenient = bound(ip_family::v6);
  lenient.option(IPPROTO_UDP, UDP_NO_CHECK6_RX, 1);
  recording_sink other;
  start(other, lenient.local());
  queue(other, "without", covering(0));
  other.flush();
  EXPECT_EQ(lenient.receive_from(), "without");
}

TEST_P(zero_checksum_test, so_it_does_in_ipv4) {
  const auto left_out = [this] {
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &value, &size);
    return value;
  };
  auto peer = bound();
  start(client, peer.local());
  EXPECT_EQ(left_out(), 0);
  queue(client, "without", covering(0));
  client.flush();
  EXPECT_EQ(left_out(), 1);
  queue(client, "with");
  client.flush();
  EXPECT_EQ(left_out(), 0);
  EXPECT_EQ(peer.receive_from(), "without");
  EXPECT_EQ(peer.receive_from(), "with");
}

TEST_P(zero_checksum_test, inbound_only_if_nothing_need_be_covered) {
  for (const bool wanted : {false, true}) {
    auto peer = bound(ip_family::v6);
    recording_sink sink;
    start(sink, peer.local(), wanted ? with(property_id::recv_checksum_len, 0) : nullptr);
    sink.instance->set_demand(true);
    peer.option(IPPROTO_UDP, UDP_NO_CHECK6_TX, 1);
    peer.send_to("without", sink.instance->local());
    peer.option(IPPROTO_UDP, UDP_NO_CHECK6_TX, 0);
    peer.send_to("with", sink.instance->local());
    ASSERT_TRUE(run([&] { return !sink.pieces.empty() && sink.pieces.back() == "with"; }));
    EXPECT_EQ(sink.data, wanted ? "withoutwith" : "with");
  }
}

TEST_P(zero_checksum_test, without_a_wish_no_option_is_touched) {
  auto peer = bound();
  start(client, peer.local());
  EXPECT_EQ(os.num_calls("setsockopt"), 1u) << "the ECN codepoint";
  os.forget_calls();
  client.send("x");
  EXPECT_EQ(os.num_calls("setsockopt"), 0u);
}

}  // namespace taps::testing
