// Services found by records of DNS, and what that may cost those who need none, in virtual time.

#include "taps/core/racing/endpoint_resolution.hpp"

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <vector>

using namespace taps;
using namespace std::chrono_literals;
using event = resolution_event;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

constexpr auto v4 = ip_family::v4;
constexpr auto v6 = ip_family::v6;

service_record place(std::uint16_t priority, std::uint16_t weight, std::uint16_t port,
                     std::string target) {
  return {priority, weight, port, std::move(target)};
}

/// A place of an HTTPS record.
service_record mode(std::uint16_t priority, std::string target) {
  return {priority, 0, std::nullopt, std::move(target)};
}

service_record alias_for(std::string target) {
  auto result = mode(0, std::move(target));
  result.alias = true;
  return result;
}

service_record with_hints(service_record x, std::vector<std::string_view> hints) {
  for (const auto hint : hints)
    x.hints.push_back(*ip_address::parse(hint));
  return x;
}

class endpoint_test : public ::testing::Test {
protected:
  void start(name_request what) {
    tested_.emplace(std::move(what), 50ms, 1);
    EXPECT_EQ(tested_->on_start(now_), event::ask);
  }

  void start_srv(bool host_will_do = true) {
    start({"example.test", {{dns_record::srv, "_chat._a.example.test", "a"}}, host_will_do});
  }

  void start_https() { start({"example.test", {{dns_record::https, "example.test"}}}); }

  std::size_t index_of(std::string_view name) {
    const auto names = tested_->names();
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i].hostname() == name)
        return i;
    ADD_FAILURE() << name << " is not asked for";
    return 0;
  }

  event answer(std::string_view name, ip_family family, std::vector<std::string_view> texts) {
    std::vector<ip_address> addresses;
    for (auto x : texts)
      addresses.push_back(*ip_address::parse(x));
    return tested_->on_answer(now_, index_of(name), family, std::move(addresses), false);
  }

  event places(std::vector<service_record> entries, std::size_t question = 0) {
    return tested_->on_services(now_, question, service_records{std::move(entries), 60s});
  }

  event after(duration x) {
    now_ += x;
    return tested_->on_timer(now_);
  }

  /// What is released: `carriers:port addresses`, one text per place.
  std::vector<std::string> found() {
    std::vector<std::string> out;
    for (const auto& x : tested_->places()) {
      std::string text;
      for (const auto& carrier : x.carriers)
        text += carrier;
      text += x.port ? ":" + std::to_string(*x.port) : ":";
      for (const auto& address : x.addresses)
        text += " " + to_string(address);
      out.push_back(text);
    }
    return out;
  }

  std::vector<std::string> asked() {
    std::vector<std::string> out;
    for (const auto& x : tested_->names())
      out.push_back(x.hostname());
    return out;
  }

  time_point now_ = time_point{} + 1h;
  std::optional<endpoint_resolution> tested_;
};

}  // namespace

// -- SRV ------------------------------------------------------------------------------------------

TEST_F(endpoint_test, without_records_the_host_will_do) {
  start_srv();
  EXPECT_EQ(answer("example.test", v6, {"2001:db8::1"}), event::none);
  EXPECT_EQ(tested_->next_deadline(), now_ + 50ms);
  EXPECT_EQ(places({}), event::released);
  EXPECT_THAT(found(), ElementsAre("a: 2001:db8::1"));
  EXPECT_FALSE(tested_->next_deadline());
}

TEST_F(endpoint_test, a_failed_question_does_not_hold_up_the_host) {
  start_srv();
  EXPECT_EQ(tested_->on_services(now_, 0, error{errc::resolution_failed, "refused"}), event::none);
  EXPECT_EQ(answer("example.test", v6, {"2001:db8::1"}), event::released);
}

TEST_F(endpoint_test, an_unanswered_question_costs_the_resolution_delay_once) {
  start_srv();
  now_ += 5ms;
  // IPv4 waits for IPv6, and both for the service: at the same time.
  EXPECT_EQ(answer("example.test", v4, {"192.0.2.1"}), event::none);
  EXPECT_EQ(after(49ms), event::none);
  EXPECT_THAT(found(), IsEmpty());
  EXPECT_EQ(after(1ms), event::released);
  EXPECT_THAT(found(), ElementsAre("a: 192.0.2.1"));
}

TEST_F(endpoint_test, records_replace_the_host) {
  start_srv();
  EXPECT_EQ(answer("example.test", v6, {"2001:db8::1"}), event::none);
  EXPECT_EQ(places({place(1, 0, 5222, "one.test"), place(2, 0, 5223, "two.test")}), event::none);
  EXPECT_THAT(asked(), ElementsAre("example.test", "one.test", "two.test"));
  EXPECT_EQ(answer("two.test", v6, {"2001:db8::22"}), event::none);
  EXPECT_EQ(answer("one.test", v6, {"2001:db8::11"}), event::released);
  EXPECT_THAT(found(), ElementsAre("a:5222 2001:db8::11", "a:5223 2001:db8::22"));
  EXPECT_EQ(answer("one.test", v4, {"192.0.2.11"}), event::added);
  EXPECT_THAT(found(), ElementsAre("a:5222 2001:db8::11 192.0.2.11", "a:5223 2001:db8::22"));
}

TEST_F(endpoint_test, a_slow_first_place_holds_up_the_second_for_the_resolution_delay) {
  start_srv();
  places({place(1, 0, 5222, "one.test"), place(2, 0, 5223, "two.test")});
  EXPECT_EQ(answer("two.test", v6, {"2001:db8::22"}), event::none);
  EXPECT_EQ(after(50ms), event::released);
  EXPECT_THAT(found(), ElementsAre("a:5223 2001:db8::22"));
  EXPECT_EQ(answer("one.test", v6, {"2001:db8::11"}), event::added);
  EXPECT_THAT(found(), ElementsAre("a:5222 2001:db8::11", "a:5223 2001:db8::22"));
}

TEST_F(endpoint_test, a_first_place_that_does_not_exist_holds_up_nothing) {
  start_srv();
  places({place(1, 0, 5222, "one.test"), place(2, 0, 5223, "two.test")});
  answer("one.test", v6, {});
  answer("one.test", v4, {});
  EXPECT_EQ(answer("two.test", v6, {"2001:db8::22"}), event::released);
}

TEST_F(endpoint_test, records_that_come_late_replace_what_was_released) {
  start_srv();
  answer("example.test", v6, {"2001:db8::1"});
  EXPECT_EQ(after(50ms), event::released);
  EXPECT_EQ(places({place(1, 0, 5222, "one.test")}), event::added);
  EXPECT_THAT(found(), IsEmpty());
  EXPECT_TRUE(tested_->more_to_come());
  EXPECT_EQ(answer("one.test", v6, {"2001:db8::11"}), event::added);
  EXPECT_THAT(found(), ElementsAre("a:5222 2001:db8::11"));
}

TEST_F(endpoint_test, a_service_without_a_port_has_only_its_records) {
  start_srv(false);
  EXPECT_THAT(asked(), IsEmpty());
  EXPECT_FALSE(tested_->next_deadline());
  EXPECT_EQ(places({place(1, 0, 5222, "one.test")}), event::none);
  EXPECT_EQ(answer("one.test", v4, {"192.0.2.11"}), event::none);
  EXPECT_EQ(after(50ms), event::released);
  EXPECT_THAT(found(), ElementsAre("a:5222 192.0.2.11"));
}

TEST_F(endpoint_test, EP_05_and_without_these_nothing) {
  start_srv(false);
  EXPECT_EQ(places({}), event::failed);
  EXPECT_EQ(tested_->failure(), errc::resolution_failed);
  EXPECT_EQ(tested_->failure().text(), "_chat._a.example.test: SRV: no record");
}

TEST_F(endpoint_test, a_service_that_is_not_there_is_not_looked_for_at_the_host) {
  start_srv();
  answer("example.test", v6, {"2001:db8::1"});
  answer("example.test", v4, {});
  EXPECT_EQ(places({place(0, 0, 0, "")}), event::failed);
  EXPECT_THAT(tested_->failure().text(), HasSubstr("the service is not there"));
}

TEST_F(endpoint_test, each_carrier_has_places_of_its_own) {
  start({"example.test",
         {{dns_record::srv, "_chat._a.example.test", "a"},
          {dns_record::srv, "_chat._b.example.test", "b"}}});
  answer("example.test", v6, {"2001:db8::1"});
  EXPECT_EQ(places({place(1, 0, 5222, "one.test")}, 0), event::none);
  EXPECT_EQ(places({}, 1), event::none);
  EXPECT_EQ(answer("one.test", v6, {"2001:db8::11"}), event::released);
  EXPECT_THAT(found(), ElementsAre("a:5222 2001:db8::11", "b: 2001:db8::1"));
}

TEST_F(endpoint_test, RAC_11_places_are_capped_and_names_asked_once) {
  start_srv();
  std::vector<service_record> many;
  for (std::uint16_t i = 0; i < 1000; ++i)
    many.push_back(place(1, 1, 1000 + i, "host" + std::to_string(i % 4) + ".test"));
  places(std::move(many));
  EXPECT_LE(asked().size(), 1 + 4u);
  many.clear();
  start_srv();
  for (std::uint16_t i = 0; i < 1000; ++i)
    many.push_back(place(i, 1, 1000, "host" + std::to_string(i) + ".test"));
  places(std::move(many));
  EXPECT_EQ(asked().size(), 1 + endpoint_resolution::max_targets);
}

TEST(service_order, is_by_priority_then_by_chance_and_the_same_for_a_seed) {
  const std::vector<service_record> all{place(2, 5, 1, "last"), place(1, 90, 1, "often"),
                                        place(1, 10, 1, "seldom"), place(1, 0, 1, "hardly")};
  std::map<std::string, int> first;
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    random_source random{seed};
    random_source again{seed};
    const auto order = in_order(all, random);
    EXPECT_EQ(order, in_order(all, again));
    ASSERT_EQ(order.size(), 4u);
    EXPECT_EQ(order.back().target, "last");
    ++first[order.front().target];
  }
  // Of 0 to 100, 0 is for what has no weight.
  EXPECT_NEAR(first["often"], 8911, 300);
  EXPECT_NEAR(first["seldom"], 990, 150);
  EXPECT_NEAR(first["hardly"], 99, 60);
}

TEST(service_order, without_weights_is_any) {
  random_source random{7};
  EXPECT_EQ(in_order({place(1, 0, 1, "a"), place(0, 0, 1, "b")}, random).front().target, "b");
  EXPECT_THAT(in_order({}, random), IsEmpty());
}

// -- HTTPS ----------------------------------------------------------------------------------------

TEST_F(endpoint_test, places_go_before_the_host_which_remains) {
  start_https();
  auto first = mode(1, "one.test");
  first.port = 8443;
  first.alpn = {"h3", "h2"};
  EXPECT_EQ(places({mode(2, "example.test"), first}), event::none);
  EXPECT_THAT(asked(), ElementsAre("example.test", "one.test"));
  answer("example.test", v6, {"2001:db8::1"});
  EXPECT_EQ(answer("one.test", v6, {"2001:db8::11"}), event::released);
  EXPECT_THAT(found(), ElementsAre(":8443 2001:db8::11", ": 2001:db8::1", ": 2001:db8::1"));
  EXPECT_THAT(tested_->places()[0].alpn, ElementsAre("h3", "h2"));
  EXPECT_THAT(tested_->places()[1].alpn, IsEmpty());
}

TEST_F(endpoint_test, an_unanswered_question_about_https_costs_the_resolution_delay) {
  start_https();
  EXPECT_EQ(answer("example.test", v6, {"2001:db8::1"}), event::none);
  EXPECT_EQ(after(50ms), event::released);
  EXPECT_THAT(found(), ElementsAre(": 2001:db8::1"));
  EXPECT_EQ(places({}), event::none);
}

TEST_F(endpoint_test, hints_are_used_until_the_addresses_are_known) {
  start_https();
  EXPECT_EQ(places({with_hints(mode(1, "one.test"), {"192.0.2.9", "2001:db8::9"})}),
            event::released);
  EXPECT_THAT(found(), ElementsAre(": 192.0.2.9 2001:db8::9"));
  EXPECT_EQ(answer("one.test", v6, {"2001:db8::11"}), event::added);
  EXPECT_THAT(found(), ElementsAre(": 2001:db8::11 192.0.2.9"));
  EXPECT_EQ(answer("one.test", v4, {}), event::added);
  EXPECT_THAT(found(), ElementsAre(": 2001:db8::11"));
}

TEST_F(endpoint_test, an_alias_is_asked_in_turn) {
  start_https();
  answer("example.test", v6, {"2001:db8::1"});
  EXPECT_EQ(places({alias_for("pool.test")}), event::none);
  ASSERT_EQ(tested_->num_questions(), 2u);
  EXPECT_EQ(tested_->question(1).name, "pool.test");
  EXPECT_EQ(places({mode(1, "one.test")}, 1), event::none);
  EXPECT_EQ(answer("one.test", v6, {"2001:db8::11"}), event::released);
  answer("pool.test", v6, {"2001:db8::22"});
  EXPECT_THAT(found(), ElementsAre(": 2001:db8::11", ": 2001:db8::22", ": 2001:db8::1"));
}

TEST_F(endpoint_test, aliases_in_a_circle_end) {
  start_https();
  answer("example.test", v6, {"2001:db8::1"});
  std::size_t number = 0;
  for (; number < tested_->num_questions() && number < 100; ++number)
    places({alias_for(number % 2 == 0 ? "pool.test" : "example.test")}, number);
  EXPECT_EQ(number, 1 + endpoint_resolution::max_aliases);
  EXPECT_THAT(asked(), ElementsAre("example.test", "pool.test"));
  answer("pool.test", v6, {});
  answer("pool.test", v4, {});
  EXPECT_TRUE(tested_->usable());
  EXPECT_EQ(found().back(), ": 2001:db8::1");
}

TEST_F(endpoint_test, an_alias_for_nothing_is_advice_only) {
  start_https();
  answer("example.test", v6, {"2001:db8::1"});
  EXPECT_EQ(places({alias_for("")}), event::released);
  EXPECT_THAT(found(), ElementsAre(": 2001:db8::1"));
}

TEST_F(endpoint_test, equal_places_take_turns_by_seed) {
  std::map<std::string, int> first;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    endpoint_resolution x{{"example.test", {{dns_record::https, "example.test"}}}, 50ms, seed};
    (void)x.on_start(now_);
    (void)x.on_services(now_, 0,
                        service_records{{with_hints(mode(1, "a.test"), {"192.0.2.1"}),
                                         with_hints(mode(1, "b.test"), {"192.0.2.2"})},
                                        60s});
    ++first[to_string(x.places().front().addresses.front())];
  }
  // Half of them; running sums favour the one that is not first a little.
  EXPECT_GT(first["192.0.2.1"], 250);
  EXPECT_GT(first["192.0.2.2"], 250);
}
