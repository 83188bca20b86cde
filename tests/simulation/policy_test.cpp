// What system policy forbids and prefers, by the public API in virtual time.

#include "taps/tests/support/simulation/simulation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using verdict = policy_answer::verdict;

namespace {

/// Two kinds of streams; "one" comes first by default.
simulation_options two_streams() {
  simulation_options result;
  result.protocols = {stream_protocol("one"), stream_protocol("two")};
  result.protocols[1].default_order = 1;
  return result;
}

class ruled : public ::testing::Test {
protected:
  ~ruled() override {
    ::unsetenv("TAPLINE_POLICY");
    std::filesystem::remove(path);
  }

  std::string write(std::string_view text) {
    std::ofstream{path} << text;
    return path;
  }

  /// Starts the world with what `options` say by now.
  void begin() {
    sim = std::make_unique<simulation>(options);
    sim->names().add("a.example", {"2001:db8::1", "192.0.2.1"});
    for (const auto* x : {"[2001:db8::1]:80", "192.0.2.1:80"})
      sim->network().accept(x);
    owner = &sim->owner();
  }

  /// Establishes a Connection; returns the protocols and addresses that were tried, or the error.
  std::string race(std::string_view host = "a.example",
                   const transport_properties& wanted = reliable_inorder_stream()) {
    if (!sim)
      begin();
    const auto before = sim->network().attempts().size();
    initiate(sim->to(host, 80, wanted), *owner);
    EXPECT_TRUE(sim->run_until_idle());
    std::string result;
    for (auto i = before; i < sim->network().attempts().size(); ++i) {
      const auto& x = sim->network().attempts()[i];
      result += (result.empty() ? "" : ", ") + x.protocol + " " + to_string(x.remote);
    }
    const auto failed = owner->all<establishment_error>();
    return result.empty() && !failed.empty() ? to_string(failed.back()->reason) : result;
  }

  std::string listening() {
    if (!sim)
      begin();
    listen(sim->at(80), *owner);
    EXPECT_TRUE(sim->run_until_idle());
    const auto failed = owner->all<establishment_error>();
    return failed.empty() ? std::to_string(sim->network().num_listeners()) + " sockets"
                          : to_string(failed.back()->reason);
  }

  const std::string path = ::testing::TempDir() + "policy_test_" +
                           ::testing::UnitTest::GetInstance()->current_test_info()->name();
  simulation_options options = two_streams();
  std::unique_ptr<simulation> sim;
  recorder* owner = nullptr;
};

policy_answer forbid_one(const policy_question& x) {
  if (x.stack.uses("one"))
    return {verdict::forbid, "the boss said no"};
  return {};
}

}  // namespace

// -- the program's hook -----------------------------------------------------------------------

TEST_F(ruled, SEL_15_what_the_hook_forbids_is_not_tried) {
  options.policy = forbid_one;
  EXPECT_EQ(race(), "two [2001:db8::1]:80");
}

TEST_F(ruled, SEL_15_policy_prohibited_says_why) {
  options.protocols.pop_back();
  options.policy = forbid_one;
  EXPECT_EQ(race(),
            "PolicyProhibited: no protocol stack fits: one: forbidden by policy: the boss said no");
  EXPECT_THAT(sim->names().queries(), IsEmpty());
}

TEST_F(ruled, SEL_15_what_fits_neither_way_has_no_candidates) {
  options.policy = forbid_one;
  EXPECT_THAT(race("a.example", transport_properties{}.require(property_id::multistreaming)),
              HasSubstr("NoCandidates"));
}

TEST_F(ruled, what_the_hook_says_may_change) {
  bool strict = false;
  options.policy = [&](const policy_question& x) {
    return strict ? forbid_one(x) : policy_answer{};
  };
  begin();
  const auto pre = sim->to("a.example", 80);
  for (const auto* expected : {"one", "two", "one"}) {
    initiate(pre, *owner);
    sim->run_until_idle();
    EXPECT_EQ(sim->network().attempts().back().protocol, expected);
    strict = !strict;
  }
}

// -- rules ------------------------------------------------------------------------------------

TEST_F(ruled, SEL_15_the_error_names_rule_file_and_line) {
  options.policy_file = write("# no streams here\nforbid any to *.example\n");
  EXPECT_EQ(race(), "PolicyProhibited: no protocol stack fits: one, two: forbidden by policy: "
                    "\"forbid any to *.example\" (" +
                        path + ", line 2)");
  EXPECT_EQ(race("192.0.2.1"), "one 192.0.2.1:80");
}

TEST_F(ruled, rules_about_addresses_meet_what_names_resolve_to) {
  options.policy_file = write("forbid any to 2001:db8::/32\n");
  EXPECT_EQ(race(), "one 192.0.2.1:80");
}

TEST_F(ruled, SEL_15_and_are_named_when_no_address_is_left) {
  options.policy_file = write("forbid any to ::/0\n\nforbid any to 0.0.0.0/0\n");
  EXPECT_THAT(race(), HasSubstr("PolicyProhibited: host a.example, port 80: forbidden by policy: "
                                "\"forbid any to "));
  EXPECT_THAT(race(), HasSubstr(path + ", line "));
}

TEST_F(ruled, preferred_stacks_go_first_but_after_explicit_wishes) {
  options.policy_file = write("prefer two\n");
  EXPECT_EQ(race(), "two [2001:db8::1]:80");
  sim.reset();
  options.protocols[0].features.set(feature::multistreaming, support::on_request);
  EXPECT_EQ(race("a.example", reliable_inorder_stream().prefer(property_id::multistreaming)),
            "one [2001:db8::1]:80");
}

TEST_F(ruled, preferred_stacks_go_before_what_history_likes) {
  begin();
  race();
  ASSERT_TRUE(sim->services().save_history(path + ".history").has_value());
  sim.reset();
  options.policy_file = write("prefer two\n");
  begin();
  ASSERT_TRUE(sim->services().load_history(path + ".history").has_value());
  std::filesystem::remove(path + ".history");
  EXPECT_EQ(race(), "two [2001:db8::1]:80");
}

// -- listening --------------------------------------------------------------------------------

TEST_F(ruled, SEL_15_policy_is_for_listeners_too) {
  options.policy = forbid_one;
  EXPECT_EQ(listening(), "2 sockets");
  sim.reset();
  options.policy_file = write("forbid two\n");
  EXPECT_THAT(listening(), HasSubstr("PolicyProhibited"));
  EXPECT_THAT(listening(), HasSubstr("two: forbidden by policy: \"forbid two\""));
}

// -- where rules come from --------------------------------------------------------------------

TEST_F(ruled, the_environment_and_the_options_add_up) {
  ::setenv("TAPLINE_POLICY", write("forbid one\n").c_str(), 1);
  EXPECT_EQ(race(), "two [2001:db8::1]:80");
  sim.reset();
  options.policy = [](const policy_question& x) {
    return policy_answer{x.stack.uses("one") ? verdict::prefer : verdict::neutral, {}};
  };
  EXPECT_EQ(race(), "two [2001:db8::1]:80");
}

TEST_F(ruled, a_broken_file_fails_everything_and_says_where) {
  options.policy_file = write("forbid one\nforbit two\n");
  const auto expected =
      "InvalidConfiguration: " + path + ", line 2: expected forbid or prefer, not forbit";
  EXPECT_EQ(race(), expected);
  EXPECT_EQ(listening(), expected);
}

TEST_F(ruled, a_missing_file_does_too) {
  ::setenv("TAPLINE_POLICY", "/nowhere/policy", 1);
  EXPECT_THAT(race(), HasSubstr("InvalidConfiguration: open /nowhere/policy"));
}
