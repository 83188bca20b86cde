// What a Rendezvous is held between: bases, remote addresses, pairs.

#include "taps/core/rendezvous/rendezvous_plan.hpp"

#include "taps/tests/core/candidate/protocols.hpp"

#include <gtest/gtest.h>

using namespace taps;
using namespace taps::testing;

namespace {

struct no_names final : resolver {
  std::unique_ptr<resolver_query> resolve(std::string_view, ip_family, callback) override {
    return nullptr;
  }
  result<std::uint16_t> port_of(std::string_view, std::string_view) const override {
    return error{errc::resolution_failed, "no such service"};
  }
  std::unique_ptr<resolver_query> find_service(std::string_view, dns_record,
                                               service_callback) override {
    return nullptr;
  }
  std::optional<ip_address> source_for(const ip_address&) const override { return std::nullopt; }
};

network_interface link(std::uint32_t index, std::string name,
                       std::vector<interface_address> addresses) {
  network_interface x;
  x.index = index;
  x.name = std::move(name);
  x.up = true;
  x.addresses = std::move(addresses);
  return x;
}

interface_address on(std::string_view text, bool temporary = false, bool unusable = false) {
  return {*ip_address::parse(text), 24, temporary, unusable};
}

const network host{{link(1, "lo", {on("127.0.0.1"), on("::1")}),
                    link(2, "eth0",
                         {on("192.0.2.1"), on("2001:db8::1"), on("2001:db8::2", true),
                          on("2001:db8::3", false, true), on("fe80::1")}),
                    link(3, "eth1", {on("198.51.100.1")})},
                   {}};

class plan : public ::testing::Test {
protected:
  rendezvous_request request() {
    return {locals_, remotes_, properties_, security_mode::disabled, false, host, nullptr, names_};
  }

  std::string bases() {
    const auto found = find_bases(request(), stack_, lookup_);
    if (!found)
      return found.failure().text();
    std::string result;
    for (const auto& x : *found)
      result += (result.empty() ? "" : " ") + to_string(x.address) +
                (x.interface.empty() ? "" : "%" + x.interface);
    return result;
  }

  std::vector<local_endpoint> locals_{local_endpoint{}};
  std::vector<remote_endpoint> remotes_;
  transport_properties properties_;
  std::map<std::string, std::vector<ip_address>> names_;
  protocol_stack stack_ = make_stack(tcp());
  no_names lookup_;
};

}  // namespace

TEST_F(plan, an_endpoint_without_address_stands_for_all_but_local_and_temporary_ones) {
  EXPECT_EQ(bases(), "192.0.2.1:0 [2001:db8::1]:0 198.51.100.1:0");
}

TEST_F(plan, temporary_addresses_on_demand) {
  properties_.require(property_id::use_temporary_local_address);
  EXPECT_EQ(bases(), "[2001:db8::2]:0%eth0");
}

TEST_F(plan, an_interface_restricts) {
  locals_ = {local_endpoint{}.with_interface("eth1").with_port(5)};
  EXPECT_EQ(bases(), "198.51.100.1:5%eth1");
  locals_ = {local_endpoint{}.with_interface("lo")};
  EXPECT_EQ(bases(), "127.0.0.1:0%lo [::1]:0%lo") << "there are no others";
}

TEST_F(plan, loopback_where_the_peer_is_there) {
  remotes_ = {remote_endpoint{}.with_ip_address("127.0.0.1").with_port(1)};
  EXPECT_EQ(bases(), "192.0.2.1:0 [2001:db8::1]:0 198.51.100.1:0 127.0.0.1:0 [::1]:0");
}

TEST_F(plan, what_a_nat_calls_us_is_not_ours_to_bind) {
  locals_ = {local_endpoint{}.with_ip_address("192.0.2.1").with_port(5),
             local_endpoint{}.with_ip_address("203.0.113.9").with_port(40000)};
  EXPECT_EQ(bases(), "192.0.2.1:5");
  locals_.erase(locals_.begin());
  EXPECT_EQ(bases(), "Rendezvous: this host does not have 203.0.113.9");
}

TEST_F(plan, a_name_stands_for_what_it_resolves_to) {
  locals_ = {local_endpoint{}.with_hostname("me.test").with_port(5)};
  EXPECT_EQ(names_of(request()), std::vector<std::string>{"me.test"});
  EXPECT_EQ(bases(), "Rendezvous: no interface has an address for it");
  names_["me.test"] = {*ip_address::parse("192.0.2.1")};
  EXPECT_EQ(bases(), "192.0.2.1:5");
}

TEST_F(plan, pairs_are_of_one_family_and_reach) {
  const std::vector<meeting_base> all{{{*ip_address::parse("192.0.2.1"), 1}, {}, 0},
                                      {{*ip_address::parse("2001:db8::1"), 1}, {}, 0},
                                      {{*ip_address::parse("127.0.0.1"), 1}, {}, 0}};
  const std::vector<socket_address> remotes{{*ip_address::parse("2001:db8::9"), 2},
                                            {*ip_address::parse("192.0.2.9"), 2},
                                            {*ip_address::parse("127.0.0.1"), 1}};
  const auto found = pair_up(request(), stack_, all, remotes);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (std::vector<meeting_pair>{{1, remotes[0]}, {0, remotes[1]}}))
      << "nobody meets itself";
}

TEST_F(plan, pairs_are_bounded) {
  const std::vector<meeting_base> all(8, {{*ip_address::parse("192.0.2.1"), 1}, {}, 0});
  std::vector<socket_address> remotes;
  for (std::uint16_t port = 1; port <= 1000; ++port)
    remotes.push_back({*ip_address::parse("192.0.2.9"), port});
  EXPECT_EQ(pair_up(request(), stack_, all, remotes)->size(), 100u);
}

TEST_F(plan, policy_may_forbid_every_pair) {
  const system_policy policy{*parse_policy("forbid any to 192.0.2.9", "file"), nullptr};
  auto asked = request();
  asked.policy = &policy;
  const std::vector<meeting_base> all{{{*ip_address::parse("192.0.2.1"), 1}, {}, 0}};
  const std::vector<socket_address> remotes{{*ip_address::parse("192.0.2.9"), 2}};
  const auto found = pair_up(asked, stack_, all, remotes);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.failure().reason(), errc::policy_prohibited);
}
