#include "taps/core/properties/connection_properties.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace {

using namespace taps;
using namespace std::chrono_literals;
using id = property_id;

std::shared_ptr<const transport_properties> share(transport_properties x) {
  return std::make_shared<const transport_properties>(std::move(x));
}

connection_facts running() {
  connection_facts facts;
  facts.state = connection_state::established;
  facts.established = true;
  facts.can_send = true;
  facts.send_msg_max_len = 65507;
  facts.recv_msg_max_len = 65507;
  facts.singular_transmission_msg_max_len = 1472;
  facts.stack = "stack";
  facts.local_endpoint = socket_address{*ip_address::parse("192.0.2.1"), 1};
  facts.remote_endpoint = socket_address{*ip_address::parse("192.0.2.2"), 2};
  facts.queued_bytes = 17;
  facts.security_info = "none";
  return facts;
}

TEST(properties, PRP_11_connections_start_with_what_the_preconnection_says) {
  connection_properties x{
      share(transport_properties{}.with(id::conn_priority, 7).with("_vendor.x", 1))};
  EXPECT_EQ(x.get(id::conn_priority), 7);
  EXPECT_EQ(*x.get("_vendor.x", {}), 1);
  EXPECT_EQ(x.get(id::conn_timeout), special::disabled);
  ASSERT_TRUE(x.set(id::conn_priority, 8));
  ASSERT_TRUE(x.set("_vendor.x", 2));
  EXPECT_EQ(x.get(id::conn_priority), 8);
  EXPECT_EQ(*x.get("_vendor.x", {}), 2);
  EXPECT_EQ(x.initial()->get(id::conn_priority), 7);
}

TEST(connection_properties, without_a_preconnection_all_is_default) {
  connection_properties x{nullptr};
  for (auto& info : all_properties())
    if (info.writable()) {
      EXPECT_EQ(x.get(info.id), default_value(info.id)) << info.name;
    }
}

TEST(connection_properties, defaults_depend_on_the_way_of_establishment) {
  connection_properties x{nullptr, establishment::listen};
  EXPECT_EQ(x.get(id::multipath), multipath_mode::passive);
  EXPECT_EQ(x.get(id::use_temporary_local_address), preference::avoid);
}

TEST(properties, PRP_06_read_only_properties_stay_as_they_are) {
  connection_properties x{nullptr};
  for (auto& info : all_properties()) {
    if (info.writable())
      continue;
    EXPECT_EQ(x.set(info.id, default_value(info.id)).failure(), errc::read_only) << info.name;
    EXPECT_EQ(x.set(info.name, default_value(info.id)).failure(), errc::read_only) << info.name;
  }
}

TEST(properties, PRP_07_selection_properties_cannot_change_on_a_connection) {
  connection_properties x{nullptr};
  for (auto& info : all_properties()) {
    if (info.kind != property_kind::selection)
      continue;
    auto outcome = x.set(info.name, default_value(info.id));
    ASSERT_FALSE(outcome) << info.name;
    EXPECT_EQ(outcome.failure(), errc::read_only);
    EXPECT_TRUE(outcome.failure().text().starts_with(info.name));
  }
}

TEST(connection_properties, bad_values_and_names_change_nothing) {
  connection_properties x{nullptr};
  ASSERT_TRUE(x.set(id::conn_priority, 7));
  EXPECT_EQ(x.set("connPriority", -1).failure(), errc::invalid_configuration);
  EXPECT_EQ(x.set("maxSendRate", 0).failure(), errc::invalid_configuration);
  EXPECT_EQ(x.set("noSuchThing", 0).failure(), errc::invalid_configuration);
  EXPECT_EQ(x.get(id::conn_priority), 7);
  EXPECT_EQ(x.get(id::max_send_rate), special::unlimited);
  EXPECT_FALSE(x.get("noSuchThing", {}));
}

TEST(properties, PRP_12_setting_the_timeout_makes_it_unchangeable) {
  connection_properties x{
      share(transport_properties{}.with(id::tcp_user_timeout_changeable, true))};
  EXPECT_EQ(x.get(id::tcp_user_timeout_changeable), true);
  ASSERT_TRUE(x.set("connTimeout", 5s));
  EXPECT_EQ(x.get(id::conn_timeout), 5s);
  EXPECT_EQ(x.get(id::tcp_user_timeout_changeable), false);
  connection_properties y{share(transport_properties{}.with(id::conn_timeout, 5s))};
  EXPECT_EQ(*y.get("tcp.userTimeoutChangeable", {}), false);
}

TEST(properties, PRP_08_from_established_on_preferences_read_as_what_is_provided) {
  connection_properties x{share(transport_properties{}
                                    .prefer(id::preserve_msg_boundaries)
                                    .with(id::direction, direction::unidirectional_send))};
  connection_facts facts;
  EXPECT_EQ(x.get(id::preserve_msg_boundaries, facts), preference::prefer);
  EXPECT_EQ(x.get(id::reliability, facts), preference::require);
  facts = running();
  facts.provides(id::reliability);
  EXPECT_EQ(x.get(id::preserve_msg_boundaries, facts), false);
  EXPECT_EQ(x.get(id::reliability, facts), true);
  EXPECT_EQ(x.get(id::direction, facts), direction::unidirectional_send);
  EXPECT_EQ(x.get(id::multipath, facts), multipath_mode::disabled);
  EXPECT_EQ(x.get(id::msg_reliable, facts), true);
  EXPECT_EQ(x.get(id::msg_ordered, facts), false);
}

TEST(connection_properties, the_snapshot_has_everything_once) {
  connection_properties x{share(transport_properties{}.with("_vendor.x", 1).with("_vendor.y", 2))};
  ASSERT_TRUE(x.set("_vendor.x", 3));
  ASSERT_TRUE(x.set("_vendor.z", 4));
  auto facts = running();
  auto all = x.snapshot(facts);
  auto value = [&](std::string_view name) {
    EXPECT_EQ(std::count_if(all.begin(), all.end(), [&](auto& y) { return y.name == name; }), 1)
        << name;
    auto at = std::find_if(all.begin(), all.end(), [&](auto& y) { return y.name == name; });
    return at == all.end() ? property_value{"missing"} : at->value;
  };
  std::size_t expected = 3;
  for (auto& info : all_properties()) {
    if (info.kind == property_kind::received)
      continue;
    ++expected;
    EXPECT_EQ(value(info.name), x.get(info.id, facts)) << info.name;
  }
  EXPECT_EQ(all.size(), expected);
  EXPECT_EQ(value("connState"), connection_state::established);
  EXPECT_EQ(value("canSend"), true);
  EXPECT_EQ(value("canReceive"), false);
  EXPECT_EQ(value("singularTransmissionMsgMaxLen"), 1472);
  EXPECT_EQ(value("sendMsgMaxLen"), 65507);
  EXPECT_EQ(value("recvMsgMaxLen"), 65507);
  EXPECT_EQ(value("_neatpy.zeroRttMsgMaxLen"), special::not_applicable);
  EXPECT_EQ(value("_tapline.stack"), "stack");
  EXPECT_EQ(value("_tapline.localEndpoint"), "192.0.2.1:1");
  EXPECT_EQ(value("_tapline.remoteEndpoint"), "192.0.2.2:2");
  EXPECT_EQ(value("_tapline.queuedBytes"), 17);
  EXPECT_EQ(value("_tapline.securityInfo"), "none");
  EXPECT_EQ(value("_vendor.x"), 3);
  EXPECT_EQ(value("_vendor.y"), 2);
  EXPECT_EQ(value("_vendor.z"), 4);
}

TEST(properties, NEA_01_names_of_neatpy_on_connections) {
  connection_properties x{nullptr};
  auto facts = running();
  facts.provides(id::full_checksum_send);
  ASSERT_TRUE(x.set("conn-prio", 3));
  ASSERT_TRUE(x.set("max-send-rate", 8000));
  ASSERT_TRUE(x.set("max-send-rate", -1));
  ASSERT_TRUE(x.set("singular-transmission", true));
  EXPECT_EQ(x.get(id::conn_priority), 3);
  EXPECT_EQ(x.get(id::max_send_rate), special::unlimited);
  EXPECT_EQ(x.get(id::no_fragmentation), true);
  EXPECT_EQ(x.get(id::no_segmentation), true);
  EXPECT_EQ(*x.get("state", facts), connection_state::established);
  EXPECT_EQ(*x.get("send", facts), true);
  EXPECT_EQ(*x.get("per-msg-checksum-len-send", facts), false);
  EXPECT_EQ(*x.get("per-msg-checksum-len-send", {}), preference::prohibit);
}

TEST(connection_properties, copies_take_the_changes_along_and_then_go_their_own_way) {
  connection_properties x{share(transport_properties{}.with(id::conn_priority, 7))};
  ASSERT_TRUE(x.set(id::max_send_rate, 8000));
  auto y = x;
  ASSERT_TRUE(x.set(id::max_send_rate, 9000));
  ASSERT_TRUE(y.set(id::conn_priority, 1));
  EXPECT_EQ(y.get(id::max_send_rate), 8000);
  EXPECT_EQ(x.get(id::conn_priority), 7);
  EXPECT_EQ(x.initial(), y.initial());
  connection_properties z{nullptr};
  z = y;
  auto& same = z;
  z = same;
  EXPECT_EQ(z.get(id::conn_priority), 1);
  EXPECT_EQ(z.get(id::max_send_rate), 8000);
}

TEST(connection_properties, an_untouched_connection_costs_little) {
  EXPECT_LE(sizeof(connection_properties), 4 * sizeof(void*));
}

// -- defaults of Messages -------------------------------------------------------------------------

TEST(properties, MSG_07_the_capacity_profile_of_messages_follows_the_connection) {
  connection_properties x{nullptr};
  auto profile = [&] { return x.get(id::msg_capacity_profile); };
  EXPECT_EQ(profile(), capacity_profile::default_profile);
  ASSERT_TRUE(x.set(id::conn_capacity_profile, capacity_profile::scavenger));
  EXPECT_EQ(profile(), capacity_profile::scavenger);
  ASSERT_TRUE(x.set(id::msg_capacity_profile, capacity_profile::capacity_seeking));
  ASSERT_TRUE(x.set(id::conn_capacity_profile, capacity_profile::default_profile));
  EXPECT_EQ(profile(), capacity_profile::capacity_seeking);
}

}  // namespace
