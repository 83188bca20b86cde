// Names and races with nothing simulated: dnsmasq as DNS server behind a relay that keeps answers
// back, and an interface that swallows what is sent to it. In a network namespace. Order and report
// are asserted; of times only that what has to wait has waited, and what need not has not.

#include "taps/tests/conformance/support/fixture.hpp"
#include "taps/tests/support/name_servers/dns_relay.hpp"
#include "taps/tests/support/name_servers/dnsmasq.hpp"
#include "taps/tests/support/network_namespace/dead_tunnel.hpp"
#include "taps/tests/support/network_namespace/network_namespace.hpp"

#include <gmock/gmock.h>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

/// The world around a test: 2001:db8:dead::/64 and 198.51.100.0/24 are a black hole, 192.0.2.2 and
/// 2001:db8:1::2 are here.
class world {
public:
  world() {
    if (!missing().empty())
      return;
    for (const auto* x :
         {"ip addr add 2001:db8:ffff::1/64 dev hole nodad", "ip addr add 203.0.113.1/24 dev hole",
          "ip route add 2001:db8:dead::/64 dev hole", "ip route add 198.51.100.0/24 dev hole",
          "ip addr add 192.0.2.2/32 dev lo", "ip addr add 2001:db8:1::2/128 dev lo nodad"})
      shell(x);
    std::vector<std::string> records{"--host-record=mixed.test,192.0.2.2,2001:db8:dead::1",
                                     "--host-record=four.test,192.0.2.2",
                                     "--host-record=both.test,192.0.2.2,2001:db8:1::2",
                                     "--host-record=dead.test,198.51.100.1,2001:db8:dead::1",
                                     "--host-record=dead.test,198.51.100.2,2001:db8:dead::2",
                                     "--srv-host=_chat._tcp.service.test,dead.test,9,1",
                                     "--srv-host=_chat._tcp.service.test,four.test,9,2",
                                     "--host-record=service.test,198.51.100.9",
                                     // 1 four.test, and the address of `four.test` as a hint
                                     "--dns-rr=web.test,65,0001"
                                     "04666f7572"
                                     "0474657374"
                                     "00"
                                     "00040004c0000202",
                                     "--host-record=web.test,198.51.100.9"};
    for (int i = 0; i < 1000; ++i)
      records.push_back("--host-record=thousand.test,198.51.100." + std::to_string(i % 250) + "," +
                        "2001:db8:dead::" + std::to_string(1000 + i));
    server_ = std::make_unique<dnsmasq>(records);
    relay_ = std::make_unique<dns_relay>(server_->port());
  }

  ~world() {
    for (const auto* x :
         {"ip addr del 192.0.2.2/32 dev lo", "ip addr del 2001:db8:1::2/128 dev lo"})
      if (relay_)
        shell(x);
  }

  /// What stands in the way of tests.
  [[nodiscard]] std::string missing() const {
    if (!outside_namespace().empty())
      return "no network namespace: " + outside_namespace();
    if (!hole_->missing().empty())
      return "no black hole: " + hole_->missing();
    return dnsmasq::installed() ? "" : std::string{dnsmasq::path} + " is not installed";
  }

  [[nodiscard]] transport_services_options asking(bool directly) const {
    transport_services_options result;
    result.shards = 1;
    if (!relay_)
      return result;
    result.dns.servers = {directly ? server_->address() : relay_->address()};
    result.dns.hosts_file = "/dev/null";
    result.dns.timeout = 300ms;
    result.dns.tries = 2;
    // No test is to profit from another one.
    result.history.enabled = false;
    return result;
  }

  dns_relay& relay() { return *relay_; }

private:
  std::unique_ptr<dead_tunnel> hole_ =
      outside_namespace().empty() ? std::make_unique<dead_tunnel>("hole") : nullptr;
  std::unique_ptr<dnsmasq> server_;
  std::unique_ptr<dns_relay> relay_;
};

/// Keeps the world for longer than who lives in it.
class with_world {
protected:
  world world_;
};

class names : protected with_world, public conformance {
protected:
  explicit names(bool directly = false) : conformance(world_.asking(directly)) {}

  void SetUp() override {
    if (const auto missing = world_.missing(); !missing.empty())
      GTEST_SKIP() << missing;
  }

  void TearDown() override {
    for (const auto& x : owners_)
      caf::anon_send_exit(x, caf::exit_reason::kill);
    // c-ares keeps sockets for questions that nobody waits for any more.
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (open_descriptors() > descriptors_ && std::chrono::steady_clock::now() < limit)
      std::this_thread::sleep_for(1ms);
    conformance::TearDown();
  }

  static remote_endpoint host(std::string_view name, std::uint16_t port = 9) {
    return remote_endpoint{}.with_hostname(name).with_port(port);
  }

  /// How an establishment went, after its only event.
  establishment_report outcome(const preconnection& pre, const std::string& event,
                               const action_options& options = {}) {
    auto me = make_owner();
    initiate(pre, me.actor, options);
    const auto told = me.log->wait(event);
    EXPECT_EQ(me.log->names(), event);
    reason_ = told.reason;
    return told.report;
  }

  establishment_report ready(const remote_endpoint& where, racing_options pace = {}) {
    auto pre = to(where);
    pre.set_racing(pace);
    return outcome(pre, "ready");
  }

  /// Where attempts went and what became of them, in the order of their start.
  static std::vector<std::string> tried(const establishment_report& x) {
    std::vector<std::string> all;
    for (const auto& y : x.candidates)
      if (y.fate != candidate_fate::not_tried)
        all.push_back(to_string(y.who.remote.address) + " " + std::string{to_string(y.fate)});
    return all;
  }

  static const resolution_report& query(const establishment_report& x, dns_record type) {
    static const resolution_report none;
    for (const auto& y : x.names)
      if (y.record == type)
        return y;
    ADD_FAILURE() << "not asked: " << to_string(type) << "\n" << to_string(x);
    return none;
  }

  error reason_;
};

class names_without_relay : public names {
protected:
  names_without_relay() : names(true) {}
};

/// No machine is so slow that what need not wait takes that long.
constexpr auto long_delay = 2s;

}  // namespace

// -- a black hole beside a live address -----------------------------------------------------------

TEST_F(names, RAC_01_a_black_hole_costs_one_attempt_delay) {
  auto here = listen_at(at(local_endpoint{}));
  const auto report = ready(host("mixed.test", here.port));
  EXPECT_THAT(tried(report), ElementsAre("2001:db8:dead::1 lost", "192.0.2.2 won"));
  EXPECT_GE(report.candidates.at(1).started() - report.candidates[0].started(), 250ms);
  EXPECT_LT(report.total, 5s);
}

TEST_F(names, RAC_02_a_refused_address_costs_none) {
  // Nobody listens at the IPv6 address.
  auto here = listen_at(at(local_endpoint{}.with_ip_address("192.0.2.2")));
  racing_options pace;
  pace.attempt_delay = long_delay;
  const auto report = ready(host("both.test", here.port), pace);
  EXPECT_THAT(tried(report), ElementsAre("2001:db8:1::2 failed", "192.0.2.2 won"));
  EXPECT_LT(report.total, long_delay);
}

TEST_F(names, RAC_05_families_take_turns) {
  racing_options pace;
  pace.attempt_delay = 20ms;
  auto pre = to(host("dead.test"));
  pre.set_racing(pace);
  action_options limit;
  limit.timeout = 1s;
  const auto report = outcome(pre, "establishment_error", limit);
  EXPECT_THAT(tried(report), ElementsAre(HasSubstr("2001:db8:dead::"), HasSubstr("198.51.100."),
                                         HasSubstr("2001:db8:dead::"), HasSubstr("198.51.100.")));
}

TEST_F(names, RAC_10_failover_goes_on_after_the_failure) {
  auto here = listen_at(at(local_endpoint{}));
  racing_options pace;
  pace.mode = racing_mode::failover;
  pace.attempt_limit = 200ms;
  const auto report = ready(host("mixed.test", here.port), pace);
  EXPECT_THAT(tried(report), ElementsAre("2001:db8:dead::1 failed", "192.0.2.2 won"));
  EXPECT_GE(report.candidates.at(1).started(), report.candidates[0].ended);
}

TEST_F(names, EST_03_a_timeout_ends_a_race_in_a_black_hole) {
  action_options limit;
  limit.timeout = 200ms;
  const auto report = outcome(to(host("dead.test")), "establishment_error", limit);
  EXPECT_GE(report.total, 200ms);
  EXPECT_LT(report.total, 5s);
  EXPECT_EQ(reason_, errc::establishment_failed);
}

TEST_F(names_without_relay, RAC_11_of_a_thousand_addresses_few_are_tried) {
  racing_options pace;
  pace.attempt_delay = 10ms;
  auto pre = to(host("thousand.test"));
  pre.set_racing(pace);
  action_options limit;
  limit.timeout = 2s;
  const auto report = outcome(pre, "establishment_error", limit);
  EXPECT_GT(report.candidates.size(), 16u);
  EXPECT_LE(report.candidates.size(), 64u);
}

// -- answers that come late or never --------------------------------------------------------------

TEST_F(names, RAC_03_ipv6_within_the_resolution_delay_goes_first) {
  world_.relay().delay(dns_aaaa, 50ms);
  auto here = listen_at(at(local_endpoint{}));
  racing_options pace;
  pace.resolution_delay = long_delay;
  const auto report = ready(host("both.test", here.port), pace);
  EXPECT_THAT(tried(report).at(0), HasSubstr("2001:db8:1::2"));
  EXPECT_LT(report.total, long_delay);
}

TEST_F(names, RAC_03_ipv4_goes_alone_after_the_resolution_delay) {
  world_.relay().lose(dns_aaaa);
  auto here = listen_at(at(local_endpoint{}));
  const auto report = ready(host("both.test", here.port));
  EXPECT_THAT(tried(report), ElementsAre("192.0.2.2 won"));
  const auto& a = query(report, dns_record::a);
  EXPECT_GE(report.candidates[0].started() - (a.started + a.took), 50ms);
  EXPECT_FALSE(query(report, dns_record::aaaa).answered);
}

TEST_F(names, RAC_04_a_name_without_ipv6_waits_for_nothing) {
  auto here = listen_at(at(local_endpoint{}));
  racing_options pace;
  pace.resolution_delay = long_delay;
  const auto report = ready(host("four.test", here.port), pace);
  EXPECT_THAT(tried(report), ElementsAre("192.0.2.2 won"));
  EXPECT_LT(report.total, long_delay);
}

TEST_F(names, RAC_15_late_addresses_join_the_race) {
  world_.relay().delay(dns_aaaa, 200ms);
  racing_options pace;
  pace.attempt_delay = long_delay;
  auto pre = to(host("dead.test"));
  pre.set_racing(pace);
  action_options limit;
  limit.timeout = 3s;
  const auto report = outcome(pre, "establishment_error", limit);
  EXPECT_THAT(tried(report), ElementsAre(HasSubstr("198.51.100."), HasSubstr("2001:db8:dead::")));
}

TEST_F(names, EST_04_a_name_that_does_not_exist_is_resolution_failed) {
  outcome(to(host("nowhere.test")), "establishment_error");
  EXPECT_EQ(reason_, errc::resolution_failed);
}

TEST_F(names, EST_04_a_server_that_keeps_silent_is_resolution_failed) {
  world_.relay().lose(dns_aaaa);
  world_.relay().lose(dns_a);
  outcome(to(host("four.test")), "establishment_error");
  EXPECT_EQ(reason_, errc::resolution_failed);
}

// -- services -------------------------------------------------------------------------------------

TEST_F(names, EP_05_a_service_is_where_its_records_say) {
  racing_options pace;
  pace.mode = racing_mode::failover;
  pace.attempt_limit = 50ms;
  auto pre = to(remote_endpoint{}.with_hostname("service.test").with_service("chat"));
  pre.set_racing(pace);
  // Nobody listens at the discard port of the last place.
  const auto report = outcome(pre, "establishment_error");
  const auto all = tried(report);
  ASSERT_EQ(all.size(), 5u) << to_string(report);
  EXPECT_EQ(all.back(), "192.0.2.2 failed");
  EXPECT_THAT(all, ::testing::Each(::testing::Not(HasSubstr("198.51.100.9"))));
}

TEST_F(names, a_service_whose_records_do_not_come_is_at_its_host) {
  world_.relay().lose(dns_srv);
  action_options limit;
  limit.timeout = 3s;
  const auto report =
      outcome(to(remote_endpoint{}.with_hostname("service.test").with_service("discard")),
              "establishment_error", limit);
  ASSERT_THAT(tried(report), ElementsAre(HasSubstr("198.51.100.9")));
  // The question is given up after 900 ms.
  const auto& srv = query(report, dns_record::srv);
  EXPECT_TRUE(srv.reason);
  EXPECT_LT(report.candidates[0].started(), srv.started + srv.took);
}

TEST_F(names, https_prefers_what_its_records_name) {
  action_options limit;
  limit.timeout = 1s;
  const auto report = outcome(to(remote_endpoint{}.with_hostname("web.test").with_service("https")),
                              "establishment_error", limit);
  // Nobody listens at the place that they name.
  EXPECT_THAT(tried(report), ElementsAre("192.0.2.2 failed", HasSubstr("198.51.100.9")));
}

// -- provisioning domains -------------------------------------------------------------------------

namespace {

/// Two networks whose name servers, at 10.n.0.53, say that `host.test` is the server itself.
class domains : public conformance {
protected:
  domains() : conformance(declared()) {}

  static transport_services_options declared() {
    transport_services_options result;
    result.shards = 1;
    result.dns.servers = {"127.0.0.1:1"};
    result.dns.hosts_file = "/dev/null";
    result.dns.timeout = 1s;
    result.history.enabled = false;
    for (const std::string n : {"1", "2"})
      result.paths.domains.push_back(
          {"net" + n, {"cable" + n}, {*ip_address::parse("10." + n + ".0.53")}});
    return result;
  }

  void SetUp() override {
    TAPS_NEEDS_NAMESPACE();
    if (!dnsmasq::installed())
      GTEST_SKIP() << dnsmasq::path << " is not installed";
    for (const std::string n : {"1", "2"}) {
      auto& other = *others_.emplace_back(std::make_unique<neighbour>("cable" + n));
      shell("ip addr add 10." + n + ".0.1/24 dev cable" + n);
      other.shell("ip addr add 10." + n + ".0.53/24 dev eth0");
      const auto there = "10." + n + ".0.53";
      other.start(dnsmasq::path + std::string{" --no-daemon --conf-file=/dev/null --no-resolv "} +
                  "--no-hosts --pid-file= --bind-interfaces --log-facility=/dev/null "
                  "2>/dev/null --listen-address=" +
                  there + " --host-record=host.test," + there);
    }
  }

  void TearDown() override {
    conformance::TearDown();
    others_.clear();
  }

  /// Where `host.test` is, for a request that requires a domain.
  std::string host_in(const std::string& domain) {
    const auto wanted = reliable_inorder_stream().with(
        property_id::pvd, interface_preferences{{preference::require, domain}});
    // Until links are noticed and servers are up.
    for (int tries = 0; tries < 1000; ++tries) {
      auto me = make_owner();
      initiate(to(remote_endpoint{}.with_hostname("host.test").with_port(9), wanted), me.actor);
      const auto told = me.log->wait("establishment_error");
      if (!told.report.candidates.empty())
        return told.report.candidates[0].who.path + " " +
               to_string(told.report.candidates[0].who.remote.address);
      last_ = told.reason.text();
      std::this_thread::sleep_for(10ms);
    }
    return last_;
  }

  std::vector<std::unique_ptr<neighbour>> others_;
  std::string last_;
};

}  // namespace

TEST_F(domains, names_are_asked_where_the_request_is_ruled_to) {
  EXPECT_EQ(host_in("net1"), "cable1 10.1.0.53");
  EXPECT_EQ(host_in("net2"), "cable2 10.2.0.53");
}
