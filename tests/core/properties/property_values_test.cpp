// Values: their types, the checks of the table, NEATPy's rules, and text.

#include "taps/core/properties/property_table.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace taps;
using namespace std::chrono_literals;
using id = property_id;

// -- the value ----------------------------------------------------------------------------------

TEST(property_value, takes_each_type_for_what_it_is) {
  EXPECT_TRUE(property_value{}.holds<special>());
  EXPECT_TRUE(property_value{true}.holds<bool>());
  EXPECT_TRUE(property_value{5}.holds<std::int64_t>());
  EXPECT_TRUE(property_value{5u}.holds<std::int64_t>());
  EXPECT_TRUE(property_value{"text"}.holds<std::string>());
  EXPECT_TRUE(property_value{std::string_view{"text"}}.holds<std::string>());
  EXPECT_TRUE(property_value{5s}.holds<duration>());
  EXPECT_TRUE(property_value{preference::require}.holds<preference>());
  EXPECT_TRUE(property_value{interface_preferences{}}.holds<interface_preferences>());
}

TEST(property_value, equal_means_same_type_and_same_value) {
  EXPECT_EQ(property_value{5}, 5);
  EXPECT_EQ(property_value{1000ms}, 1s);
  EXPECT_NE(property_value{1}, true);
  EXPECT_NE(property_value{2}, preference::require);
  EXPECT_NE(property_value{special::disabled}, multipath_mode::disabled);
  EXPECT_NE(property_value{special::disabled}, special::unlimited);
}

TEST(property_value, what_does_not_fit_becomes_the_nearest_that_does) {
  EXPECT_EQ(property_value{~std::uint64_t{0}}, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(property_value{std::chrono::hours::max()}, duration::max());
  EXPECT_EQ(property_value{std::chrono::hours::min()}, duration::min());
}

TEST(property_value, truth_of_booleans_and_preferences) {
  EXPECT_TRUE(property_value{true}.truth());
  EXPECT_TRUE(property_value{preference::require}.truth());
  EXPECT_TRUE(property_value{preference::prefer}.truth());
  EXPECT_FALSE(property_value{preference::no_preference}.truth());
  EXPECT_FALSE(property_value{preference::prohibit}.truth());
  EXPECT_FALSE(property_value{false}.truth());
  EXPECT_FALSE(property_value{1}.truth());
}

TEST(property_value, text_names_values_as_the_rfc_does) {
  EXPECT_EQ(to_string(property_value{preference::no_preference}), "No Preference");
  EXPECT_EQ(to_string(property_value{capacity_profile::low_latency_interactive}),
            "Low Latency/Interactive");
  EXPECT_EQ(to_string(property_value{special::full_coverage}), "Full Coverage");
  EXPECT_EQ(to_string(property_value{1500ms}), "1500ms");
  EXPECT_EQ(to_string(property_value{2s}), "2s");
  EXPECT_EQ(to_string(property_value{3us}), "3us");
  EXPECT_EQ(to_string(property_value{-7}), "-7");
  interface_preferences list{{preference::require, "wifi"}, {preference::avoid, "eth1"}};
  EXPECT_EQ(to_string(property_value{list}), "Require(wifi), Avoid(eth1)");
}

TEST(property_value, capacity_profiles_are_their_code_points) {
  EXPECT_EQ(static_cast<int>(capacity_profile::default_profile), 0);
  EXPECT_EQ(static_cast<int>(capacity_profile::scavenger), 1);
  EXPECT_EQ(static_cast<int>(capacity_profile::low_latency_interactive), 36);
  EXPECT_EQ(static_cast<int>(capacity_profile::low_latency_non_interactive), 18);
  EXPECT_EQ(static_cast<int>(capacity_profile::constant_rate_streaming), 28);
  EXPECT_EQ(static_cast<int>(capacity_profile::capacity_seeking), 10);
}

// -- checks ---------------------------------------------------------------------------------------

/// Values of every type; of each, one that is in range for most properties.
std::vector<std::pair<property_type, property_value>> samples() {
  return {
      {property_type::boolean, true},
      {property_type::preference, preference::avoid},
      {property_type::integer, 7},
      {property_type::time_span, 7ms},
      {property_type::multipath_mode, multipath_mode::active},
      {property_type::direction, direction::unidirectional_send},
      {property_type::capacity_profile, capacity_profile::scavenger},
      {property_type::scheduler, scheduler::round_robin},
      {property_type::multipath_policy, multipath_policy::aggregate},
      {property_type::connection_state, connection_state::closing},
      {property_type::text, "text"},
      {property_type::interface_list, interface_preferences{{preference::prefer, "wifi"}}},
  };
}

TEST(properties, PRP_05_each_property_takes_its_type_and_no_other) {
  for (auto& info : all_properties()) {
    for (auto& [type, value] : samples()) {
      // A plain number for a duration counts seconds.
      bool fits = type == info.type ||
                  (type == property_type::integer && info.type == property_type::time_span);
      auto checked = check_value(info, value);
      ASSERT_EQ(checked.has_value(), fits) << info.name << " " << to_string(value);
      if (!fits) {
        EXPECT_EQ(checked.failure(), errc::invalid_configuration);
        auto& text = checked.failure().text();
        EXPECT_TRUE(
            text.starts_with(std::string{info.name} + ": " + to_string(value) + ": must be "))
            << text;
      }
    }
  }
}

TEST(properties, PRP_05_each_property_takes_its_special_value_and_no_other) {
  for (auto& info : all_properties())
    for (auto value : {special::not_applicable, special::unlimited, special::disabled,
                       special::full_coverage, special::infinite})
      EXPECT_EQ(check_value(info, value).has_value(), info.special_value == value)
          << info.name << " " << to_string(value);
}

TEST(properties, PRP_05_numbers_outside_the_range_are_errors) {
  for (auto& info : all_properties()) {
    if (info.type == property_type::integer) {
      EXPECT_TRUE(check_value(info, info.min)) << info.name;
      EXPECT_TRUE(check_value(info, info.max)) << info.name;
      EXPECT_FALSE(check_value(info, info.min - 1)) << info.name;
      EXPECT_FALSE(check_value(info, -1)) << info.name;
      EXPECT_FALSE(check_value(info, std::numeric_limits<std::int64_t>::min())) << info.name;
      if (info.max != std::numeric_limits<std::int64_t>::max()) {
        EXPECT_FALSE(check_value(info, info.max + 1)) << info.name;
      }
    } else if (info.type == property_type::time_span) {
      EXPECT_TRUE(check_value(info, 1ns)) << info.name;
      EXPECT_FALSE(check_value(info, 0s)) << info.name;
      EXPECT_FALSE(check_value(info, -1s)) << info.name;
      EXPECT_FALSE(check_value(info, 0)) << info.name;
    }
  }
}

TEST(property_check, the_text_says_what_is_allowed) {
  auto text = [](id which, property_value value) {
    return check_value(info_of(which), std::move(value)).failure().text();
  };
  EXPECT_EQ(text(id::conn_priority, -1), "connPriority: -1: must be 0 or more");
  EXPECT_EQ(text(id::max_send_rate, 0), "maxSendRate: 0: must be 1 or more, or Unlimited");
  EXPECT_EQ(text(id::conn_timeout, "x"), "connTimeout: x: must be a duration above 0, or Disabled");
  EXPECT_EQ(text(id::final, 1), "final: 1: must be true or false");
  EXPECT_EQ(text(id::final, ""), "final: \"\": must be true or false");
  EXPECT_EQ(text(id::reliability, true),
            "reliability: true: must be one of Require, Prefer, No Preference, Avoid, Prohibit");
  EXPECT_EQ(text(id::sctp_udp_encaps_port, 65536), "sctp.udpEncapsPort: 65536: must be 1 to 65535");
}

TEST(property_check, numbers_that_are_no_enumerators_are_errors) {
  EXPECT_FALSE(check_value(info_of(id::reliability), static_cast<preference>(3)));
  EXPECT_FALSE(check_value(info_of(id::conn_capacity_profile), static_cast<capacity_profile>(2)));
  EXPECT_FALSE(check_value(info_of(id::conn_scheduler), static_cast<scheduler>(6)));
}

TEST(property_check, lists_of_interfaces_have_names_and_no_repetitions) {
  auto check = [](interface_preferences list) {
    return check_value(info_of(id::interface), std::move(list)).has_value();
  };
  EXPECT_TRUE(check({}));
  EXPECT_TRUE(check({{preference::require, "wifi"}, {preference::prohibit, "eth0"}}));
  EXPECT_FALSE(check({{preference::require, ""}}));
  EXPECT_FALSE(check({{preference::require, "wifi"}, {preference::require, "wifi"}}));
  EXPECT_FALSE(check({{static_cast<preference>(9), "wifi"}}));
}

TEST(property_check, a_plain_number_for_a_duration_counts_seconds) {
  EXPECT_EQ(*check_value(info_of(id::conn_timeout), 5), property_value{5s});
  EXPECT_EQ(*check_value(info_of(id::conn_timeout), std::numeric_limits<std::int64_t>::max()),
            property_value{duration::max()});
}

// -- NEATPy ---------------------------------------------------------------------------------------

TEST(properties, NEA_01_minus_one_is_the_special_value) {
  for (auto which : {id::recv_checksum_len, id::conn_timeout, id::keep_alive_timeout,
                     id::max_send_rate, id::max_recv_rate, id::min_send_rate, id::group_conn_limit,
                     id::msg_lifetime, id::msg_checksum_len, id::retransmit_notify_threshold}) {
    auto& info = info_of(which);
    auto value = from_neatpy(info, -1);
    ASSERT_TRUE(value) << info.name;
    EXPECT_EQ(*value, *info.special_value) << info.name;
    EXPECT_FALSE(from_neatpy(info, -2)) << info.name;
  }
  EXPECT_FALSE(from_neatpy(info_of(id::conn_priority), -1));
  EXPECT_FALSE(from_neatpy(info_of(id::msg_priority), -1));
}

TEST(properties, NEA_01_checksum_preferences_are_inverted) {
  auto& info = info_of(id::full_checksum_send);
  EXPECT_EQ(*from_neatpy(info, preference::require), preference::prohibit);
  EXPECT_EQ(*from_neatpy(info, preference::prefer), preference::avoid);
  EXPECT_EQ(*from_neatpy(info, preference::no_preference), preference::no_preference);
  EXPECT_EQ(*from_neatpy(info, preference::avoid), preference::prefer);
  EXPECT_EQ(*from_neatpy(info, preference::prohibit), preference::require);
  EXPECT_EQ(*from_neatpy(info, 2), preference::prohibit);
}

TEST(properties, NEA_01_enumerations_are_numbers) {
  EXPECT_EQ(*from_neatpy(info_of(id::preserve_order), -2), preference::prohibit);
  EXPECT_EQ(*from_neatpy(info_of(id::conn_capacity_profile), 36),
            capacity_profile::low_latency_interactive);
  EXPECT_FALSE(from_neatpy(info_of(id::preserve_order), 3));
  EXPECT_FALSE(from_neatpy(info_of(id::conn_capacity_profile), 35));
}

// -- text -----------------------------------------------------------------------------------------

TEST(property_text, what_is_printed_can_be_read_back) {
  for (auto& info : all_properties()) {
    if (info.type == property_type::interface_list)
      continue;
    std::vector<property_value> values{default_value(info.id)};
    if (info.special_value)
      values.push_back(*info.special_value);
    for (auto& [type, value] : samples())
      if (type == info.type)
        values.push_back(value);
    for (auto& value : values) {
      auto parsed = parse_value(info, to_string(value));
      ASSERT_TRUE(parsed) << to_string(parsed.failure());
      EXPECT_EQ(*parsed, value) << info.name;
    }
  }
}

TEST(property_text, command_lines_may_be_sloppy) {
  auto parse = [](id which, std::string_view text) { return *parse_value(info_of(which), text); };
  EXPECT_EQ(parse(id::reliability, "require"), preference::require);
  EXPECT_EQ(parse(id::reliability, " NO-PREFERENCE "), preference::no_preference);
  EXPECT_EQ(parse(id::reliability, "no_preference"), preference::no_preference);
  EXPECT_EQ(parse(id::reliability, "ignore"), preference::no_preference);
  EXPECT_EQ(parse(id::conn_priority, "5"), 5);
  EXPECT_EQ(parse(id::max_send_rate, "unlimited"), special::unlimited);
  EXPECT_EQ(parse(id::recv_checksum_len, "full"), special::full_coverage);
  EXPECT_EQ(parse(id::conn_timeout, "250ms"), 250ms);
  EXPECT_EQ(parse(id::conn_timeout, "1.5"), 1500ms);
  EXPECT_EQ(parse(id::conn_timeout, "2 min"), 120s);
  EXPECT_EQ(parse(id::final, "yes"), true);
  EXPECT_EQ(parse(id::final, "0"), false);
  EXPECT_EQ(parse(id::conn_capacity_profile, "low-latency-interactive"),
            capacity_profile::low_latency_interactive);
  EXPECT_EQ(parse(id::direction, "unidirectional_send"), direction::unidirectional_send);
  interface_preferences list{{preference::prefer, "wifi"}, {preference::prohibit, "eth1"}};
  EXPECT_EQ(parse(id::interface, "prefer:wifi, prohibit:eth1"), list);
  EXPECT_EQ(parse(id::interface, ""), interface_preferences{});
}

TEST(property_text, nonsense_is_refused) {
  auto fails = [](id which, std::string_view text) {
    auto value = parse_value(info_of(which), text);
    return !value && value.failure() == errc::invalid_configuration &&
           value.failure().text().starts_with(info_of(which).name);
  };
  EXPECT_TRUE(fails(id::reliability, ""));
  EXPECT_TRUE(fails(id::reliability, "must"));
  EXPECT_TRUE(fails(id::conn_priority, "-1"));
  EXPECT_TRUE(fails(id::conn_priority, "5x"));
  EXPECT_TRUE(fails(id::conn_priority, "99999999999999999999"));
  EXPECT_TRUE(fails(id::conn_timeout, "5 parsecs"));
  EXPECT_TRUE(fails(id::conn_timeout, "nan"));
  EXPECT_TRUE(fails(id::conn_timeout, "-1s"));
  EXPECT_TRUE(fails(id::conn_timeout, "0.0000000001s"));
  EXPECT_TRUE(fails(id::conn_priority, "unlimited"));
  EXPECT_TRUE(fails(id::final, "perhaps"));
  EXPECT_TRUE(fails(id::interface, "wifi"));
  EXPECT_TRUE(fails(id::interface, "prefer:"));
  EXPECT_TRUE(fails(id::interface, "prefer:wifi,,"));
}

}  // namespace
