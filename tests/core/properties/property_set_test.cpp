#include "taps/core/properties/property_set.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace {

using namespace taps;

TEST(property_set, behaves_like_a_map_in_the_order_of_the_ids) {
  auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  property_set set;
  std::map<property_id, property_value> model;
  for (int i = 0; i < 10'000; ++i) {
    auto id = static_cast<property_id>(random() % num_properties);
    if (random() % 3 == 0) {
      set.erase(id);
      model.erase(id);
    } else {
      set.set(id, i);
      model[id] = i;
    }
    auto probe = static_cast<property_id>(random() % num_properties);
    auto at = model.find(probe);
    auto* found = set.find(probe);
    ASSERT_EQ(found != nullptr, at != model.end());
    if (found) {
      ASSERT_EQ(*found, at->second);
    }
  }
  ASSERT_EQ(set.entries().size(), model.size());
  auto at = model.begin();
  for (auto& [id, value] : set.entries()) {
    EXPECT_EQ(id, at->first);
    EXPECT_EQ(value, at->second);
    ++at;
  }
}

TEST(property_set, foreign_names_differ_in_more_than_case) {
  property_set set;
  EXPECT_TRUE(set.empty());
  set.set_foreign("_vendor.x", 1);
  set.set_foreign("_Vendor.X", 2);
  set.set_foreign("_vendor.xy", 3);
  ASSERT_EQ(set.foreign().size(), 2u);
  EXPECT_EQ(*set.find_foreign("_VENDOR.x"), 2);
  EXPECT_EQ(set.find_foreign("_vendor.z"), nullptr);
  set.erase_foreign("_vendor.X");
  EXPECT_EQ(set.find_foreign("_vendor.x"), nullptr);
  EXPECT_FALSE(set.empty());
}

}  // namespace
