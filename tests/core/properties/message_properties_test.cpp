#include "taps/core/properties/message_properties.hpp"

#include <gtest/gtest.h>

namespace {

using namespace taps;
using namespace std::chrono_literals;
using id = property_id;

TEST(message_properties, start_out_all_default) {
  message_properties x;
  EXPECT_TRUE(x.all_default());
  EXPECT_TRUE(x.entries().empty());
  for (auto& info : all_properties())
    EXPECT_FALSE(x.get(info.id)) << info.name;
}

TEST(message_properties, each_can_be_set_read_and_reset_by_id_and_name) {
  for (auto& info : all_properties()) {
    if (info.kind != property_kind::message)
      continue;
    message_properties x;
    auto value = default_value(info.id);
    ASSERT_TRUE(x.set(info.id, value)) << info.name;
    EXPECT_EQ(x.get(info.id), value) << info.name;
    EXPECT_FALSE(x.all_default());
    EXPECT_TRUE(x.check());
    EXPECT_EQ(x.entries().size(), 1u);
    x.reset(info.id);
    EXPECT_TRUE(x.all_default()) << info.name;
    ASSERT_TRUE(x.set(info.name, value)) << info.name;
    auto read = x.get(info.name);
    ASSERT_TRUE(read) << info.name;
    EXPECT_EQ(*read, value) << info.name;
  }
}

TEST(message_properties, MSG_06_lifetime_and_priority_have_bounds) {
  message_properties x;
  ASSERT_TRUE(x.set(id::msg_lifetime, 5s));
  ASSERT_TRUE(x.set(id::msg_priority, 7));
  EXPECT_FALSE(x.set(id::msg_lifetime, 0s));
  EXPECT_FALSE(x.set("msgLifetime", -1ms));
  EXPECT_FALSE(x.set("msgPriority", -1));
  EXPECT_FALSE(x.set(id::msg_ordered, 1));
  EXPECT_EQ(x.lifetime, 5s);
  EXPECT_EQ(x.priority, 7);
  EXPECT_FALSE(x.ordered);
}

TEST(message_properties, members_assigned_directly_can_be_checked) {
  message_properties x;
  x.lifetime = -1s;
  EXPECT_FALSE(x.check());
  x.lifetime = infinite_lifetime;
  EXPECT_TRUE(x.check());
  x.priority = -5;
  ASSERT_FALSE(x.check());
  EXPECT_EQ(x.check().failure().text(), "msgPriority: -5: must be 0 or more");
}

TEST(message_properties, special_values_are_no_numbers) {
  message_properties x;
  ASSERT_TRUE(x.set(id::msg_checksum_len, special::full_coverage));
  ASSERT_TRUE(x.set(id::msg_lifetime, special::infinite));
  EXPECT_EQ(x.checksum_length, full_checksum);
  EXPECT_EQ(x.lifetime, infinite_lifetime);
  EXPECT_EQ(x.get(id::msg_checksum_len), property_value{special::full_coverage});
  EXPECT_EQ(x.get(id::msg_lifetime), property_value{special::infinite});
}

TEST(message_properties, NEA_01_singular_transmission_sets_both_flags) {
  message_properties x;
  ASSERT_TRUE(x.set("singular-transmission", true));
  EXPECT_EQ(x.no_fragmentation, true);
  EXPECT_EQ(x.no_segmentation, true);
  ASSERT_TRUE(x.set("singular-transmission", false));
  EXPECT_EQ(x.no_fragmentation, false);
  EXPECT_EQ(x.no_segmentation, false);
}

TEST(message_properties, NEA_01_names_and_values_of_neatpy) {
  message_properties x;
  ASSERT_TRUE(x.set("idempotent", true));
  ASSERT_TRUE(x.set("msg-prio", 3));
  ASSERT_TRUE(x.set("msg-checksum-len", -1));
  ASSERT_TRUE(x.set("msg-lifetime", -1));
  ASSERT_TRUE(x.set("msg-capacity-profile", 10));
  EXPECT_EQ(x.safely_replayable, true);
  EXPECT_EQ(x.priority, 3);
  EXPECT_EQ(x.checksum_length, full_checksum);
  EXPECT_EQ(x.lifetime, infinite_lifetime);
  EXPECT_EQ(x.capacity_profile, capacity_profile::capacity_seeking);
  EXPECT_FALSE(x.set("msgChecksumLen", -1));
}

TEST(message_properties, others_properties_are_refused) {
  message_properties x;
  auto refusal = x.set(id::conn_priority, 1);
  ASSERT_FALSE(refusal);
  EXPECT_EQ(refusal.failure(), errc::invalid_configuration);
  EXPECT_EQ(x.set(id::ecn, 1).failure(), errc::read_only);
  EXPECT_EQ(x.set("early-data", true).failure(), errc::read_only);
  EXPECT_EQ(x.set("noSuchThing", true).failure(), errc::invalid_configuration);
  EXPECT_FALSE(x.get("connPriority"));
  EXPECT_FALSE(x.get("noSuchThing"));
  EXPECT_TRUE(x.all_default());
}

}  // namespace
