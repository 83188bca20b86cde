#include "taps/core/racing/history_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace taps;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

namespace {

const two_clocks at{time_point{} + 100h, wall_time{1'700'000'000s}};

const std::vector<history_entry> entries{
    {{"", "example.test", {{}, 443}}, {"tls/tcp", true, 12, at.now - 60s, 34567us}},
    {{"wi fi#%", "", {*ip_address::parse("2001:db8::1"), 80}}, {"sctp", false, 3, at.now, {}}},
    {{"", "", {*ip_address::parse("192.0.2.1"), 80}}, {"tcp", true, 1, at.now - 1s, 1us}},
};

const std::string text = "tapline-history 1\n"
                         "# network  place  stack  outcome  times in a row  Unix time  handshake "
                         "in microseconds\n"
                         "- example.test:443 tls/tcp succeeded 12 1699999940 34567\n"
                         "wi%20fi%23%25 [2001:db8::1]:80 sctp failed 3 1700000000 0\n"
                         "- 192.0.2.1:80 tcp succeeded 1 1699999999 1\n";

}  // namespace

TEST(history_text, is_read_as_it_was_written) {
  EXPECT_EQ(write_history(entries, at), text);
  const auto read = read_history(text, "f", at);
  EXPECT_TRUE(read.complete.has_value());
  EXPECT_EQ(read.entries, entries);
}

TEST(history_text, times_are_those_of_the_day_and_survive_a_restart) {
  const two_clocks after_boot{time_point{} + 5s, at.wall + 30s};
  const auto read = read_history(text, "f", after_boot);
  ASSERT_EQ(read.entries.size(), 3u);
  EXPECT_EQ(after_boot.now - read.entries[0].what.when, 90s);
}

TEST(history_text, a_clock_that_was_set_back_makes_nothing_younger_than_now) {
  const auto read = read_history(text, "f", {at.now, at.wall - 1h});
  for (const auto& x : read.entries)
    EXPECT_EQ(x.what.when, at.now);
}

TEST(history_text, damaged_lines_are_named_and_skipped) {
  for (const auto* damage :
       {"- example.test tcp failed 1 1 0", "- a:70000 tcp failed 1 1 0", "- a:1 tcp lost 1 1 0",
        "- a:1 tcp failed 0 1 0", "- a:1 tcp failed -1 1 0", "- a:1 tcp failed 1 1",
        "- a:1 tcp failed 1 1 0 0", "- a:1 - failed 1 1 0", "%2 a:1 tcp failed 1 1 0",
        "- a:1 tcp failed 1 99999999999 0", "- a:1 tcp failed 1 1 0x", "x"}) {
    auto broken = text;
    broken.insert(broken.find("wi%20"), std::string{damage} + "\n" + damage + "\n");
    const auto read = read_history(broken, "/tmp/f", at);
    EXPECT_EQ(read.entries, entries) << damage;
    ASSERT_FALSE(read.complete.has_value()) << damage;
    EXPECT_THAT(read.complete.failure().text(), HasSubstr("/tmp/f, line 4: ")) << damage;
    EXPECT_THAT(read.complete.failure().text(), HasSubstr("lines skipped: 2"));
  }
}

TEST(history_text, what_is_no_history_or_too_new_is_not_read) {
  for (const auto* other : {"", "hello\n", "tapline-history 2\n- a:1 tcp failed 1 1 0\n"}) {
    const auto read = read_history(other, "f", at);
    EXPECT_TRUE(read.entries.empty());
    ASSERT_FALSE(read.complete.has_value()) << other;
    EXPECT_EQ(read.complete.failure().text(),
              "f, line 1: a history begins with \"tapline-history 1\"");
  }
}

TEST(history_text, ends_of_lines_may_be_any) {
  auto other = text;
  for (auto i = other.find('\n'); i != std::string::npos; i = other.find('\n', i + 2))
    other.insert(i, "\r");
  other.resize(other.size() - 2);
  EXPECT_EQ(read_history(other, "f", at).entries, entries);
}

TEST(history_text, numbers_of_interfaces_are_not_kept) {
  auto local = entries;
  local[1].where.address = {*ip_address::parse("fe80::1"), 80, 2};
  const auto read = read_history(write_history(local, at), "f", at);
  EXPECT_EQ(read.entries.size(), 2u);
}

TEST(history_text, is_printed_for_people) {
  EXPECT_EQ(to_string(std::span{entries}, at.now),
            "example.test:443 tls/tcp succeeded 12 times, handshake 34.6 ms, 60.00 s ago\n"
            "wi fi#%: [2001:db8::1]:80 sctp failed 3 times, 0.00 ms ago\n"
            "192.0.2.1:80 tcp succeeded, handshake 0.00 ms, 1000.0 ms ago\n");
}
