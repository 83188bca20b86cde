#include "taps/core/racing/history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace taps;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace {

history_place named(std::string host, std::string network = {}) {
  return {std::move(network), std::move(host), {{}, 80}};
}

struct history_test : ::testing::Test {
  void learn(const history_place& where, std::string_view stack, bool succeeded,
             duration handshake = 0ms) {
    tested.learn(now, {where, stack, succeeded, handshake});
  }

  past_outcome recall(const std::vector<history_place>& places, std::string_view stack) const {
    return tested.recall(now, places, stack);
  }

  std::vector<std::string> hosts() const {
    std::vector<std::string> result;
    for (const auto& x : tested.entries(now))
      result.push_back(x.where.host);
    return result;
  }

  time_point now = time_point{} + 1h;
  outcome_history tested{{.success_lifetime = 60min,
                          .failure_lifetime = 10min,
                          .hopeless_after = 3,
                          .max_entries = 3}};
  const history_place here = named("a");
};

}  // namespace

TEST_F(history_test, knows_nothing_at_first) {
  EXPECT_EQ(recall({here}, "x"), past_outcome::nothing);
  EXPECT_EQ(recall({}, "x"), past_outcome::nothing);
  EXPECT_EQ(tested.experience_of(now, here), address_experience{});
}

TEST_F(history_test, the_last_outcome_counts) {
  learn(here, "x", false);
  EXPECT_EQ(recall({here}, "x"), past_outcome::failed);
  learn(here, "x", true);
  EXPECT_EQ(recall({here}, "x"), past_outcome::succeeded);
  learn(here, "x", false);
  EXPECT_EQ(recall({here}, "x"), past_outcome::failed);
}

TEST_F(history_test, stacks_endpoints_ports_and_networks_are_told_apart) {
  learn(here, "x", true);
  EXPECT_EQ(recall({here}, "y"), past_outcome::nothing);
  EXPECT_EQ(recall({named("b")}, "x"), past_outcome::nothing);
  EXPECT_EQ(recall({named("a", "wifi")}, "x"), past_outcome::nothing);
  EXPECT_EQ(recall({{"", "a", {{}, 81}}}, "x"), past_outcome::nothing);
}

TEST_F(history_test, successes_expire_after_hours_failures_after_minutes) {
  learn(here, "x", true);
  learn(here, "y", false);
  now += 10min - 1ns;
  EXPECT_EQ(recall({here}, "y"), past_outcome::failed);
  now += 1ns;
  EXPECT_EQ(recall({here}, "y"), past_outcome::nothing);
  EXPECT_EQ(recall({here}, "x"), past_outcome::succeeded);
  now += 50min;
  EXPECT_EQ(recall({here}, "x"), past_outcome::nothing);
  EXPECT_THAT(tested.entries(now), IsEmpty());
}

TEST_F(history_test, hopeless_is_what_fails_in_a_row_where_another_one_works) {
  learn(here, "y", true);
  learn(here, "x", false);
  learn(here, "x", false);
  EXPECT_EQ(recall({here}, "x"), past_outcome::failed);
  learn(here, "x", false);
  EXPECT_EQ(recall({here}, "x"), past_outcome::hopeless);
  // Where nothing works the peer is down, whatever the stack.
  learn(here, "y", false);
  EXPECT_EQ(recall({here}, "x"), past_outcome::failed);
}

TEST_F(history_test, a_success_and_expiry_end_a_row) {
  learn(here, "y", true);
  for (auto succeeded : {false, false, true, false})
    learn(here, "x", succeeded);
  EXPECT_EQ(recall({here}, "x"), past_outcome::failed);
  learn(here, "x", false);
  now += 10min;
  learn(here, "x", false);
  EXPECT_EQ(recall({here}, "x"), past_outcome::failed);
}

TEST_F(history_test, the_best_of_several_endpoints_counts) {
  learn(here, "x", false);
  EXPECT_EQ(recall({here, named("b")}, "x"), past_outcome::nothing);
  learn(named("b"), "x", true);
  EXPECT_EQ(recall({here, named("b")}, "x"), past_outcome::succeeded);
  EXPECT_EQ(recall({named("b"), here}, "x"), past_outcome::succeeded);
}

TEST_F(history_test, the_oldest_places_go_first) {
  for (const auto* host : {"a", "b", "c"})
    learn(named(host), "x", true);
  learn(named("a"), "x", true);
  learn(named("d"), "x", true);
  EXPECT_THAT(hosts(), ElementsAre("c", "a", "d"));
}

TEST_F(history_test, an_address_is_dead_when_all_that_was_tried_failed_there) {
  learn(here, "x", false);
  EXPECT_TRUE(tested.experience_of(now, here).dead);
  learn(here, "y", true, 20ms);
  EXPECT_EQ(tested.experience_of(now, here), (address_experience{false, 20ms}));
  learn(here, "x", true, 10ms);
  EXPECT_EQ(tested.experience_of(now, here).handshake, 10ms);
}

TEST_F(history_test, places_of_endpoints) {
  const auto text = [](const remote_endpoint& x) { return to_string(place_of("", x)); };
  EXPECT_EQ(text(remote_endpoint{}.with_hostname("Example.COM").with_port(80)), "example.com:80");
  EXPECT_EQ(text(remote_endpoint{}.with_ip_address("2001:db8::1").with_port(80)),
            "[2001:db8::1]:80");
  EXPECT_EQ(text(remote_endpoint{}.with_ip_address("fe80::1%eth0").with_port(80)),
            "fe80::1%eth0:80");
  EXPECT_EQ(text(remote_endpoint{}.with_hostname("a").with_service("http")), "a/http:0");
  EXPECT_EQ(place_of("wifi", remote_endpoint{}).network, "wifi");
}
