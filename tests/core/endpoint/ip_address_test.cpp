#include "taps/core/base/random.hpp"
#include "taps/core/endpoint/ip_address.hpp"
#include "taps/core/endpoint/socket_address.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <unordered_set>

using namespace taps;

namespace {

/// What the C library makes of a text.
std::optional<ip_address> system_parse(const std::string& text) {
  ip_address::v4_bytes v4{};
  if (inet_pton(AF_INET, text.c_str(), v4.data()) == 1)
    return ip_address{v4};
  ip_address::v6_bytes v6{};
  if (inet_pton(AF_INET6, text.c_str(), v6.data()) == 1)
    return ip_address{v6};
  return std::nullopt;
}

ip_address address(std::string_view text) {
  auto result = ip_address::parse(text);
  EXPECT_TRUE(result.has_value()) << text;
  return result ? *result : ip_address{};
}

std::string reprint(std::string_view text) { return to_string(address(text)); }

}  // namespace

TEST(ip_address, reads_and_prints_ipv4) {
  for (auto text : {"0.0.0.0", "255.255.255.255", "127.0.0.1", "192.0.2.1", "1.20.200.0"})
    EXPECT_EQ(reprint(text), text);
  EXPECT_EQ(address("192.0.2.1"), (ip_address{ip_address::v4_bytes{192, 0, 2, 1}}));
}

TEST(ip_address, refuses_what_is_not_an_address_and_names_it) {
  for (auto text : {"",
                    ".",
                    "1",
                    "1.2.3",
                    "1.2.3.4.5",
                    "1.2.3.",
                    ".1.2.3",
                    "1..2.3",
                    "256.1.1.1",
                    "300.1.2.3",
                    "01.2.3.4",
                    "1.2.3.00",
                    "1.2.3.4 ",
                    " 1.2.3.4",
                    "0x1.2.3.4",
                    "1.2.3.+4",
                    "1.2.3.-4",
                    "1.2.3.1000",
                    ":",
                    ":::",
                    "1:",
                    ":1",
                    "1:2:3:4:5:6:7",
                    "1:2:3:4:5:6:7:8:9",
                    "1:2:3:4:5:6:7:8:",
                    ":1:2:3:4:5:6:7:8",
                    "1::2::3",
                    "1:2:3:4::5:6:7:8",
                    "12345::",
                    "g::",
                    "::1%lo",
                    "[::1]",
                    "::1 ",
                    "1.2.3.4::",
                    "::1.2.3.4:5",
                    "::1.2.3",
                    "::256.1.1.1",
                    "1:2:3:4:5:6:7:1.2.3.4",
                    "::1:2:3:4:5:6:7.8.9",
                    "fe80::zz",
                    "::1/128",
                    "localhost"}) {
    const auto result = ip_address::parse(text);
    ASSERT_FALSE(result.has_value()) << text;
    EXPECT_EQ(result.failure(), errc::invalid_configuration);
    EXPECT_EQ(result.failure().text(), "'" + std::string{text} + "' is not an IP address");
  }
}

TEST(ip_address, reads_every_form_of_rfc_4291) {
  const auto expected = address("2001:db8:0:0:8:800:200c:417a");
  EXPECT_EQ(expected.bytes(), (ip_address::v6_bytes{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 8, 8, 0,
                                                    0x20, 0x0c, 0x41, 0x7a}));
  EXPECT_EQ(address("2001:DB8::8:800:200C:417A"), expected);
  EXPECT_EQ(address("2001:0db8:0000:0000:0008:0800:200c:417a"), expected);
  EXPECT_EQ(address("::"), ip_address::any(ip_family::v6));
  EXPECT_EQ(address("::1"), ip_address::loopback(ip_family::v6));
  EXPECT_EQ(address("0:0:0:0:0:0:13.1.68.3"), address("::d01:4403"));
  EXPECT_EQ(address("::FFFF:129.144.52.38"), address("::ffff:8190:3426"));
  EXPECT_EQ(address("1:2:3:4:5:6:7::"), address("1:2:3:4:5:6:7:0"));
  EXPECT_EQ(address("::2:3:4:5:6:7:8"), address("0:2:3:4:5:6:7:8"));
}

TEST(ip_address, prints_as_rfc_5952_recommends) {
  EXPECT_EQ(reprint("2001:0db8::0001"), "2001:db8::1");
  EXPECT_EQ(reprint("2001:db8:0:0:0:0:2:1"), "2001:db8::2:1");
  EXPECT_EQ(reprint("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
  EXPECT_EQ(reprint("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");
  EXPECT_EQ(reprint("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
  EXPECT_EQ(reprint("2001:DB8::ABCD"), "2001:db8::abcd");
  EXPECT_EQ(reprint("1:0:0:0:0:0:0:0"), "1::");
  EXPECT_EQ(reprint("0:0:0:0:0:0:0:0"), "::");
  EXPECT_EQ(reprint("0:0:0:0:0:0:0:1"), "::1");
  EXPECT_EQ(reprint("::ffff:c000:201"), "::ffff:192.0.2.1");
}

TEST(ip_address, agrees_with_the_c_library_on_random_texts) {
  constexpr std::uint64_t seed = 4291;
  RecordProperty("seed", std::to_string(seed));
  random_source random{seed};
  constexpr std::string_view alphabet = "0123456789abcdefF::::....";
  std::size_t valid = 0;
  for (int i = 0; i < 300000; ++i) {
    std::string text;
    if (i % 2 == 0) {
      for (auto n = random.below(20); n > 0; --n)
        text += alphabet[random.below(alphabet.size())];
    } else {
      // A valid address with one character changed, added or taken.
      text =
          to_string(random.below(2) == 0
                        ? ip_address{ip_address::v4_bytes{static_cast<std::uint8_t>(random()), 7,
                                                          static_cast<std::uint8_t>(random()), 0}}
                        : ip_address{ip_address::v6_bytes{
                              0x20, 1, 0, static_cast<std::uint8_t>(random.below(2)), 0, 0, 0, 0,
                              static_cast<std::uint8_t>(random.below(3)), 0, 0, 0,
                              static_cast<std::uint8_t>(random()), 0, 0, 1}});
      const auto at = random.below(text.size());
      const std::string with{alphabet[random.below(alphabet.size())]};
      text.replace(at, random.below(2), random.below(2) == 0 ? with : "");
    }
    const auto expected = system_parse(text);
    const auto parsed = ip_address::parse(text);
    ASSERT_EQ(parsed.has_value(), expected.has_value()) << text << " seed " << seed;
    if (expected) {
      ++valid;
      ASSERT_EQ(*parsed, *expected) << text << " seed " << seed;
    }
  }
  EXPECT_GT(valid, 10000u);
}

TEST(ip_address, what_it_prints_reads_back_and_agrees_with_the_c_library) {
  constexpr std::uint64_t seed = 5952;
  random_source random{seed};
  for (int i = 0; i < 100000; ++i) {
    ip_address::v6_bytes bytes{};
    // Many zero groups, so that there are runs to choose from.
    for (std::size_t j = 0; j < 16; j += 2)
      if (random.below(3) == 0) {
        bytes[j] = static_cast<std::uint8_t>(random.below(2) * random());
        bytes[j + 1] = static_cast<std::uint8_t>(random());
      }
    const ip_address x{bytes};
    const auto text = to_string(x);
    ASSERT_EQ(address(text), x) << text << " seed " << seed;
    char expected[INET6_ADDRSTRLEN];
    ASSERT_NE(inet_ntop(AF_INET6, bytes.data(), expected, sizeof(expected)), nullptr);
    // The deprecated IPv4-compatible addresses are where the C library prints dots and we do not.
    if (std::string_view{expected}.find('.') == std::string_view::npos) {
      ASSERT_EQ(text, expected) << " seed " << seed;
    }
  }
}

TEST(ip_address, knows_its_kind) {
  EXPECT_TRUE(address("0.0.0.0").is_any());
  EXPECT_TRUE(address("::").is_any());
  EXPECT_FALSE(address("::1").is_any());
  EXPECT_TRUE(address("127.8.9.1").is_loopback());
  EXPECT_TRUE(address("::1").is_loopback());
  EXPECT_FALSE(address("128.0.0.1").is_loopback());
  EXPECT_TRUE(address("224.0.0.1").is_multicast());
  EXPECT_TRUE(address("239.255.255.255").is_multicast());
  EXPECT_FALSE(address("240.0.0.1").is_multicast());
  EXPECT_TRUE(address("ff02::1").is_multicast());
  EXPECT_FALSE(address("fe02::1").is_multicast());
  EXPECT_TRUE(address("169.254.3.4").is_link_local());
  EXPECT_TRUE(address("fe80::1").is_link_local());
  EXPECT_TRUE(address("febf::1").is_link_local());
  EXPECT_FALSE(address("fec0::1").is_link_local());
  EXPECT_TRUE(address("::ffff:192.0.2.1").is_v4_mapped());
  EXPECT_EQ(address("::ffff:192.0.2.1").unmapped(), address("192.0.2.1"));
  EXPECT_EQ(address("::fffe:192.0.2.1").unmapped(), address("::fffe:192.0.2.1"));
}

TEST(ip_address, some_mean_another_thing_on_each_link) {
  for (const auto* x : {"fe80::1", "ff02::1", "ff01::1", "ff12::1", "ff31::1"})
    EXPECT_TRUE(address(x).needs_zone()) << x;
  for (const auto* x : {"2001:db8::1", "ff05::1", "ff0e::1", "169.254.0.1", "224.0.0.1", "::1"})
    EXPECT_FALSE(address(x).needs_zone()) << x;
}

TEST(ip_address, prefixes) {
  EXPECT_EQ(common_prefix_length(address("192.0.2.1"), address("192.0.2.1")), 32u);
  EXPECT_EQ(common_prefix_length(address("192.0.2.1"), address("192.0.2.2")), 30u);
  EXPECT_EQ(common_prefix_length(address("0.0.0.0"), address("128.0.0.0")), 0u);
  EXPECT_EQ(common_prefix_length(address("2001:db8::1"), address("2001:db8::1")), 128u);
  EXPECT_EQ(common_prefix_length(address("2001:db8::1"), address("2001:db8::8000:0:0:1")), 64u);
  EXPECT_EQ(common_prefix_length(address("::"), address("0.0.0.0")), 0u);
  EXPECT_TRUE(is_in_prefix(address("192.0.2.77"), address("192.0.2.0"), 24));
  EXPECT_FALSE(is_in_prefix(address("192.0.3.77"), address("192.0.2.0"), 24));
  EXPECT_TRUE(is_in_prefix(address("192.0.3.77"), address("192.0.2.0"), 23));
  EXPECT_TRUE(is_in_prefix(address("8.8.8.8"), address("0.0.0.0"), 0));
  EXPECT_FALSE(is_in_prefix(address("::1"), address("0.0.0.0"), 0)) << "the other family";
  EXPECT_FALSE(is_in_prefix(address("1.1.1.1"), address("1.1.1.1"), 33)) << "no such length";
}

TEST(ip_address, families_differ_even_with_equal_bytes) {
  EXPECT_NE(ip_address::any(ip_family::v4), ip_address::any(ip_family::v6));
  std::unordered_set<ip_address> set{address("::"), address("0.0.0.0"), address("::")};
  EXPECT_EQ(set.size(), 2u);
}

TEST(socket_address, prints_brackets_and_scope) {
  EXPECT_EQ(to_string(socket_address{address("192.0.2.1"), 80}), "192.0.2.1:80");
  EXPECT_EQ(to_string(socket_address{address("2001:db8::1"), 80}), "[2001:db8::1]:80");
  EXPECT_EQ(to_string(socket_address{address("fe80::1"), 5000, 3}), "[fe80::1%3]:5000");
}

TEST(socket_address, hashes_all_its_parts) {
  const std::unordered_set<socket_address> set{{address("::1"), 1},
                                               {address("::1"), 2},
                                               {address("::1"), 1, 1},
                                               {address("::2"), 1},
                                               {address("::1"), 1}};
  EXPECT_EQ(set.size(), 4u);
  EXPECT_NE(std::hash<socket_address>{}({address("::1"), 1}),
            std::hash<socket_address>{}({address("::1"), 2}));
}
