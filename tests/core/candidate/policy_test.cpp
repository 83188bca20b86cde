#include "taps/core/candidate/policy.hpp"

#include "taps/tests/core/candidate/protocols.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace taps;
using namespace taps::testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using verdict = policy_answer::verdict;

namespace {

remote_endpoint host(std::string_view name) {
  return remote_endpoint{}.with_hostname(name).with_port(80);
}

struct policy_test : ::testing::Test {
  static std::vector<policy_rule> rules(std::string_view text) {
    auto read = parse_policy(text, "f");
    if (read)
      return *read;
    ADD_FAILURE() << to_string(read.failure());
    return {};
  }

  /// What a policy says of a stack for something concrete.
  static verdict ask(std::string_view text, const policy_question& x) {
    return system_policy{rules(text), nullptr}.ask(x).what;
  }

  policy_question to(std::string_view name, std::string_view address = "192.0.2.1",
                     std::string_view interface = {}) const {
    return {secured, establishment::initiate, name, *ip_address::parse(address), interface};
  }

  /// What a policy says of each stack beforehand: + for preferred, - for forbidden.
  std::string beforehand(std::string_view text, const std::vector<remote_endpoint>& remotes,
                         const std::vector<local_endpoint>& locals = {},
                         establishment how = establishment::initiate) const {
    std::string result;
    for (const auto& x : system_policy{rules(text), nullptr}.ask(stacks, how, locals, remotes))
      result += x.what == verdict::forbid ? '-' : x.what == verdict::prefer ? '+' : '.';
    return result;
  }

  const protocol_stack secured = add_layer(make_stack(tcp()), tls());
  /// In this order: tcp, tls/tcp, udp.
  const std::vector<protocol_stack> stacks{make_stack(tcp()), secured, make_stack(udp())};
};

}  // namespace

// -- rules ------------------------------------------------------------------------------------

TEST_F(policy_test, a_rule_is_about_a_stack_or_a_part_of_stacks) {
  EXPECT_EQ(ask("forbid tcp", to("a")), verdict::forbid);
  EXPECT_EQ(ask("forbid TLS", to("a")), verdict::forbid);
  EXPECT_EQ(ask("forbid tls/tcp", to("a")), verdict::forbid);
  EXPECT_EQ(ask("forbid any", to("a")), verdict::forbid);
  EXPECT_EQ(ask("forbid udp", to("a")), verdict::neutral);
  EXPECT_EQ(ask("prefer tls", to("a")), verdict::prefer);
}

TEST_F(policy_test, hosts_suffixes_addresses_and_prefixes) {
  EXPECT_EQ(ask("forbid tcp to a.example", to("A.Example.")), verdict::forbid);
  EXPECT_EQ(ask("forbid tcp to a.example", to("b.a.example")), verdict::neutral);
  EXPECT_EQ(ask("forbid tcp to *.example", to("b.a.EXAMPLE")), verdict::forbid);
  EXPECT_EQ(ask("forbid tcp to *.example", to("example")), verdict::neutral);
  EXPECT_EQ(ask("forbid tcp to *.example", to("badexample")), verdict::neutral);
  EXPECT_EQ(ask("forbid tcp to 192.0.2.0/24", to("a")), verdict::forbid);
  EXPECT_EQ(ask("forbid tcp to 192.0.2.0/31", to("a")), verdict::forbid);
  EXPECT_EQ(ask("forbid tcp to 192.0.2.0/32", to("a")), verdict::neutral);
  EXPECT_EQ(ask("forbid tcp to 192.0.2.1", to("a")), verdict::forbid);
  EXPECT_EQ(ask("forbid tcp to 0.0.0.0/0", to("a", "2001:db8::1")), verdict::neutral);
  EXPECT_EQ(ask("forbid tcp to 2001:db8::/32", to("a", "2001:db8::1")), verdict::forbid);
  EXPECT_EQ(ask("forbid tcp to 192.0.2.0/24", to("a", "::ffff:192.0.2.1")), verdict::forbid);
  EXPECT_EQ(ask("forbid tcp to 192.0.2.1", {secured}), verdict::neutral);
}

TEST_F(policy_test, interfaces) {
  EXPECT_EQ(ask("forbid tcp on eth0", to("a", "192.0.2.1", "eth0")), verdict::forbid);
  EXPECT_EQ(ask("forbid tcp on eth0", to("a", "192.0.2.1", "eth1")), verdict::neutral);
  EXPECT_EQ(ask("forbid tcp on eth0", to("a")), verdict::neutral);
  EXPECT_EQ(ask("forbid tcp to b on eth0", to("a", "192.0.2.1", "eth0")), verdict::neutral);
}

TEST_F(policy_test, what_is_forbidden_stays_so) {
  EXPECT_EQ(ask("prefer tcp\nforbid tls\nprefer tls", to("a")), verdict::forbid);
  const policy_hook likes_all = [](const auto&) { return policy_answer{verdict::prefer, {}}; };
  EXPECT_EQ((system_policy{rules("forbid tcp"), likes_all}.ask(to("a"))),
            (policy_answer{verdict::forbid, "\"forbid tcp\" (f, line 1)"}));
  const policy_hook likes_none = [](const auto&) { return policy_answer{verdict::forbid, {}}; };
  EXPECT_EQ((system_policy{rules("prefer tcp"), likes_none}.ask(to("a"))),
            (policy_answer{verdict::forbid, "the program's policy"}));
}

// -- beforehand -------------------------------------------------------------------------------

TEST_F(policy_test, a_stack_is_forbidden_if_it_is_for_every_endpoint) {
  const auto text = "forbid tcp to *.bad\nprefer udp to *.good";
  EXPECT_EQ(beforehand(text, {host("a.bad")}), "--.");
  EXPECT_EQ(beforehand(text, {host("a.bad"), host("b.bad")}), "--.");
  EXPECT_EQ(beforehand(text, {host("a.bad"), host("a.good")}), "..+");
  EXPECT_EQ(beforehand(text, {host("a.good"), host("a.bad")}), "..+");
}

TEST_F(policy_test, addresses_of_names_are_not_known_beforehand) {
  EXPECT_EQ(beforehand("forbid tcp to 192.0.2.0/24", {host("a")}), "...");
  EXPECT_EQ(beforehand("forbid tcp to 192.0.2.0/24", {host("192.0.2.1")}), "--.");
}

TEST_F(policy_test, interfaces_are_known_if_there_is_one) {
  const local_endpoint eth0 = local_endpoint{}.with_interface("eth0");
  EXPECT_EQ(beforehand("forbid tcp on eth0", {host("a")}, {eth0}), "--.");
  EXPECT_EQ(beforehand("forbid tcp on eth0", {host("a")}, {eth0, local_endpoint{}}), "...");
}

TEST_F(policy_test, listeners_do_not_know_who_comes) {
  EXPECT_EQ(beforehand("forbid tcp to a\nprefer udp", {host("a")}, {}, establishment::listen),
            "..+");
  EXPECT_EQ(beforehand("forbid tcp", {}, {}, establishment::listen), "--.");
}

// -- files ------------------------------------------------------------------------------------

TEST_F(policy_test, a_file_has_comments_blank_lines_and_any_ends) {
  const auto read = rules("# all\n\n  forbid\ttcp # why\r\nprefer udp on eth0 to a.b\r\n");
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].text, "\"forbid tcp\" (f, line 3)");
  EXPECT_EQ(read[1].text, "\"prefer udp on eth0 to a.b\" (f, line 4)");
  EXPECT_THAT(rules(""), IsEmpty());
  EXPECT_EQ(rules("forbid tcp").size(), 1u);
}

TEST_F(policy_test, errors_name_file_line_and_cause) {
  for (const auto& [line, cause] : std::vector<std::pair<std::string, std::string>>{
           {"allow tcp", "expected forbid or prefer, not allow"},
           {"forbid", "which protocol?"},
           {"prefer any", "to prefer any protocol means nothing"},
           {"forbid tcp at a", "expected on or to, not at"},
           {"forbid tcp on", "on which interface?"},
           {"forbid tcp to", "to where?"},
           {"forbid tcp to a to b", "more than one to"},
           {"forbid tcp to a to 10.0.0.0/8", "more than one to"},
           {"forbid tcp on a on b", "more than one on"},
           {"forbid tcp to 10.0.0.0/33", "no such prefix length: 33"},
           {"forbid tcp to 10.0.0.0/", "no such prefix length: "},
           {"forbid tcp to 10.0.0.0/-1", "no such prefix length: -1"},
           {"forbid tcp to ::/129", "no such prefix length: 129"},
           {"forbid tcp to 10.1.0.0/8", "the address has bits beyond its prefix of 8"},
           {"forbid tcp to *.", "neither a host nor an address nor a prefix: *."},
           {"forbid tcp to *", "neither a host nor an address nor a prefix: *"},
           {"forbid tcp to a*b", "neither a host nor an address nor a prefix: a*b"},
           {"forbid tcp to 10.0.0/8", "neither a host nor an address nor a prefix: 10.0.0/8"},
       }) {
    const auto read = parse_policy("# one\nforbid udp\n" + line + "\nforbid udp\n", "/etc/x");
    ASSERT_FALSE(read.has_value()) << line;
    EXPECT_EQ(read.failure(), (error{errc::invalid_configuration, "/etc/x, line 3: " + cause}));
  }
}
