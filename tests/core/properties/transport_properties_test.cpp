#include "taps/core/properties/transport_properties.hpp"

#include <gtest/gtest.h>

#include <map>

namespace {

using namespace taps;
using namespace std::chrono_literals;
using id = property_id;

// -- names and defaults -------------------------------------------------------------------------

TEST(properties, PRP_01_any_spelling_sets_and_the_last_one_wins) {
  transport_properties x;
  ASSERT_TRUE(x.set("connPriority", 1));
  ASSERT_TRUE(x.set("CONNPRIORITY", 2));
  EXPECT_EQ(x.get(id::conn_priority), 2);
  ASSERT_TRUE(x.set("conn_priority", 3));
  EXPECT_EQ(x.get(id::conn_priority), 3);
  ASSERT_TRUE(x.set("ConnPriority", 4));
  ASSERT_TRUE(x.set(id::conn_priority, 5));
  EXPECT_EQ(*x.get("conn-priority"), 5);
  EXPECT_EQ(x.explicit_values().entries().size(), 1u);
}

/// Sections 6.2, 8.1, 8.2 and 9.1.3 of RFC 9622, written down once more.
const std::map<id, property_value>& rfc_defaults() {
  constexpr auto none = preference::no_preference;
  static const std::map<id, property_value> values{
      {id::reliability, preference::require},
      {id::preserve_msg_boundaries, none},
      {id::per_msg_reliability, none},
      {id::preserve_order, preference::require},
      {id::zero_rtt_msg, none},
      {id::multistreaming, preference::prefer},
      {id::full_checksum_send, preference::require},
      {id::full_checksum_recv, preference::require},
      {id::congestion_control, preference::require},
      {id::keep_alive, none},
      {id::interface, interface_preferences{}},
      {id::pvd, interface_preferences{}},
      {id::use_temporary_local_address, preference::prefer},
      {id::multipath, multipath_mode::disabled},
      {id::advertises_altaddr, false},
      {id::direction, direction::bidirectional},
      {id::soft_error_notify, none},
      {id::active_read_before_send, none},
      {id::retransmit_notify, none},
      {id::recv_checksum_len, special::full_coverage},
      {id::conn_priority, 100},
      {id::conn_timeout, special::disabled},
      {id::keep_alive_timeout, special::disabled},
      {id::conn_scheduler, scheduler::weighted_fair_queueing},
      {id::conn_capacity_profile, capacity_profile::default_profile},
      {id::multipath_policy, multipath_policy::handover},
      {id::min_send_rate, special::unlimited},
      {id::min_recv_rate, special::unlimited},
      {id::max_send_rate, special::unlimited},
      {id::max_recv_rate, special::unlimited},
      {id::group_conn_limit, special::unlimited},
      {id::isolate_session, false},
      {id::tcp_user_timeout_value, 300},
      {id::tcp_user_timeout_enabled, false},
      {id::tcp_user_timeout_changeable, true},
      {id::sctp_udp_encaps_port, 9899},
      {id::retransmit_notify_threshold, special::disabled},
      {id::idle_timeout, special::disabled},
      {id::msg_lifetime, special::infinite},
      {id::msg_priority, 100},
      {id::msg_ordered, true},
      {id::safely_replayable, false},
      {id::final, false},
      {id::msg_checksum_len, special::full_coverage},
      {id::msg_reliable, true},
      {id::msg_capacity_profile, capacity_profile::default_profile},
      {id::no_fragmentation, false},
      {id::no_segmentation, false},
  };
  return values;
}

TEST(properties, PRP_02_all_defaults_read_back) {
  transport_properties x;
  for (auto& info : all_properties()) {
    if (!info.writable())
      continue;
    auto expected = rfc_defaults().find(info.id);
    ASSERT_NE(expected, rfc_defaults().end()) << info.name;
    EXPECT_EQ(x.get(info.id), expected->second) << info.name;
    EXPECT_EQ(*x.get(info.name), expected->second) << info.name;
    EXPECT_FALSE(x.is_explicit(info.id)) << info.name;
  }
  EXPECT_TRUE(x.explicit_values().empty());
  EXPECT_TRUE(check_consistency(x));
}

TEST(properties, PRP_03_some_defaults_depend_on_the_way_of_establishment) {
  transport_properties x;
  auto temporary = [&](establishment how) {
    return x.preference_of(id::use_temporary_local_address, how);
  };
  EXPECT_EQ(temporary(establishment::initiate), preference::prefer);
  EXPECT_EQ(temporary(establishment::listen), preference::avoid);
  EXPECT_EQ(temporary(establishment::rendezvous), preference::avoid);
  EXPECT_EQ(x.multipath(establishment::initiate), multipath_mode::disabled);
  EXPECT_EQ(x.multipath(establishment::listen), multipath_mode::passive);
  EXPECT_EQ(x.multipath(establishment::rendezvous), multipath_mode::disabled);
  x.require(id::use_temporary_local_address).with(id::multipath, multipath_mode::active);
  for (auto how : {establishment::initiate, establishment::listen, establishment::rendezvous}) {
    EXPECT_EQ(temporary(how), preference::require);
    EXPECT_EQ(x.multipath(how), multipath_mode::active);
  }
}

TEST(properties, PRP_04_profiles_set_these_values_and_no_others) {
  using values = std::map<id, property_value>;
  auto of = [](const transport_properties& x) {
    values result;
    for (auto& [which, value] : x.explicit_values().entries())
      result[which] = value;
    return result;
  };
  auto require = preference::require;
  values stream{{id::reliability, require},
                {id::preserve_order, require},
                {id::congestion_control, require},
                {id::preserve_msg_boundaries, preference::no_preference}};
  values message = stream;
  message[id::preserve_msg_boundaries] = require;
  values datagram{{id::reliability, preference::avoid},
                  {id::preserve_order, preference::avoid},
                  {id::congestion_control, preference::no_preference},
                  {id::preserve_msg_boundaries, require},
                  {id::safely_replayable, true}};
  EXPECT_EQ(of(reliable_inorder_stream()), stream);
  EXPECT_EQ(of(reliable_message()), message);
  EXPECT_EQ(of(unreliable_datagram()), datagram);
  for (auto& x : {reliable_inorder_stream(), reliable_message(), unreliable_datagram()}) {
    EXPECT_TRUE(check_consistency(x));
    for (auto& [which, value] : rfc_defaults())
      if (!x.is_explicit(which) && info_of(which).rule != default_rule::follows) {
        EXPECT_EQ(x.get(which), value) << to_string(which);
      }
  }
}

TEST(transport_properties, message_defaults_follow_what_was_selected) {
  transport_properties x;
  x.avoid(id::preserve_order).with(id::conn_capacity_profile, capacity_profile::scavenger);
  EXPECT_EQ(x.get(id::msg_ordered), false);
  EXPECT_EQ(x.get(id::msg_reliable), true);
  EXPECT_EQ(x.get(id::msg_capacity_profile), capacity_profile::scavenger);
  x.with(id::msg_ordered, true);
  EXPECT_EQ(x.get(id::msg_ordered), true);
}

// -- failures ------------------------------------------------------------------------------------

TEST(properties, PRP_05_a_bad_value_is_an_error_and_the_old_one_stays) {
  transport_properties x;
  ASSERT_TRUE(x.set("connPriority", 7));
  ASSERT_TRUE(x.set("maxSendRate", 8000));
  auto negative = x.set("connPriority", -1);
  ASSERT_FALSE(negative);
  EXPECT_EQ(negative.failure(), errc::invalid_configuration);
  EXPECT_EQ(negative.failure().text(), "connPriority: -1: must be 0 or more");
  EXPECT_FALSE(x.set("connPriority", preference::prefer));
  EXPECT_FALSE(x.set("connPriority", "5"));
  EXPECT_FALSE(x.set("maxSendRate", 0));
  EXPECT_FALSE(x.set(id::max_send_rate, special::disabled));
  EXPECT_FALSE(x.set(id::reliability, true));
  EXPECT_EQ(x.get(id::conn_priority), 7);
  EXPECT_EQ(x.get(id::max_send_rate), 8000);
  EXPECT_EQ(x.explicit_values().entries().size(), 2u);
}

TEST(transport_properties, read_only_properties_cannot_be_set) {
  transport_properties x;
  for (auto& info : all_properties()) {
    if (info.writable())
      continue;
    EXPECT_EQ(x.set(info.id, default_value(info.id)).failure(), errc::read_only) << info.name;
    EXPECT_EQ(x.set(info.name, default_value(info.id)).failure(), errc::read_only) << info.name;
    EXPECT_EQ(x.reset(info.name).failure(), errc::read_only) << info.name;
  }
  EXPECT_TRUE(x.explicit_values().empty());
}

TEST(properties, PRP_10_unknown_names_are_errors_and_vendors_are_stored) {
  transport_properties x;
  auto unknown = x.set("connPriorities", 5);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.failure(), errc::invalid_configuration);
  EXPECT_NE(unknown.failure().text().find("connPriorities"), std::string::npos);
  EXPECT_FALSE(x.set("nobody.x", 5));
  EXPECT_FALSE(x.get("connPriorities"));
  EXPECT_FALSE(x.get("_vendor.x"));
  ASSERT_TRUE(x.set("_vendor.x", "anything"));
  ASSERT_TRUE(x.set("_vendor.x", 5));
  ASSERT_TRUE(x.set("quic.maxStreams", 9));
  EXPECT_EQ(*x.get("_Vendor.X"), 5);
  EXPECT_EQ(*x.get("quic.maxStreams"), 9);
  EXPECT_TRUE(check_consistency(x));
  ASSERT_TRUE(x.reset("_vendor.x"));
  EXPECT_FALSE(x.get("_vendor.x"));
  EXPECT_FALSE(x.reset("connPriorities"));
}

// -- chains ---------------------------------------------------------------------------------------

TEST(transport_properties, preferences_can_be_chained) {
  transport_properties x;
  x.require(id::preserve_msg_boundaries)
      .prefer(id::zero_rtt_msg)
      .no_preference(id::multistreaming)
      .avoid(id::reliability)
      .prohibit(id::congestion_control);
  EXPECT_EQ(x.preference_of(id::preserve_msg_boundaries), preference::require);
  EXPECT_EQ(x.preference_of(id::zero_rtt_msg), preference::prefer);
  EXPECT_EQ(x.preference_of(id::multistreaming), preference::no_preference);
  EXPECT_TRUE(x.is_explicit(id::multistreaming));
  EXPECT_EQ(x.preference_of(id::reliability), preference::avoid);
  EXPECT_EQ(x.preference_of(id::congestion_control), preference::prohibit);
  EXPECT_TRUE(x.check());
  x.reset(id::multistreaming);
  EXPECT_EQ(x.preference_of(id::multistreaming), preference::prefer);
  ASSERT_TRUE(x.require("keepAlive") && x.prefer("keepAlive") && x.avoid("keepAlive"));
  ASSERT_TRUE(x.prohibit("keepAlive") && x.no_preference("keep_alive"));
  EXPECT_EQ(x.preference_of(id::keep_alive), preference::no_preference);
  EXPECT_FALSE(x.require("connPriority"));
}

TEST(transport_properties, a_chain_remembers_its_first_failure) {
  transport_properties x;
  x.require(id::conn_timeout).with("noSuchThing", 1).prefer(id::keep_alive);
  ASSERT_FALSE(x.check());
  EXPECT_TRUE(x.check().failure().text().starts_with("connTimeout: Require"));
  EXPECT_EQ(check_consistency(x).failure(), x.check().failure());
  EXPECT_EQ(x.preference_of(id::keep_alive), preference::prefer);
}

TEST(transport_properties, interfaces_are_added_one_by_one) {
  transport_properties x;
  x.require(id::interface, "wifi").avoid(id::interface, "eth0").prefer(id::pvd, "home");
  interface_preferences expected{{preference::require, "wifi"}, {preference::avoid, "eth0"}};
  EXPECT_EQ(x.interfaces(), expected);
  x.prohibit(id::interface, "wifi");
  EXPECT_EQ(x.interfaces().size(), 2u);
  EXPECT_EQ(x.interfaces().back().level, preference::prohibit);
  EXPECT_EQ(x.pvds().size(), 1u);
  EXPECT_TRUE(x.check());
  x.require(id::reliability, "wifi");
  EXPECT_FALSE(x.check());
}

// -- timeouts and typed reading -------------------------------------------------------------------

TEST(properties, PRP_12_a_timeout_of_the_application_is_not_for_the_peer_to_change) {
  transport_properties x;
  EXPECT_EQ(x.get(id::tcp_user_timeout_changeable), true);
  x.with(id::tcp_user_timeout_changeable, true).with(id::conn_timeout, 5s);
  EXPECT_EQ(x.get(id::tcp_user_timeout_changeable), false);
  EXPECT_EQ(*x.get("tcp.userTimeoutChangeable"), false);
  ASSERT_TRUE(x.set(id::tcp_user_timeout_changeable, true));
  EXPECT_EQ(x.get(id::tcp_user_timeout_changeable), true);
  transport_properties y;
  y.with(id::conn_timeout, 5s);
  y.reset(id::conn_timeout);
  EXPECT_EQ(y.get(id::tcp_user_timeout_changeable), true);
}

TEST(transport_properties, typed_reading) {
  transport_properties x;
  EXPECT_FALSE(x.connection_timeout());
  EXPECT_FALSE(x.keep_alive_timeout());
  EXPECT_FALSE(x.idle_timeout());
  EXPECT_FALSE(x.group_connection_limit());
  EXPECT_FALSE(x.number(id::max_send_rate));
  EXPECT_EQ(x.number(id::conn_priority), 100);
  EXPECT_EQ(x.direction(), direction::bidirectional);
  EXPECT_EQ(x.capacity_profile(), capacity_profile::default_profile);
  EXPECT_TRUE(x.flag(id::reliability));
  EXPECT_FALSE(x.flag(id::safely_replayable));
  x.with(id::conn_timeout, 5s).with(id::keep_alive_timeout, 30s).with(id::idle_timeout, 1min);
  x.with(id::group_conn_limit, 3).with(id::direction, direction::unidirectional_send);
  x.with(id::conn_capacity_profile, capacity_profile::capacity_seeking);
  ASSERT_TRUE(x.check());
  EXPECT_EQ(x.connection_timeout(), 5s);
  EXPECT_EQ(x.keep_alive_timeout(), 30s);
  EXPECT_EQ(x.idle_timeout(), 1min);
  EXPECT_EQ(x.group_connection_limit(), 3);
  EXPECT_EQ(x.direction(), direction::unidirectional_send);
  EXPECT_EQ(x.capacity_profile(), capacity_profile::capacity_seeking);
}

TEST(transport_properties, text_sets_values) {
  transport_properties x;
  ASSERT_TRUE(x.set_text("reliability", "avoid"));
  ASSERT_TRUE(x.set_text("conn_timeout", "250ms"));
  ASSERT_TRUE(x.set_text("max-send-rate", "-1"));
  ASSERT_TRUE(x.set_text("per-msg-checksum-len-send", "require"));
  ASSERT_TRUE(x.set_text("_vendor.x", "y"));
  EXPECT_EQ(x.preference_of(id::reliability), preference::avoid);
  EXPECT_EQ(x.connection_timeout(), 250ms);
  EXPECT_TRUE(x.is_explicit(id::max_send_rate));
  EXPECT_EQ(x.preference_of(id::full_checksum_send), preference::prohibit);
  EXPECT_EQ(*x.get("_vendor.x"), "y");
  EXPECT_FALSE(x.set_text("maxSendRate", "-1"));
  EXPECT_FALSE(x.set_text("noSuchThing", "1"));
  EXPECT_FALSE(x.set_text("connState", "Closed"));
}

TEST(transport_properties, equal_means_the_same_explicit_values) {
  transport_properties x;
  transport_properties y;
  EXPECT_EQ(x, y);
  x.require(id::reliability);
  EXPECT_NE(x, y);
  y.prefer(id::reliability).require(id::reliability);
  EXPECT_EQ(x, y);
  x.with("_vendor.x", 1);
  EXPECT_NE(x, y);
}

}  // namespace
