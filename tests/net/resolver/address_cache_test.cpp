#include "taps/net/resolver/address_cache.hpp"
#include "taps/net/resolver/service_names.hpp"

#include <gtest/gtest.h>

namespace taps {

namespace {

using namespace std::chrono_literals;

constexpr auto v4 = ip_family::v4;
constexpr auto v6 = ip_family::v6;

resolved_addresses answer(std::chrono::seconds ttl, std::uint8_t last = 1) {
  return {{{ip_address{ip_address::v4_bytes{192, 0, 2, last}}, ttl}}};
}

const time_point start = time_point{} + 1h;

TEST(address_cache, lasts_to_the_shortest_time_to_live_and_no_longer) {
  address_cache cache;
  auto two = answer(10s);
  two.entries.push_back({ip_address{}, 20s});
  cache.store("a.test", v4, two, start);
  ASSERT_TRUE(cache.find("a.test", v4, start + 10s - 1ns));
  EXPECT_FALSE(cache.find("a.test", v4, start + 10s));
}

TEST(address_cache, reduces_the_time_to_live_by_the_age) {
  address_cache cache;
  cache.store("a.test", v4, answer(10s), start);
  EXPECT_EQ(cache.find("a.test", v4, start)->entries[0].ttl, 10s);
  EXPECT_EQ(cache.find("a.test", v4, start + 1ms)->entries[0].ttl, 9s);
  EXPECT_EQ(cache.find("a.test", v4, start + 9500ms)->entries[0].ttl, 0s);
}

TEST(address_cache, keeps_names_and_families_apart) {
  address_cache cache;
  cache.store("a.test", v4, answer(10s, 1), start);
  cache.store("b.test", v4, answer(10s, 2), start);
  EXPECT_FALSE(cache.find("a.test", v6, start));
  EXPECT_EQ(to_string(cache.find("b.test", v4, start)->entries[0].address), "192.0.2.2");
  cache.store("b.test", v4, answer(10s, 3), start);
  EXPECT_EQ(to_string(cache.find("b.test", v4, start)->entries[0].address), "192.0.2.3");
}

TEST(address_cache, keeps_nothing_that_must_not_be_kept) {
  address_cache cache;
  cache.store("zero.test", v4, answer(0s), start);
  cache.store("empty.test", v4, {}, start);
  EXPECT_EQ(cache.size(), 0u);
  cache.store("a.test", v4, answer(10s), start);
  cache.store("a.test", v4, answer(0s), start);
  EXPECT_FALSE(cache.find("a.test", v4, start)) << "the newer answer counts";
  cache.store("long.test", v4, answer(1000h), start);
  EXPECT_FALSE(cache.find("long.test", v4, start + address_cache::max_ttl));
}

TEST(address_cache, gives_up_what_expires_first_when_full) {
  address_cache cache{3};
  cache.store("a.test", v4, answer(30s), start);
  cache.store("b.test", v4, answer(10s), start);
  cache.store("c.test", v4, answer(20s), start);
  cache.store("c.test", v4, answer(25s), start);
  EXPECT_EQ(cache.size(), 3u) << "an update needs no room";
  cache.store("d.test", v4, answer(5s), start);
  EXPECT_EQ(cache.size(), 3u);
  EXPECT_FALSE(cache.find("b.test", v4, start));
  EXPECT_TRUE(cache.find("a.test", v4, start));
  EXPECT_TRUE(cache.find("d.test", v4, start));
}

TEST(service_names, EP_05_common_names_need_no_file) {
  EXPECT_EQ(detail::well_known_port("https"), 443);
  EXPECT_EQ(detail::well_known_port("amqp"), 5672);
  EXPECT_EQ(detail::well_known_port("time"), 37);
  EXPECT_EQ(detail::well_known_port("telnet"), 23);
  EXPECT_EQ(detail::well_known_port("domain-s"), 853);
  EXPECT_EQ(detail::well_known_port("nonsense"), 0);
  EXPECT_EQ(detail::well_known_port(""), 0);
}

}  // namespace

}  // namespace taps
