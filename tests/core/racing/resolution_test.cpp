// When racing may begin although not all names are resolved (RFC 8305, section 3), in virtual time.

#include "taps/core/racing/resolution_set.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include <string>
#include <vector>

using namespace std::chrono_literals;
using event = taps::resolution_event;
using state = taps::resolution_state;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

constexpr auto v4 = taps::ip_family::v4;
constexpr auto v6 = taps::ip_family::v6;

/// `n` different addresses of a family.
std::vector<taps::ip_address> some(taps::ip_family family, int n) {
  std::vector<taps::ip_address> out;
  for (int i = 1; i <= n; ++i) {
    auto bytes = taps::ip_address::loopback(v6).bytes();
    bytes[14] = static_cast<std::uint8_t>(i);
    auto last = static_cast<std::uint8_t>(i);
    out.push_back(family == v6 ? taps::ip_address{bytes}
                               : taps::ip_address{taps::ip_address::v4_bytes{10, 0, 0, last}});
  }
  return out;
}

taps::error not_found() { return {taps::errc::resolution_failed, "no such name"}; }

std::size_t count(const taps::name_resolution& x, taps::ip_family family) {
  auto all = x.addresses();
  auto same = [=](const taps::ip_address& a) { return a.family() == family; };
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), same));
}

class resolution_test : public testing::Test {
protected:
  void SetUp() override { ASSERT_EQ(name_.on_start(now_), event::ask); }

  event answer(taps::ip_family family, int n) {
    return name_.on_answer(now_, family, some(family, n));
  }
  event no_answer(taps::ip_family family) { return name_.on_answer(now_, family, not_found()); }
  event after(taps::duration x) {
    now_ += x;
    return name_.on_timer(now_);
  }

  taps::time_point now_ = taps::time_point{} + 1h;
  taps::name_resolution name_{"example.com"};
};

}  // namespace

TEST_F(resolution_test, RAC_03_v6_first_starts_at_once) {
  EXPECT_EQ(answer(v6, 2), event::released);
  EXPECT_TRUE(name_.more_to_come());
  EXPECT_FALSE(name_.next_deadline());
  EXPECT_EQ(answer(v4, 1), event::added);
  EXPECT_EQ(name_.state(), state::complete);
  EXPECT_EQ(name_.addresses().size(), 3u);
}

TEST_F(resolution_test, RAC_12_v6_known_to_be_dead_waits_for_v4) {
  EXPECT_EQ(name_.on_answer(now_, v6, some(v6, 2), true), event::none);
  EXPECT_EQ(name_.next_deadline(), now_ + 50ms);
  EXPECT_EQ(answer(v4, 1), event::released);
  EXPECT_EQ(name_.addresses().size(), 3u);
}

TEST_F(resolution_test, RAC_12_but_not_for_long) {
  EXPECT_EQ(name_.on_answer(now_, v6, some(v6, 2), true), event::none);
  EXPECT_EQ(after(50ms), event::released);
  EXPECT_EQ(answer(v4, 1), event::added);
}

TEST_F(resolution_test, RAC_03_v4_first_waits_for_v6) {
  EXPECT_EQ(answer(v4, 1), event::none);
  EXPECT_EQ(name_.next_deadline(), now_ + 50ms);
  EXPECT_THAT(name_.addresses(), IsEmpty());
  now_ += 30ms;
  EXPECT_EQ(answer(v6, 1), event::released);
  ASSERT_EQ(name_.addresses().size(), 2u);
  EXPECT_TRUE(name_.addresses().front().is_v6());
  EXPECT_FALSE(name_.more_to_come());
  EXPECT_FALSE(name_.next_deadline());
}

TEST_F(resolution_test, RAC_03_v4_goes_alone_after_the_resolution_delay) {
  answer(v4, 1);
  EXPECT_EQ(after(49ms), event::none);
  EXPECT_EQ(name_.state(), state::delaying);
  EXPECT_EQ(after(1ms), event::released);
  EXPECT_EQ(count(name_, v4), 1u);
  EXPECT_EQ(after(1ms), event::none);
}

TEST_F(resolution_test, RAC_03_a_timer_one_millisecond_late_releases_too) {
  answer(v4, 1);
  EXPECT_EQ(after(51ms), event::released);
}

TEST_F(resolution_test, RAC_04_empty_v6_does_not_delay_v4) {
  EXPECT_EQ(answer(v6, 0), event::none);
  EXPECT_EQ(answer(v4, 1), event::released);
  EXPECT_FALSE(name_.more_to_come());
}

TEST_F(resolution_test, RAC_04_nor_does_failed_v6_in_either_order) {
  EXPECT_EQ(no_answer(v6), event::none);
  EXPECT_EQ(answer(v4, 1), event::released);

  taps::name_resolution other{"example.com"};
  (void)other.on_start(now_);
  EXPECT_EQ(other.on_answer(now_, v4, some(v4, 1)), event::none);
  EXPECT_EQ(other.on_answer(now_ + 1ms, v6, not_found()), event::released);
  EXPECT_FALSE(other.next_deadline());
}

TEST_F(resolution_test, without_v4_there_is_no_delay_either) {
  EXPECT_EQ(answer(v4, 0), event::none);
  EXPECT_FALSE(name_.next_deadline());
  EXPECT_EQ(answer(v6, 1), event::released);
}

TEST_F(resolution_test, EST_04_both_failed_names_both) {
  EXPECT_EQ(no_answer(v4), event::none);
  EXPECT_EQ(answer(v6, 0), event::failed);
  EXPECT_EQ(name_.failure(), taps::errc::resolution_failed);
  EXPECT_EQ(name_.failure().text(), "example.com: AAAA: no address; A: no such name");
}

TEST_F(resolution_test, RAC_15_late_v6_is_an_addition) {
  answer(v4, 1);
  after(50ms);
  now_ += 1s;
  EXPECT_EQ(answer(v6, 1), event::added);
  EXPECT_EQ(name_.addresses().size(), 2u);
}

TEST_F(resolution_test, a_late_empty_answer_tells_that_nothing_more_comes) {
  answer(v6, 1);
  EXPECT_EQ(no_answer(v4), event::exhausted);
  EXPECT_FALSE(name_.more_to_come());
}

TEST_F(resolution_test, each_family_answers_once) {
  answer(v6, 1);
  EXPECT_EQ(answer(v6, 5), event::none);
  EXPECT_EQ(count(name_, v6), 1u);
  EXPECT_EQ(name_.on_start(now_), event::none);
}

TEST_F(resolution_test, RAC_11_addresses_are_capped_without_starving_a_family) {
  EXPECT_EQ(answer(v6, 200), event::released);
  EXPECT_EQ(count(name_, v6), 16u);
  EXPECT_EQ(answer(v4, 200), event::added);
  EXPECT_EQ(count(name_, v6), 16u);
  EXPECT_EQ(count(name_, v4), 16u);
}

TEST_F(resolution_test, RAC_11_a_family_alone_may_use_the_whole_cap) {
  answer(v6, 200);
  EXPECT_EQ(answer(v4, 0), event::added);
  EXPECT_EQ(count(name_, v6), 32u);
}

TEST_F(resolution_test, RAC_11_what_one_family_leaves_the_other_uses) {
  answer(v6, 5);
  answer(v4, 200);
  EXPECT_EQ(count(name_, v6), 5u);
  EXPECT_EQ(count(name_, v4), 27u);
}

// -- several names -------------------------------------------------------------

namespace {

class resolution_set_test : public testing::Test {
protected:
  void SetUp() override {
    names_.add("one.example");
    names_.add("two.example");
    ASSERT_EQ(names_.on_start(now_), event::ask);
  }

  event answer(std::size_t index, taps::ip_family family, int n) {
    return names_.on_answer(now_, index, family, some(family, n));
  }

  taps::time_point now_ = taps::time_point{} + 1h;
  taps::resolution_set names_;
};

}  // namespace

TEST_F(resolution_set_test, the_first_name_releases_the_race) {
  EXPECT_EQ(answer(1, v6, 1), event::released);
  EXPECT_TRUE(names_.more_to_come());
  EXPECT_EQ(answer(0, v6, 1), event::added);
  EXPECT_EQ(answer(0, v4, 0), event::exhausted);
  EXPECT_TRUE(names_.more_to_come());
  EXPECT_EQ(answer(1, v4, 0), event::exhausted);
  EXPECT_FALSE(names_.more_to_come());
}

TEST_F(resolution_set_test, wakes_up_for_the_soonest_name) {
  answer(0, v4, 1);
  now_ += 20ms;
  answer(1, v4, 1);
  EXPECT_EQ(names_.next_deadline(), now_ + 30ms);
  EXPECT_EQ(names_.on_timer(now_ + 30ms), event::released);
  EXPECT_EQ(names_.next_deadline(), now_ + 50ms);
  EXPECT_EQ(names_.on_timer(now_ + 50ms), event::added);
  EXPECT_FALSE(names_.next_deadline());
}

TEST_F(resolution_set_test, one_failed_name_is_no_failure_while_another_is_open) {
  answer(0, v4, 0);
  EXPECT_EQ(answer(0, v6, 0), event::none);
  EXPECT_EQ(answer(1, v6, 1), event::released);
}

TEST_F(resolution_set_test, EST_04_all_failed_names_all) {
  answer(0, v4, 0);
  answer(0, v6, 0);
  answer(1, v4, 0);
  EXPECT_EQ(answer(1, v6, 0), event::failed);
  EXPECT_THAT(names_.failure().text(), HasSubstr("one.example: AAAA"));
  EXPECT_THAT(names_.failure().text(), HasSubstr("two.example: AAAA"));
}

TEST_F(resolution_set_test, a_name_that_fails_last_only_ends_the_waiting) {
  answer(0, v6, 1);
  answer(0, v4, 1);
  answer(1, v4, 0);
  EXPECT_TRUE(names_.more_to_come());
  EXPECT_EQ(answer(1, v6, 0), event::exhausted);
  EXPECT_FALSE(names_.more_to_come());
}

TEST(resolution_names, states_and_events_have_names) {
  for (int i = 0; i < 6; ++i) {
    EXPECT_FALSE(to_string(static_cast<state>(i)).empty());
    EXPECT_FALSE(to_string(static_cast<event>(i)).empty());
  }
}
