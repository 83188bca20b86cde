// The machine as its shell drives it: names, attempts and the clock are played
// by the test.

#include "taps/core/establishment/establishment.hpp"

#include "taps/tests/core/candidate/protocols.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using kind = establishment_action::kind_type;

namespace {

/// What a resolver knows at once. Names are answered by the test.
struct fixed_resolver final : resolver {
  std::unique_ptr<resolver_query> resolve(std::string_view, ip_family, callback) override {
    return nullptr;
  }
  std::unique_ptr<resolver_query> find_service(std::string_view, dns_record,
                                               service_callback) override {
    return nullptr;
  }
  result<std::uint16_t> port_of(std::string_view service, std::string_view) const override {
    if (service == "known")
      return std::uint16_t{7};
    return error{errc::resolution_failed, "no such service"};
  }
  std::optional<ip_address> source_for(const ip_address&) const override { return std::nullopt; }
};

remote_endpoint host(std::string_view name) {
  return remote_endpoint{}.with_hostname(name).with_port(80);
}

struct establishment_test : ::testing::Test {
  /// Starts and returns the actions as text.
  std::string start(establishment_request what) {
    what.properties = std::make_shared<transport_properties>();
    what.security = security_mode::disabled;
    tested.emplace(std::move(what), stacks, names, now);
    return told(tested->on_start(now));
  }

  std::string start(std::vector<remote_endpoint> remotes,
                    std::optional<duration> timeout = std::nullopt) {
    establishment_request what;
    what.remotes = std::move(remotes);
    what.timeout = timeout;
    return start(std::move(what));
  }

  std::string answer(std::size_t name, ip_family family, std::vector<std::string_view> texts) {
    std::vector<ip_address> addresses;
    for (auto x : texts)
      addresses.push_back(*ip_address::parse(x));
    return told(tested->on_answer(now, name, family, std::move(addresses)));
  }

  std::string no_answer(std::size_t name, ip_family family) {
    return told(tested->on_answer(now, name, family, error{errc::resolution_failed, "NXDOMAIN"}));
  }

  std::string fail(const char* why = "refused") {
    return told(tested->on_failed(now, started.back(), {errc::protocol_failed, why}));
  }

  /// Lets time pass up to the next deadline.
  std::string wait() {
    const auto next = tested->next_deadline();
    if (!next)
      return "no deadline";
    now = *next;
    return told(tested->on_timer(now));
  }

  std::string told(const establishment_actions& actions) {
    std::string result;
    for (const auto& x : actions) {
      std::string what;
      switch (x.kind) {
      case kind::ask:
        what = "ask " + tested->hostname(x.name) + " " + std::string{to_string(x.record)};
        break;
      case kind::start_attempt:
        started.push_back(x.leaf);
        what = "start " + to_string(tested->candidate_of(x.leaf).remote);
        break;
      case kind::cancel_attempt:
        what = "cancel " + to_string(tested->candidate_of(x.leaf).remote);
        break;
      case kind::succeeded:
        what = "won " + to_string(tested->candidate_of(x.leaf).remote);
        break;
      case kind::failed:
        reason = x.reason;
        what = "failed " + std::string{to_string(x.reason.reason())};
      }
      result += result.empty() ? what : ", " + what;
    }
    return result;
  }

  const std::vector<protocol_stack> stacks = compose_stacks({&tcp()});
  fixed_resolver names;
  time_point now = time_point{} + 1h;
  std::optional<establishment_machine> tested;
  std::vector<leaf_id> started;
  error reason;
};

}  // namespace

// -- addresses and names --------------------------------------------------------------------------

TEST_F(establishment_test, an_address_is_tried_at_once) {
  EXPECT_EQ(start({host("192.0.2.1")}), "start 192.0.2.1:80");
  EXPECT_EQ(told(tested->on_ready(now, started[0])), "won 192.0.2.1:80");
  EXPECT_TRUE(tested->over());
  EXPECT_FALSE(tested->next_deadline());
}

TEST_F(establishment_test, both_families_are_asked_at_once) {
  EXPECT_EQ(start({host("a.example")}), "ask a.example AAAA, ask a.example A");
  EXPECT_EQ(answer(0, ip_family::v6, {"2001:db8::1"}), "start [2001:db8::1]:80");
  // Late, and added to the running race.
  EXPECT_EQ(answer(0, ip_family::v4, {"192.0.2.1"}), "");
  EXPECT_EQ(wait(), "start 192.0.2.1:80");
}

TEST_F(establishment_test, ipv4_waits_a_moment_for_ipv6) {
  start({host("a.example")});
  EXPECT_EQ(answer(0, ip_family::v4, {"192.0.2.1"}), "");
  EXPECT_EQ(wait(), "start 192.0.2.1:80");
  EXPECT_EQ(now, time_point{} + 1h + 50ms);
  EXPECT_EQ(answer(0, ip_family::v6, {"2001:db8::1"}), "");
  EXPECT_EQ(fail(), "start [2001:db8::1]:80");
}

TEST_F(establishment_test, an_address_does_not_wait_for_names) {
  EXPECT_EQ(start({host("slow.example"), host("192.0.2.1")}),
            "ask slow.example AAAA, ask slow.example A, start 192.0.2.1:80");
  EXPECT_EQ(fail(), "");
  EXPECT_FALSE(tested->over());
  EXPECT_EQ(answer(0, ip_family::v6, {"2001:db8::1"}), "start [2001:db8::1]:80");
  EXPECT_EQ(told(tested->on_ready(now, started.back())), "won [2001:db8::1]:80");
}

TEST_F(establishment_test, the_last_name_may_rescue_all) {
  start({host("a.example"), host("b.example")});
  EXPECT_EQ(no_answer(0, ip_family::v6), "");
  EXPECT_EQ(no_answer(0, ip_family::v4), "");
  EXPECT_EQ(no_answer(1, ip_family::v6), "");
  EXPECT_EQ(answer(1, ip_family::v4, {"192.0.2.1"}), "start 192.0.2.1:80");
}

TEST_F(establishment_test, names_without_addresses_fail_it_and_are_named) {
  start({host("a.example"), host("b.example")});
  no_answer(0, ip_family::v6);
  no_answer(0, ip_family::v4);
  answer(1, ip_family::v6, {});
  EXPECT_EQ(no_answer(1, ip_family::v4), "failed ResolutionFailed");
  EXPECT_THAT(reason.text(), HasSubstr("a.example"));
  EXPECT_THAT(reason.text(), HasSubstr("b.example"));
  EXPECT_THAT(reason.text(), HasSubstr("NXDOMAIN"));
}

TEST_F(establishment_test, answers_that_come_twice_or_too_late_are_ignored) {
  start({host("a.example")});
  answer(0, ip_family::v6, {"2001:db8::1"});
  EXPECT_EQ(answer(0, ip_family::v6, {"2001:db8::2"}), "");
  EXPECT_EQ(told(tested->on_ready(now, started[0])), "won [2001:db8::1]:80");
  EXPECT_EQ(answer(0, ip_family::v4, {"192.0.2.1"}), "");
  EXPECT_EQ(told(tested->on_ready(now, started[0])), "");
  EXPECT_EQ(fail(), "");
  EXPECT_EQ(told(tested->on_timer(now + 1h)), "");
}

// -- local endpoints ------------------------------------------------------------------------------

TEST_F(establishment_test, nothing_starts_unbound_while_a_local_name_is_unknown) {
  establishment_request what;
  what.remotes = {host("192.0.2.1")};
  what.locals = {local_endpoint{}.with_hostname("here.example")};
  EXPECT_EQ(start(std::move(what)), "ask here.example AAAA, ask here.example A");
  no_answer(0, ip_family::v6);
  EXPECT_EQ(answer(0, ip_family::v4, {"192.0.2.9"}), "start 192.0.2.1:80");
  ASSERT_TRUE(tested->candidate_of(started[0]).local);
  EXPECT_EQ(to_string(tested->candidate_of(started[0]).local->address), "192.0.2.9");
}

TEST_F(establishment_test, a_local_name_without_addresses_is_no_leave_to_bind_anything) {
  establishment_request what;
  what.remotes = {host("a.example")};
  what.locals = {local_endpoint{}.with_hostname("here.example")};
  start(std::move(what));
  EXPECT_EQ(answer(0, ip_family::v6, {"2001:db8::1"}), "");
  EXPECT_EQ(answer(0, ip_family::v4, {"192.0.2.1"}), "");
  EXPECT_EQ(no_answer(1, ip_family::v6), "");
  EXPECT_EQ(no_answer(1, ip_family::v4), "failed ResolutionFailed");
  EXPECT_THAT(reason.text(), HasSubstr("Local Endpoint"));
}

// -- what cannot be done --------------------------------------------------------------------------

TEST_F(establishment_test, what_contradicts_fails_at_once) {
  EXPECT_EQ(start({remote_endpoint{}.with_hostname("a.example")}), "failed InvalidConfiguration");
  EXPECT_EQ(start(std::vector<remote_endpoint>{}), "failed InvalidConfiguration");
  EXPECT_EQ(start({host("192.0.2.1").with_interface("nosuch0")}), "failed InvalidConfiguration");
  EXPECT_THAT(reason.text(), HasSubstr("nosuch0"));
  EXPECT_TRUE(tested->over());
  EXPECT_FALSE(tested->next_deadline());
  EXPECT_EQ(told(tested->on_timer(now)), "");
}

TEST_F(establishment_test, services_have_ports_or_fail) {
  EXPECT_EQ(start({remote_endpoint{}.with_hostname("192.0.2.1").with_service("known")}),
            "start 192.0.2.1:7");
  EXPECT_EQ(start({remote_endpoint{}.with_hostname("192.0.2.1").with_service("unknown")}),
            "failed ResolutionFailed");
}

// -- the race -------------------------------------------------------------------------------------

TEST_F(establishment_test, a_failure_starts_the_next_at_once_and_the_last_one_tells_all) {
  EXPECT_EQ(start({host("192.0.2.1"), host("192.0.2.2")}), "start 192.0.2.1:80");
  EXPECT_EQ(fail("first reason"), "start 192.0.2.2:80");
  EXPECT_EQ(fail("second reason"), "failed EstablishmentFailed");
  EXPECT_THAT(reason.text(), HasSubstr("first reason"));
  EXPECT_THAT(reason.text(), HasSubstr("second reason"));
}

TEST_F(establishment_test, losers_are_cancelled_before_the_winner_is_told) {
  start({host("192.0.2.1"), host("192.0.2.2")});
  EXPECT_EQ(wait(), "start 192.0.2.2:80");
  EXPECT_EQ(told(tested->on_ready(now, started[0])), "cancel 192.0.2.2:80, won 192.0.2.1:80");
}

TEST_F(establishment_test, the_timeout_ends_attempts) {
  EXPECT_EQ(start({host("192.0.2.1")}, 2s), "start 192.0.2.1:80");
  EXPECT_EQ(wait(), "cancel 192.0.2.1:80, failed EstablishmentFailed");
  EXPECT_EQ(now, time_point{} + 1h + 2s);
}

TEST_F(establishment_test, the_timeout_ends_resolution) {
  start({host("a.example")}, 2s);
  EXPECT_EQ(wait(), "failed EstablishmentFailed");
  EXPECT_THAT(reason.text(), HasSubstr("resolving"));
}

TEST_F(establishment_test, the_report_knows_how_far_each_came) {
  start({host("192.0.2.1"), host("192.0.2.2"), host("192.0.2.3")});
  tested->on_stage(now + 1ms, started[0], attempt_stage::securing);
  fail();
  told(tested->on_ready(now, started.back()));
  const auto report = tested->report(now);
  ASSERT_EQ(report.candidates.size(), 3u);
  EXPECT_EQ(report.candidates[0].fate, candidate_fate::failed);
  EXPECT_EQ(report.candidates[0].stage(), attempt_stage::securing);
  EXPECT_EQ(report.candidates[1].fate, candidate_fate::won);
  EXPECT_EQ(report.candidates[2].fate, candidate_fate::not_tried);
}
