#include "taps/core/dns/service_answer.hpp"
#include "taps/tests/net/resolver/resolver_fixture.hpp"
#include "taps/tests/support/name_servers/dnsmasq.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace taps::testing {

namespace {

using ::testing::HasSubstr;

class dnsmasq_test : public resolver_fixture {
protected:
  void SetUp() override {
    if (!dnsmasq::installed())
      GTEST_SKIP() << dnsmasq::path << " is not installed";
  }

  std::unique_ptr<resolver> start(const std::vector<std::string>& records) {
    server = std::make_unique<dnsmasq>(records);
    EXPECT_TRUE(server->running()) << server->log();
    dns_options options;
    options.servers = {server->address()};
    options.hosts_file = "/dev/null";
    return make(options);
  }

  std::unique_ptr<dnsmasq> server;
};

TEST_F(dnsmasq_test, answers_like_any_server) {
  const auto names = start({"--host-record=both.test,192.0.2.1,2001:db8::1,90",
                            "--host-record=four.test,192.0.2.4", "--cname=alias.test,four.test"});
  EXPECT_EQ(answer(*names, "both.test", ip_family::v6), "2001:db8::1");
  EXPECT_EQ(answer(*names, "both.test", ip_family::v4), "192.0.2.1");
  EXPECT_EQ(answer(*names, "four.test", ip_family::v6), "");
  EXPECT_EQ(answer(*names, "alias.test", ip_family::v4), "192.0.2.4");
  EXPECT_THAT(answer(*names, "nowhere.test", ip_family::v4), HasSubstr("Domain name not found"));
  const auto x = ask(*names, "both.test", ip_family::v4);
  ASSERT_TRUE(run_until([&] { return x->done(); }));
  const auto ttl = (**x->outcome).entries[0].ttl.count();
  EXPECT_GT(ttl, 60);
  EXPECT_LE(ttl, 90);
}

TEST_F(dnsmasq_test, tells_where_services_are) {
  const auto names = start({"--srv-host=_chat._tcp.test,one.test,5222,1,2",
                            "--srv-host=_chat._tcp.test,two.test,5223,3",
                            // 1 . alpn=h2 port=8443
                            "--dns-rr=host.test,65,000100000100030268320003000220fb"});
  EXPECT_EQ(places(*names, "_chat._tcp.test", dns_record::srv),
            "1 2 one.test:5222, 3 0 two.test:5223");
  EXPECT_EQ(places(*names, "host.test", dns_record::https), "1 0 host.test:8443 h2");
  EXPECT_EQ(places(*names, "_none._tcp.test", dns_record::srv), "");
  // Nor are there any where only the files of the host are asked.
  EXPECT_EQ(places(*names, "_chat._tcp.localhost", dns_record::srv), "");
}

TEST_F(dnsmasq_test, asks_again_over_a_stream_when_an_answer_does_not_fit) {
  std::vector<std::string> records;
  for (int i = 1; i <= 100; ++i)
    records.push_back("--host-record=big.test,192.0.2." + std::to_string(i));
  const auto names = start(records);
  const auto text = answer(*names, "big.test", ip_family::v4);
  EXPECT_EQ(std::count(text.begin(), text.end(), ' '), 99) << text;
}

TEST_F(dnsmasq_test, RAC_11_more_addresses_than_anybody_uses_are_left_out) {
  std::vector<std::string> records;
  for (int i = 0; i < 1000; ++i)
    records.push_back("--host-record=huge.test,10.0." + std::to_string(i / 250) + "." +
                      std::to_string(i % 250));
  const auto names = start(records);
  const auto x = ask(*names, "huge.test", ip_family::v4);
  ASSERT_TRUE(run_until([&] { return x->done(); }));
  ASSERT_TRUE(*x->outcome) << x->text();
  EXPECT_EQ((**x->outcome).entries.size(), max_answer_records);
}

}  // namespace

}  // namespace taps::testing
