#include "taps/net/resolver/dns_resolver.hpp"
#include "taps/tests/net/resolver/dns_server.hpp"
#include "taps/tests/net/resolver/resolver_fixture.hpp"
#include "taps/tests/support/scripted_kernel/scripted_kernel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>

namespace taps::testing {

namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr auto v4 = ip_family::v4;
constexpr auto v6 = ip_family::v6;

ip_address ip(std::string_view text) { return *ip_address::parse(text); }

class dns_resolver : public resolver_fixture {
protected:
  dns_resolver() {
    server.zone[{"both.test", v4}] = {{ip("192.0.2.1"), ip("192.0.2.2")}, 60, 0, "", 0};
    server.zone[{"both.test", v6}] = {{ip("2001:db8::1")}, 30, 0, "", 0};
    server.zone[{"four.test", v4}] = {{ip("192.0.2.4")}, 60, 0, "", 0};
    server.zone[{"four.test", v6}] = {};
  }

  dns_options options() {
    dns_options result;
    result.servers = {server.address()};
    result.hosts_file = hosts_path;
    return result;
  }

  void write_hosts(std::string_view text) { std::ofstream{hosts_path} << text; }

  ~dns_resolver() override { std::remove(hosts_path.c_str()); }

  dns_server server{loop};
  const std::string hosts_path = ::testing::TempDir() + "hosts_" +
                                 ::testing::UnitTest::GetInstance()->current_test_info()->name() +
                                 std::to_string(getpid());
};

// -- answers -------------------------------------------------------------------------

TEST_F(dns_resolver, answers_each_family_by_itself) {
  const auto names = make(options());
  const auto six = ask(*names, "both.test", v6);
  const auto four = ask(*names, "both.test", v4);
  ASSERT_TRUE(run_until([&] { return six->done() && four->done(); }));
  EXPECT_EQ(six->text(), "2001:db8::1");
  EXPECT_EQ(four->text(), "192.0.2.1 192.0.2.2");
  EXPECT_EQ((**six->outcome).entries[0].ttl, 30s);
  EXPECT_EQ((**four->outcome).entries[1].ttl, 60s);
  const std::vector<dns_server::question> in_order{{"both.test", v6}, {"both.test", v4}};
  EXPECT_EQ(server.asked(), in_order);
}

TEST_F(dns_resolver, asks_a_server_over_either_family) {
  dns_server other{loop, v6};
  other.zone = server.zone;
  auto wanted = options();
  wanted.servers = {other.address()};
  EXPECT_EQ(answer(*make(wanted), "four.test", v4), "192.0.2.4");
  EXPECT_EQ(other.asked().size(), 1u);
}

TEST_F(dns_resolver, takes_the_shortest_life_along_an_alias) {
  server.zone[{"alias.test", v4}] = {{ip("192.0.2.9")}, 100, 0, "real.test", 7};
  const auto names = make(options());
  const auto x = ask(*names, "alias.test", v4);
  ASSERT_TRUE(run_until([&] { return x->done(); }));
  EXPECT_EQ(x->text(), "192.0.2.9");
  EXPECT_EQ((**x->outcome).entries[0].ttl, 7s);
}

TEST_F(dns_resolver, gives_an_empty_answer_for_a_name_without_that_family) {
  EXPECT_EQ(answer(*make(options()), "four.test", v6), "");
}

TEST_F(dns_resolver, EST_04_PRE_10_a_name_that_does_not_exist_is_resolution_failed) {
  const auto text = answer(*make(options()), "nowhere.test", v4);
  EXPECT_THAT(text, HasSubstr("ResolutionFailed"));
  EXPECT_THAT(text, HasSubstr("\"nowhere.test\""));
  EXPECT_THAT(text, HasSubstr("Domain name not found"));
}

TEST_F(dns_resolver, PRE_10_text_that_is_no_name_is_resolution_failed) {
  const auto names = make(options());
  using namespace std::string_view_literals;
  for (const auto text : {""sv, "both.test\0.evil.test"sv, "a..b"sv}) {
    EXPECT_THAT(answer(*names, text, v4), HasSubstr("ResolutionFailed"));
  }
  EXPECT_THAT(answer(*names, std::string(300, 'x'), v4), HasSubstr("ResolutionFailed"));
  EXPECT_THAT(answer(*names, std::string(70, 'x') + ".test", v4), HasSubstr("ResolutionFailed"));
  EXPECT_TRUE(server.asked().empty());
}

TEST_F(dns_resolver, EST_04_a_failing_server_is_resolution_failed) {
  for (const int code : {2, 5}) {
    server.zone[{"broken.test", v4}].code = code;
    const auto text = answer(*make(options()), "broken.test", v4);
    EXPECT_THAT(text, HasSubstr("ResolutionFailed: cannot resolve \"broken.test\": no DNS server"));
  }
}

TEST_F(dns_resolver, EST_04_a_server_that_keeps_silent_is_resolution_failed) {
  auto wanted = options();
  wanted.timeout = 10ms;
  wanted.tries = 2;
  server.hold = true;
  const auto text = answer(*make(wanted), "both.test", v4);
  EXPECT_THAT(text, HasSubstr("ResolutionFailed"));
  EXPECT_THAT(text, HasSubstr("Timeout"));
  EXPECT_EQ(server.asked().size(), 2u);
}

TEST_F(dns_resolver, tries_again_when_an_answer_is_lost) {
  auto wanted = options();
  wanted.timeout = 10ms;
  // Many, for a busy machine may let some pass.
  wanted.tries = 8;
  server.hold = true;
  const auto names = make(wanted);
  const auto x = ask(*names, "both.test", v4);
  ASSERT_TRUE(run_until([&] { return server.asked().size() == 1; }));
  server.hold = false;
  ASSERT_TRUE(run_until([&] { return x->done(); }));
  EXPECT_EQ(x->text(), "192.0.2.1 192.0.2.2");
}

TEST_F(dns_resolver, goes_on_to_the_next_server) {
  auto wanted = options();
  // Nobody listens there any more.
  auto gone = std::make_unique<dns_server>(loop);
  wanted.servers.insert(wanted.servers.begin(), gone->address());
  gone.reset();
  EXPECT_EQ(answer(*make(wanted), "four.test", v4), "192.0.2.4");
}

TEST_F(dns_resolver, refuses_servers_that_are_none) {
  auto wanted = options();
  wanted.servers = {"not an address"};
  const auto made = make_dns_resolver(loop, wanted);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.failure().reason(), errc::invalid_configuration);
  EXPECT_THAT(made.failure().text(), HasSubstr("not an address"));
}

// -- names that need no server ---------------------------------------------------------

TEST_F(dns_resolver, knows_localhost_without_any_file) {
  const auto names = make(options());
  for (const auto* name : {"localhost", "LocalHost", "localhost.", "printer.localhost"}) {
    EXPECT_EQ(answer(*names, name, v4), "127.0.0.1") << name;
    EXPECT_EQ(answer(*names, name, v6), "::1") << name;
  }
  EXPECT_TRUE(server.asked().empty());
  EXPECT_THAT(answer(*names, "notlocalhost", v4), HasSubstr("ResolutionFailed"));
}

TEST_F(dns_resolver, knows_the_hosts_file_and_its_changes) {
  write_hosts("# comment\n192.0.2.80 web.test\tWWW.test # both.test\n2001:db8::80 web.test\n"
              "nonsense oops.test\nfe80::1%lo zone.test\n192.0.2.81 web.test");
  const auto names = make(options());
  EXPECT_EQ(answer(*names, "web.test", v4), "192.0.2.80 192.0.2.81");
  EXPECT_EQ(answer(*names, "WEB.TEST.", v6), "2001:db8::80");
  EXPECT_EQ(answer(*names, "www.test", v4), "192.0.2.80");
  EXPECT_EQ(answer(*names, "www.test", v6), "") << "the file has the last word on its names";
  EXPECT_TRUE(server.asked().empty());
  EXPECT_THAT(answer(*names, "oops.test", v4), HasSubstr("ResolutionFailed"));
  EXPECT_THAT(answer(*names, "zone.test", v6), HasSubstr("ResolutionFailed"));
  write_hosts("192.0.2.99 web.test");
  EXPECT_EQ(answer(*names, "web.test", v4), "192.0.2.99");
  EXPECT_EQ(answer(*names, "both.test", v6), "2001:db8::1");
}

TEST_F(dns_resolver, reads_the_hosts_file_of_the_system) {
  dns_options wanted;
  wanted.servers = {server.address()};
  std::ifstream file{"/etc/hosts"};
  std::string address;
  std::string name;
  while (file >> address >> name) {
    if (address.front() != '#' && name.find("localhost") == std::string::npos &&
        ip_address::parse(address) && ip(address).is_v4())
      break;
    file.ignore(1'000, '\n');
  }
  if (!file)
    GTEST_SKIP() << "/etc/hosts has no names but localhost";
  EXPECT_THAT(answer(*make(wanted), name, v4), HasSubstr(address));
  EXPECT_TRUE(server.asked().empty());
}

// -- one question, many who ask ----------------------------------------------------------

TEST_F(dns_resolver, remembers_answers_but_not_failures) {
  const auto names = make(options());
  EXPECT_EQ(answer(*names, "both.test", v6), "2001:db8::1");
  EXPECT_EQ(answer(*names, "Both.Test", v6), "2001:db8::1");
  EXPECT_EQ(server.asked().size(), 1u);
  EXPECT_THAT(answer(*names, "new.test", v4), HasSubstr("ResolutionFailed"));
  server.zone[{"new.test", v4}] = {{ip("192.0.2.5")}, 0, 0, "", 0};
  EXPECT_EQ(answer(*names, "new.test", v4), "192.0.2.5");
  const auto before = server.asked().size();
  EXPECT_EQ(answer(*names, "new.test", v4), "192.0.2.5");
  EXPECT_EQ(server.asked().size(), before + 1) << "a TTL of 0 is for one use";
}

TEST_F(dns_resolver, asks_once_what_many_want_to_know_at_a_time) {
  const auto names = make(options());
  server.hold = true;
  const auto a = ask(*names, "both.test", v4);
  const auto b = ask(*names, "BOTH.test", v4);
  auto c = ask(*names, "both.test", v4);
  ASSERT_TRUE(run_until([&] { return !server.asked().empty(); }));
  c->query.reset();
  server.release();
  ASSERT_TRUE(run_until([&] { return a->done() && b->done(); }));
  EXPECT_EQ(a->text(), b->text());
  EXPECT_EQ(a->calls + b->calls, 2);
  EXPECT_EQ(c->calls, 0);
  EXPECT_EQ(server.asked().size(), 1u);
}

// -- cancelling ------------------------------------------------------------------------

TEST_F(dns_resolver, does_not_call_back_for_a_query_that_is_gone) {
  const auto names = make(options());
  server.hold = true;
  const auto early = ask(*names, "both.test", v4);
  const auto other = ask(*names, "four.test", v4);
  const auto here = ask(*names, "localhost", v4);
  ASSERT_TRUE(run_until([&] { return server.asked().size() == 2; }));
  EXPECT_TRUE(here->done());
  const auto ready = ask(*names, "localhost", v4);
  early->query.reset();
  ready->query.reset();
  server.release();
  ASSERT_TRUE(run_until([&] { return other->done(); }));
  EXPECT_EQ(early->calls, 0);
  EXPECT_EQ(ready->calls, 0);
  EXPECT_EQ(other->calls, 1);
}

TEST_F(dns_resolver, lets_a_callback_destroy_its_query_and_ask_again) {
  const auto names = make(options());
  std::unique_ptr<resolver_query> query;
  std::unique_ptr<asked_for> second;
  query = names->resolve("both.test", v4, [&](const auto&) {
    query.reset();
    second = ask(*names, "four.test", v4);
  });
  ASSERT_TRUE(run_until([&] { return second && second->done(); }));
  EXPECT_EQ(second->text(), "192.0.2.4");
}

TEST_F(dns_resolver, lets_a_callback_destroy_the_resolver) {
  auto names = make(options());
  server.hold = true;
  const auto pending = ask(*names, "four.test", v4);
  bool called = false;
  const auto query = names->resolve("localhost", v4, [&](const auto&) {
    names.reset();
    called = true;
  });
  ASSERT_TRUE(run_until([&] { return called; }));
  EXPECT_EQ(loop.num_sources(), 1u) << "only the server is left";
  EXPECT_EQ(loop.timers().size(), 0u);
  turn(false);
  EXPECT_EQ(pending->calls, 0);
}

TEST_F(dns_resolver, leaves_nothing_in_the_reactor) {
  auto names = make(options());
  EXPECT_EQ(answer(*names, "both.test", v4), "192.0.2.1 192.0.2.2");
  EXPECT_EQ(loop.timers().size(), 0u) << "idle means no timer";
  names.reset();
  EXPECT_EQ(loop.num_sources(), 1u);
}

// -- faults of the kernel ----------------------------------------------------------------

TEST(dns_resolver_faults, EST_04_no_socket_is_resolution_failed) {
  scripted_kernel os;
  reactor loop{os};
  dns_options options;
  options.servers = {"127.0.0.1:1"};
  auto names = make_dns_resolver(loop, options);
  ASSERT_TRUE(names);
  os.fail_next("socket", EMFILE, 100);
  asked_for x;
  x.query = (*names)->resolve("some.test", v4, [&](auto outcome) { x.outcome = outcome; });
  EXPECT_FALSE(x.done()) << "c-ares fails at once, but not inside resolve";
  loop.run_deferred();
  EXPECT_EQ(x.text(), "ResolutionFailed: cannot resolve \"some.test\": Too many open files");
  EXPECT_EQ(x.outcome->failure().os_code(), EMFILE);
}

// -- what the system knows -----------------------------------------------------------------

TEST_F(dns_resolver, EP_05_service_names_are_ports) {
  const auto names = make(options());
  EXPECT_EQ(*names->port_of("https", ""), 443);
  EXPECT_EQ(*names->port_of("https", "tcp"), 443);
  EXPECT_EQ(*names->port_of("domain", "udp"), 53);
  EXPECT_EQ(*names->port_of("ssh", "sctp"), 22);
  const auto unknown = names->port_of("no-such-service", "tcp");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.failure().reason(), errc::resolution_failed);
  EXPECT_THAT(unknown.failure().text(), HasSubstr("\"no-such-service\""));
}

TEST_F(dns_resolver, finds_source_addresses) {
  const auto names = make(options());
  EXPECT_EQ(names->source_for(ip("127.0.0.1")), ip("127.0.0.1"));
  EXPECT_EQ(names->source_for(ip("::1")), ip("::1"));
}

TEST(dns_resolver_faults, has_no_source_address_without_a_route) {
  scripted_kernel os;
  reactor loop{os};
  const auto names = make_dns_resolver(loop);
  ASSERT_TRUE(names);
  os.fail_next("connect", ENETUNREACH);
  EXPECT_EQ((*names)->source_for(ip("127.0.0.1")), std::nullopt);
  os.fail_next("socket", EMFILE);
  EXPECT_EQ((*names)->source_for(ip("127.0.0.1")), std::nullopt);
  EXPECT_EQ((*names)->source_for(ip("127.0.0.1")), ip("127.0.0.1"));
  EXPECT_EQ(os.num_calls("close"), 2u);
}

}  // namespace

}  // namespace taps::testing
