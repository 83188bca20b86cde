// What transport_properties does with NEATPy's names, and what contradicts itself.

#include "taps/core/properties/transport_properties.hpp"

#include <gtest/gtest.h>

namespace {

using namespace taps;
using id = property_id;

// -- NEATPy ---------------------------------------------------------------------------------------

TEST(properties, NEA_01_checksum_preferences_are_inverted_both_ways) {
  transport_properties x;
  ASSERT_TRUE(x.set("per-msg-checksum-len-send", preference::require));
  ASSERT_TRUE(x.prefer("per-msg-checksum-len-recv"));
  EXPECT_EQ(x.get(id::full_checksum_send), preference::prohibit);
  EXPECT_EQ(x.get(id::full_checksum_recv), preference::avoid);
  EXPECT_EQ(*x.get("per-msg-checksum-len-send"), preference::require);
  EXPECT_EQ(*x.get("full-checksum-send"), preference::prohibit);
  ASSERT_TRUE(x.require("full-checksum-send"));
  EXPECT_EQ(x.get(id::full_checksum_send), preference::require);
}

TEST(properties, NEA_01_multipath_takes_preferences) {
  transport_properties x;
  ASSERT_TRUE(x.prefer("multipath"));
  EXPECT_EQ(x.multipath(establishment::initiate), multipath_mode::active);
  ASSERT_TRUE(x.avoid("multipath"));
  EXPECT_EQ(x.multipath(establishment::listen), multipath_mode::disabled);
  ASSERT_TRUE(x.require("multipath"));
  EXPECT_EQ(x.multipath(establishment::initiate), multipath_mode::active);
  ASSERT_TRUE(x.no_preference("multipath"));
  EXPECT_EQ(x.multipath(establishment::listen), multipath_mode::passive);
  EXPECT_FALSE(x.is_explicit(id::multipath));
  ASSERT_TRUE(x.prohibit("multipath"));
  EXPECT_EQ(x.multipath(establishment::listen), multipath_mode::disabled);
}

TEST(properties, NEA_01_special_values_and_second_names) {
  transport_properties x;
  ASSERT_TRUE(x.set("conn-timeout", -1));
  ASSERT_TRUE(x.set("max-send-rate", -1));
  ASSERT_TRUE(x.set("recv-checksum-len", -1));
  ASSERT_TRUE(x.set("idempotent", true));
  ASSERT_TRUE(x.set("tcp.user-timeout", true));
  ASSERT_TRUE(x.set("tcp.user-timeout-recv", false));
  ASSERT_TRUE(x.set("tcp.user-timeout-value", 60));
  ASSERT_TRUE(x.set("singular-transmission", true));
  EXPECT_EQ(x.get(id::conn_timeout), special::disabled);
  EXPECT_EQ(x.get(id::max_send_rate), special::unlimited);
  EXPECT_EQ(x.get(id::recv_checksum_len), special::full_coverage);
  EXPECT_EQ(x.get(id::safely_replayable), true);
  EXPECT_EQ(x.get(id::tcp_user_timeout_enabled), true);
  EXPECT_EQ(x.get(id::tcp_user_timeout_changeable), false);
  EXPECT_EQ(x.get(id::tcp_user_timeout_value), 60);
  EXPECT_EQ(x.get(id::no_fragmentation), true);
  EXPECT_EQ(x.get(id::no_segmentation), true);
  ASSERT_TRUE(x.reset("singular-transmission"));
  EXPECT_EQ(x.get(id::no_segmentation), false);
  EXPECT_FALSE(x.set("connTimeout", -1));
  EXPECT_EQ(x.set("state", 1).failure(), errc::read_only);
}

// -- contradictions -------------------------------------------------------------------------------

void expect_contradiction(const transport_properties& x, std::string_view first,
                          std::string_view second) {
  auto outcome = check_consistency(x);
  ASSERT_FALSE(outcome) << first << " and " << second;
  EXPECT_EQ(outcome.failure(), errc::invalid_configuration);
  auto& text = outcome.failure().text();
  EXPECT_NE(text.find(first), std::string::npos) << text;
  EXPECT_NE(text.find(second), std::string::npos) << text;
}

TEST(transport_properties, contradictions_name_both_properties) {
  using props = transport_properties;
  expect_contradiction(props{}.prohibit(id::reliability).require(id::per_msg_reliability),
                       "reliability", "perMsgReliability");
  expect_contradiction(props{}.prohibit(id::reliability).with(id::msg_reliable, true),
                       "reliability", "msgReliable");
  expect_contradiction(props{}.prohibit(id::preserve_order).with(id::msg_ordered, true),
                       "preserveOrder", "msgOrdered");
  expect_contradiction(props{}.prohibit(id::per_msg_reliability).with(id::msg_reliable, false),
                       "perMsgReliability", "msgReliable");
  expect_contradiction(props{}.with(id::min_send_rate, 2).with(id::max_send_rate, 1), "minSendRate",
                       "maxSendRate");
  expect_contradiction(props{}.with(id::min_recv_rate, 2).with(id::max_recv_rate, 1), "minRecvRate",
                       "maxRecvRate");
  expect_contradiction(props{}.require(id::full_checksum_send).with(id::msg_checksum_len, 8),
                       "fullChecksumSend", "msgChecksumLen");
  expect_contradiction(props{}.require(id::full_checksum_recv).with(id::recv_checksum_len, 8),
                       "fullChecksumRecv", "recvChecksumLen");
  interface_preferences both{{preference::require, "wifi"}, {preference::prohibit, "wifi"}};
  expect_contradiction(props{}.with(id::interface, both), "Require(wifi)", "Prohibit(wifi)");
  expect_contradiction(props{}.with(id::pvd, both), "pvd", "Prohibit(wifi)");
}

TEST(transport_properties, what_only_sounds_contradictory_passes) {
  using props = transport_properties;
  EXPECT_TRUE(check_consistency(props{}.avoid(id::reliability).require(id::per_msg_reliability)));
  EXPECT_TRUE(check_consistency(props{}.prohibit(id::reliability).with(id::msg_reliable, false)));
  EXPECT_TRUE(check_consistency(props{}
                                    .prohibit(id::reliability)
                                    .prohibit(id::per_msg_reliability)
                                    .with(id::msg_reliable, false)));
  EXPECT_TRUE(check_consistency(props{}.with(id::min_send_rate, 1).with(id::max_send_rate, 1)));
  EXPECT_TRUE(check_consistency(props{}.with(id::min_send_rate, 9)));
  EXPECT_TRUE(check_consistency(props{}.with(id::msg_checksum_len, 8)));
  EXPECT_TRUE(check_consistency(props{}
                                    .require(id::interface, "wifi")
                                    .prohibit(id::interface, "eth0")
                                    .require(id::pvd, "x")));
}

}  // namespace
