#include "taps/core/candidate/rfc6724.hpp"

#include "taps/core/base/random.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

using namespace taps;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace {

using names = std::vector<std::string>;

ip_address address(std::string_view text) { return *ip_address::parse(text); }

std::vector<ip_address> addresses(const names& texts) {
  std::vector<ip_address> result;
  for (const auto& x : texts)
    result.push_back(address(x));
  return result;
}

names texts(const std::vector<ip_address>& xs) {
  names result;
  for (const auto& x : xs)
    result.push_back(to_string(x));
  return result;
}

/// Sorts with a table of sources; destinations that are not in it have no route.
names sorted(const names& destinations, const std::map<std::string, std::string>& sources) {
  auto result = addresses(destinations);
  sort_destinations(result, [&](const ip_address& x) -> std::optional<ip_address> {
    const auto found = sources.find(to_string(x));
    if (found == sources.end())
      return std::nullopt;
    return address(found->second);
  });
  return texts(result);
}

/// Both orders of the input must give the same.
void expect_sorted(const names& expected, const std::map<std::string, std::string>& sources) {
  EXPECT_EQ(sorted(expected, sources), expected);
  EXPECT_EQ(sorted({expected.rbegin(), expected.rend()}, sources), expected);
}

}  // namespace

// -- RFC 6724, section 10.2, with the sources that its section 5 selects -------------------

TEST(rfc6724, section_10_2_prefer_matching_scope) {
  expect_sorted({"2001:db8:1::1", "198.51.100.121"},
                {{"2001:db8:1::1", "2001:db8:1::2"}, {"198.51.100.121", "169.254.13.78"}});
  expect_sorted({"198.51.100.121", "2001:db8:1::1"},
                {{"2001:db8:1::1", "fe80::1"}, {"198.51.100.121", "198.51.100.117"}});
}

TEST(rfc6724, section_10_2_prefer_higher_precedence) {
  expect_sorted({"2001:db8:1::1", "10.1.2.3"},
                {{"2001:db8:1::1", "2001:db8:1::2"}, {"10.1.2.3", "10.1.2.4"}});
  expect_sorted({"2001:db8:1::1", "2002:c633:6401::1"},
                {{"2001:db8:1::1", "2001:db8:1::2"}, {"2002:c633:6401::1", "2002:c633:6401::2"}});
}

TEST(rfc6724, section_10_2_prefer_smaller_scope) {
  expect_sorted({"fe80::1", "2001:db8:1::1"},
                {{"2001:db8:1::1", "2001:db8:1::2"}, {"fe80::1", "fe80::2"}});
}

TEST(rfc6724, section_10_2_prefer_matching_label) {
  expect_sorted(
      {"2002:c633:6401::1", "2001:db8:1::1"},
      {{"2001:db8:1::1", "2002:c633:6401::2"}, {"2002:c633:6401::1", "2002:c633:6401::2"}});
}

TEST(rfc6724, section_10_2_prefer_longest_matching_prefix) {
  expect_sorted({"2001:db8:1::1", "2001:db8:3ffe::1"},
                {{"2001:db8:1::1", "2001:db8:1::2"}, {"2001:db8:3ffe::1", "2001:db8:3f44::2"}});
}

// -- rule by rule ---------------------------------------------------------------------------

TEST(rfc6724, unusable_destinations_go_last) {
  expect_sorted({"10.0.0.1", "2001:db8::1"}, {{"10.0.0.1", "10.0.0.2"}});
}

TEST(rfc6724, ipv6_loopback_goes_before_ipv4_loopback) {
  expect_sorted({"::1", "127.0.0.1"}, {{"::1", "::1"}, {"127.0.0.1", "127.0.0.1"}});
}

TEST(rfc6724, private_ipv6_yields_to_ipv4_when_the_peer_is_global) {
  // A host with nothing but a unique local address: labels differ.
  expect_sorted({"192.0.2.1", "2001:db8::1"},
                {{"2001:db8::1", "fd00::1"}, {"192.0.2.1", "10.0.0.1"}});
}

TEST(rfc6724, prefixes_count_up_to_the_network_only) {
  // Both share the network; what the interface part has in common does not matter.
  const std::map<std::string, std::string> sources{{"2001:db8::1", "2001:db8::f001"},
                                                   {"2001:db8::f000", "2001:db8::f001"}};
  EXPECT_EQ(sorted({"2001:db8::1", "2001:db8::f000"}, sources),
            (names{"2001:db8::1", "2001:db8::f000"}));
  EXPECT_EQ(sorted({"2001:db8::f000", "2001:db8::1"}, sources),
            (names{"2001:db8::f000", "2001:db8::1"}));
}

TEST(rfc6724, what_no_rule_tells_apart_stays_in_order) {
  const std::map<std::string, std::string> sources{
      {"192.0.2.9", "192.0.2.1"}, {"192.0.2.3", "192.0.2.1"}, {"198.51.100.1", "192.0.2.1"}};
  EXPECT_EQ(sorted({"198.51.100.1", "192.0.2.9", "192.0.2.3"}, sources),
            (names{"198.51.100.1", "192.0.2.9", "192.0.2.3"}));
}

TEST(rfc6724, works_without_knowledge_of_sources) {
  auto xs = addresses({"192.0.2.1", "2001:db8::1", "::1"});
  sort_destinations(xs, nullptr);
  EXPECT_EQ(texts(xs), (names{"::1", "2001:db8::1", "192.0.2.1"}));
}

TEST(rfc6724, asks_once_per_destination) {
  auto xs = addresses({"192.0.2.1", "2001:db8::1", "::1", "fe80::1"});
  int asked = 0;
  sort_destinations(xs, [&](const ip_address& x) {
    ++asked;
    return std::optional{x};
  });
  EXPECT_EQ(asked, 4);
}

// -- RFC 8305, section 4 ----------------------------------------------------------------------

TEST(interleave, RAC_05_families_take_turns) {
  const auto xs =
      addresses({"2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1", "192.0.2.2"});
  EXPECT_THAT(texts(interleave_families(xs)),
              ElementsAre("2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "2001:db8::3"));
}

TEST(interleave, the_best_address_decides_who_begins) {
  const auto xs = addresses({"192.0.2.1", "2001:db8::1", "192.0.2.2"});
  EXPECT_THAT(texts(interleave_families(xs)), ElementsAre("192.0.2.1", "2001:db8::1", "192.0.2.2"));
}

TEST(interleave, first_family_may_have_a_head_start) {
  const auto xs = addresses({"::1", "::2", "::3", "::4", "192.0.2.1", "192.0.2.2"});
  EXPECT_THAT(texts(interleave_families(xs, 2)),
              ElementsAre("::1", "::2", "192.0.2.1", "::3", "192.0.2.2", "::4"));
  EXPECT_THAT(texts(interleave_families(xs, 0)).front(), "::1");
}

TEST(interleave, goes_on_where_the_attempts_stopped) {
  const auto xs = addresses({"::2", "::3", "192.0.2.1"});
  EXPECT_THAT(texts(interleave_families(xs, 1, ip_family::v6)),
              ElementsAre("192.0.2.1", "::2", "::3"));
  EXPECT_THAT(texts(interleave_families(xs, 1, ip_family::v4)),
              ElementsAre("::2", "192.0.2.1", "::3"));
  EXPECT_THAT(texts(interleave_families(addresses({"::2"}), 1, ip_family::v6)), ElementsAre("::2"));
  EXPECT_THAT(interleave_families({}), IsEmpty());
}

TEST(interleave, loses_and_doubles_nothing) {
  constexpr std::uint64_t seed = 8305;
  random_source random{seed};
  for (int i = 0; i < 2000; ++i) {
    std::vector<ip_address> xs;
    for (auto n = random.below(20); n > 0; --n) {
      const auto byte = static_cast<std::uint8_t>(n);
      xs.push_back(random.below(2) == 0 ? ip_address{ip_address::v4_bytes{10, 0, 0, byte}}
                                        : ip_address{ip_address::v6_bytes{0xfd, byte}});
    }
    std::optional<ip_family> previous;
    if (random.below(2) == 0)
      previous = random.below(2) == 0 ? ip_family::v4 : ip_family::v6;
    auto result = interleave_families(xs, random.below(4), previous);
    std::sort(xs.begin(), xs.end());
    std::sort(result.begin(), result.end());
    ASSERT_EQ(result, xs) << "seed " << seed;
  }
}

// -- what was learned -------------------------------------------------------------------------

TEST(rfc6724, dead_addresses_go_last_whatever_else_is_true_of_them) {
  auto x = addresses({"2001:db8::1", "2001:db8::2", "192.0.2.1"});
  const auto live = sort_destinations(x, nullptr, [](const ip_address& y) {
    return address_experience{y == address("2001:db8::1"), {}};
  });
  EXPECT_THAT(texts(x), ElementsAre("2001:db8::2", "192.0.2.1", "2001:db8::1"));
  EXPECT_EQ(live, 2u);
}

TEST(rfc6724, quick_addresses_and_then_used_ones_go_first_among_equals) {
  const std::map<std::string, duration> known{{"192.0.2.2", std::chrono::milliseconds{80}},
                                              {"192.0.2.3", std::chrono::milliseconds{10}},
                                              {"192.0.2.4", std::chrono::milliseconds{9}}};
  auto x = addresses({"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "2001:db8::1"});
  const auto live = sort_destinations(x, nullptr, [&](const ip_address& y) {
    const auto i = known.find(to_string(y));
    return address_experience{false, i == known.end() ? std::nullopt : std::optional{i->second}};
  });
  // 9 and 10 ms are as good as equal. The family is a matter of rule 6, which comes before.
  EXPECT_THAT(texts(x),
              ElementsAre("2001:db8::1", "192.0.2.3", "192.0.2.4", "192.0.2.2", "192.0.2.1"));
  EXPECT_EQ(live, 5u);
}
