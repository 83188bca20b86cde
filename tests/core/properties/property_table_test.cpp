#include "taps/core/properties/property_table.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <map>
#include <set>
#include <string>

namespace {

using namespace taps;
using id = property_id;

// -- spellings --------------------------------------------------------------------------------

/// Turns the camelCase of the name (behind its namespace, if any) into words with `separator`.
std::string separated(std::string_view name, char separator) {
  std::string result;
  for (auto c : name) {
    if (std::isupper(static_cast<unsigned char>(c))) {
      result += separator;
      result += static_cast<char>(std::tolower(c));
    } else {
      result += c;
    }
  }
  return result;
}

std::string mapped(std::string_view name, int (*f)(int)) {
  std::string result;
  for (auto c : name)
    result += static_cast<char>(f(c));
  return result;
}

std::string pascal(std::string_view name) {
  std::string result{name};
  auto dot = name.find('.');
  auto first = dot == name.npos ? 0 : dot + 1;
  result[first] = static_cast<char>(std::toupper(result[first]));
  return result;
}

TEST(properties, PRP_01_names_are_found_in_every_spelling) {
  for (auto& info : all_properties()) {
    for (auto& name :
         {std::string{info.name}, separated(info.name, '_'), separated(info.name, '-'),
          pascal(info.name), mapped(info.name, std::tolower), mapped(info.name, std::toupper)}) {
      auto match = find_property(name);
      ASSERT_TRUE(match) << name;
      EXPECT_EQ(match.info->id, info.id) << name;
    }
  }
}

TEST(property_table, names_that_only_look_alike_are_unknown) {
  for (auto name : {"", "-", "_", "reliabilit", "reliabilityy", "tapline.stack", "stack",
                    "userTimeoutValue", "tcpUserTimeoutValue", "conn.priority", "no such thing"})
    EXPECT_FALSE(find_property(name)) << name;
}

TEST(property_table, no_name_means_two_properties) {
  // The rows prove it at compile time; here the look-up itself.
  std::set<std::string_view> names;
  for (auto& info : all_properties()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    if (!info.neatpy_name.empty()) {
      EXPECT_TRUE(names.insert(info.neatpy_name).second) << info.neatpy_name;
    }
  }
  for (auto name : names)
    EXPECT_TRUE(find_property(name)) << name;
}

TEST(properties, NEA_01_each_neatpy_name_leads_to_its_row) {
  const std::map<std::string_view, id> names{
      {"reliability", id::reliability},
      {"preserve-msg-boundaries", id::preserve_msg_boundaries},
      {"per-msg-reliability", id::per_msg_reliability},
      {"preserve-order", id::preserve_order},
      {"zero-rtt-msg", id::zero_rtt_msg},
      {"multistreaming", id::multistreaming},
      {"per-msg-checksum-len-send", id::full_checksum_send},
      {"per-msg-checksum-len-recv", id::full_checksum_recv},
      {"congestion-control", id::congestion_control},
      {"interface", id::interface},
      {"pvd", id::pvd},
      {"local-address-preference", id::use_temporary_local_address},
      {"multipath", id::multipath},
      {"direction", id::direction},
      {"soft-error-notify", id::soft_error_notify},
      {"retransmit-notify", id::retransmit_notify},
      {"recv-checksum-len", id::recv_checksum_len},
      {"conn-prio", id::conn_priority},
      {"conn-timeout", id::conn_timeout},
      {"conn-scheduler", id::conn_scheduler},
      {"conn-capacity-profile", id::conn_capacity_profile},
      {"max-send-rate", id::max_send_rate},
      {"max-recv-rate", id::max_recv_rate},
      {"tcp.user-timeout-value", id::tcp_user_timeout_value},
      {"tcp.user-timeout", id::tcp_user_timeout_enabled},
      {"tcp.user-timeout-recv", id::tcp_user_timeout_changeable},
      {"retransmit-notify-threshold", id::retransmit_notify_threshold},
      {"state", id::conn_state},
      {"send", id::can_send},
      {"receive", id::can_receive},
      {"singular-transmission-msg-max-len", id::singular_transmission_msg_max_len},
      {"send-msg-max-len", id::send_msg_max_len},
      {"recv-msg-max-len", id::recv_msg_max_len},
      {"zero-rtt-msg-max-len", id::zero_rtt_msg_max_len},
      {"msg-lifetime", id::msg_lifetime},
      {"msg-prio", id::msg_priority},
      {"msg-ordered", id::msg_ordered},
      {"idempotent", id::safely_replayable},
      {"final", id::final},
      {"msg-checksum-len", id::msg_checksum_len},
      {"msg-reliable", id::msg_reliable},
      {"msg-capacity-profile", id::msg_capacity_profile},
      {"singular-transmission", id::no_fragmentation},
      {"ecn", id::ecn},
      {"early-data", id::early_data},
      {"receiving-final-messages", id::final},
  };
  for (auto& [name, which] : names) {
    auto match = find_property(name);
    ASSERT_TRUE(match) << name;
    EXPECT_EQ(match.info->id, which) << name;
  }
}

TEST(property_table, a_spelling_of_ours_is_not_taken_for_neatpy) {
  EXPECT_TRUE(find_property("per-msg-checksum-len-send").neatpy);
  EXPECT_FALSE(find_property("full-checksum-send").neatpy);
  EXPECT_FALSE(find_property("fullChecksumSend").neatpy);
  EXPECT_TRUE(find_property("conn-timeout").neatpy);
  EXPECT_FALSE(find_property("connTimeout").neatpy);
  EXPECT_FALSE(find_property("conn_timeout").neatpy);
}

// -- rows ---------------------------------------------------------------------------------------

TEST(property_table, ids_and_rows_agree) {
  ASSERT_EQ(all_properties().size(), num_properties);
  for (unsigned i = 0; i < num_properties; ++i) {
    EXPECT_EQ(static_cast<unsigned>(all_properties()[i].id), i);
    EXPECT_EQ(to_string(static_cast<id>(i)), all_properties()[i].name);
  }
}

TEST(property_table, every_default_passes_its_own_check) {
  for (auto& info : all_properties()) {
    auto checked = check_value(info, default_value(info.id));
    ASSERT_TRUE(checked) << to_string(checked.failure());
    EXPECT_EQ(*checked, default_value(info.id)) << info.name;
  }
}

TEST(property_table, connection_properties_except_the_priority_are_shared) {
  for (auto& info : all_properties())
    EXPECT_EQ(info.shared, info.kind == property_kind::connection && info.id != id::conn_priority)
        << info.name;
}

TEST(property_table, only_connection_and_message_properties_are_writable_on_a_connection) {
  for (auto& info : all_properties()) {
    bool tunable = info.kind == property_kind::connection || info.kind == property_kind::message;
    EXPECT_EQ(info.writable_on_connection(), tunable) << info.name;
    EXPECT_EQ(info.writable(), tunable || info.kind == property_kind::selection) << info.name;
  }
}

TEST(property_table, names_the_section_of_the_rfc) {
  EXPECT_EQ(info_of(id::reliability).section, "6.2.1");
  EXPECT_EQ(info_of(id::active_read_before_send).section, "6.2.18");
  EXPECT_EQ(info_of(id::isolate_session).section, "8.1.10");
  EXPECT_EQ(info_of(id::tcp_user_timeout_value).section, "8.2.1");
  EXPECT_EQ(info_of(id::no_segmentation).section, "9.1.3.10");
}

// -- foreign names --------------------------------------------------------------------------------

TEST(property_table, tells_foreign_names_that_may_be_stored_from_mistakes) {
  for (auto name : {"_vendor.x", "_acme.deep.name", "quic.foo", "tcp.bar", "SCTP.Baz", "dtls.q"})
    EXPECT_EQ(classify_foreign(name), foreign_name::storable) << name;
  for (auto name : {"foo", "foo.bar", "_vendor", "_.x", "_vendor.", ".x", ".", "", "_tapline.foo",
                    "_neatpy.foo", "generic_name"})
    EXPECT_EQ(classify_foreign(name), foreign_name::unknown) << name;
}

}  // namespace
