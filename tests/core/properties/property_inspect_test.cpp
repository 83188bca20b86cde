// Properties as parts of actor messages, through the inspectors of the real actor system.

#include "taps/core/properties/connection_properties.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/deep_to_string.hpp>
#include <gtest/gtest.h>

namespace {

using namespace taps;
using namespace std::chrono_literals;
using id = property_id;

template<class T>
T round_trip(T x) {
  std::vector<char> bytes;
  caf::binary_serializer sink{nullptr, bytes};
  EXPECT_FALSE(sink(x));
  T result{};
  caf::binary_deserializer source{nullptr, bytes};
  EXPECT_FALSE(source(result));
  return result;
}

TEST(property_inspect, every_type_of_value_survives_a_round_trip) {
  for (auto& value : std::vector<property_value>{
           property_value{},
           true,
           false,
           preference::prohibit,
           preference::require,
           -5,
           std::numeric_limits<std::int64_t>::max(),
           1500ms,
           duration::max(),
           duration::min(),
           multipath_mode::passive,
           direction::unidirectional_receive,
           capacity_profile::low_latency_interactive,
           scheduler::weighted_fair_queueing,
           multipath_policy::aggregate,
           connection_state::closed,
           special::infinite,
           "",
           "text",
           interface_preferences{},
           interface_preferences{{preference::require, "wifi"}, {preference::avoid, "eth0"}}})
    EXPECT_EQ(round_trip(value), value) << to_string(value);
}

TEST(property_inspect, an_unknown_type_of_value_reads_as_not_applicable) {
  std::vector<char> bytes{'\x7f'};
  caf::binary_deserializer source{nullptr, bytes};
  property_value value{5};
  EXPECT_FALSE(source(value));
  EXPECT_EQ(value, special::not_applicable);
}

TEST(property_inspect, cut_off_values_are_errors) {
  std::vector<char> bytes;
  caf::binary_serializer sink{nullptr, bytes};
  property_value value{"a text"};
  ASSERT_FALSE(sink(value));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    caf::binary_deserializer source{nullptr, bytes.data(), size};
    property_value read;
    EXPECT_TRUE(source(read)) << size;
  }
}

TEST(property_inspect, sets_of_properties_survive_a_round_trip) {
  auto x = unreliable_datagram();
  x.with(id::conn_timeout, 5s).require(id::interface, "wifi").with("_vendor.x", "y");
  EXPECT_EQ(round_trip(x), x);
  x.with("noSuchThing", 1);
  EXPECT_EQ(round_trip(x), x);
  EXPECT_EQ(round_trip(transport_properties{}), transport_properties{});
}

TEST(property_inspect, message_properties_survive_a_round_trip) {
  message_properties x;
  EXPECT_EQ(round_trip(x), x);
  x.lifetime = infinite_lifetime;
  x.priority = 3;
  x.ordered = false;
  x.checksum_length = full_checksum;
  x.capacity_profile = capacity_profile::scavenger;
  EXPECT_EQ(round_trip(x), x);
}

TEST(property_inspect, snapshots_survive_a_round_trip) {
  auto x = connection_properties{nullptr}.snapshot({});
  EXPECT_EQ(round_trip(x), x);
}

TEST(property_inspect, values_print) {
  EXPECT_NE(caf::deep_to_string(property_value{5}).find('5'), std::string::npos);
  EXPECT_FALSE(caf::deep_to_string(unreliable_datagram()).empty());
  EXPECT_FALSE(caf::deep_to_string(message_properties{}).empty());
}

}  // namespace
