#include "taps/core/candidate/gather.hpp"

#include "taps/tests/core/candidate/protocols.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

using namespace taps;
using namespace taps::testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace {

using names = std::vector<std::string>;

ip_address address(std::string_view text) { return *ip_address::parse(text); }

class gather_test : public ::testing::Test {
protected:
  protocol_stack stream = make_stack(tcp());
  protocol_stack datagram = make_stack(udp());
  protocol_stack secured = add_layer(stream, tls());

  /// One path, one stack; both families have a route.
  gather_input input(const std::vector<const protocol_stack*>& stacks) {
    gather_input result;
    result.paths = {path{}};
    for (const auto* x : stacks)
      result.stacks.push_back({x, false});
    result.source_for = [](const ip_address& x) {
      return std::optional{x.is_v4() ? address("10.0.0.9") : address("2001:db8::9")};
    };
    return result;
  }

  static resolved_remote remote(const names& addresses, std::uint16_t port = 80) {
    resolved_remote result;
    result.hostname = "host.example";
    for (const auto& x : addresses)
      result.addresses.push_back(address(x));
    result.port = port;
    return result;
  }

  static resolved_local local(const names& addresses, std::string interface = {}) {
    resolved_local result;
    for (const auto& x : addresses)
      result.addresses.push_back(address(x));
    result.interface = std::move(interface);
    return result;
  }

  /// Local endpoints and the paths they ask for.
  static void bind(gather_input& to, std::vector<resolved_local> locals) {
    for (std::size_t i = 0; i < locals.size(); ++i)
      locals[i].index = i;
    to.locals = std::move(locals);
    path_request wanted;
    add_locals(to.locals, to.stacks, wanted);
    to.paths = *select_paths(to.where ? *to.where : network{}, wanted);
  }

  static names remotes_of(const std::vector<candidate>& leaves) {
    names result;
    for (const auto& x : leaves)
      result.push_back(to_string(x.remote));
    return result;
  }

  static names lines(const std::vector<candidate>& leaves) {
    names result;
    for (const auto& x : leaves)
      result.push_back(to_string(x));
    return result;
  }
};

}  // namespace

// -- order ----------------------------------------------------------------------------

TEST_F(gather_test, RAC_09_tree_is_path_then_protocol_then_endpoint) {
  auto x = input({&stream, &datagram});
  x.remotes = {remote({"192.0.2.1", "2001:db8::1"})};
  bind(x, {local({}), local({}, "eth1")});
  const auto leaves = gather(x);
  EXPECT_EQ(to_string(leaves), "1 the kernel's choice\n"
                               "  1.1 tcp\n"
                               "    1.1.1 [2001:db8::1]:80\n"
                               "    1.1.2 192.0.2.1:80\n"
                               "  1.2 udp\n"
                               "    1.2.1 [2001:db8::1]:80\n"
                               "    1.2.2 192.0.2.1:80\n"
                               "2 interface eth1\n"
                               "  2.1 tcp\n"
                               "    2.1.1 [2001:db8::1]:80\n"
                               "    2.1.2 192.0.2.1:80\n"
                               "  2.2 udp\n"
                               "    2.2.1 [2001:db8::1]:80\n"
                               "    2.2.2 192.0.2.1:80\n");
  std::vector<branch_type> branches;
  for (const auto& leaf : leaves)
    branches.push_back(leaf.branch);
  constexpr auto protocol = branch_type::protocol;
  constexpr auto endpoint = branch_type::endpoint;
  EXPECT_THAT(branches, ElementsAre(branch_type::path, endpoint, protocol, endpoint,
                                    branch_type::path, endpoint, protocol, endpoint));
}

TEST_F(gather_test, RAC_05_families_are_interleaved_at_each_node) {
  auto x = input({&stream});
  x.remotes = {remote({"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8::3"})};
  EXPECT_THAT(remotes_of(gather(x)),
              ElementsAre("[2001:db8::1]:80", "192.0.2.1:80", "[2001:db8::2]:80", "192.0.2.2:80",
                          "[2001:db8::3]:80"));
}

TEST_F(gather_test, endpoints_are_tried_in_the_order_given) {
  auto x = input({&stream});
  x.remotes = {remote({"192.0.2.7"}, 1), remote({"2001:db8::1"}, 2)};
  x.remotes[1].index = 1;
  x.remotes[1].hostname = "other.example";
  x.remotes[1].hop_limit = 3;
  const auto leaves = gather(x);
  EXPECT_THAT(remotes_of(leaves), ElementsAre("192.0.2.7:1", "[2001:db8::1]:2"));
  EXPECT_EQ(leaves[1].remote_index, 1u);
  EXPECT_EQ(leaves[1].hostname, "other.example");
  EXPECT_EQ(leaves[1].hop_limit, 3);
}

TEST_F(gather_test, ids_differ_and_fallback_is_marked) {
  auto x = input({&secured, &stream});
  x.stacks[1].only_after_failure = true;
  x.remotes = {remote({"192.0.2.1", "2001:db8::1"})};
  std::set<std::uint32_t> ids;
  for (const auto& leaf : gather(x)) {
    ids.insert(leaf.id);
    EXPECT_EQ(leaf.only_after_failure, leaf.stack == &stream);
  }
  EXPECT_EQ(ids.size(), 4u);
}

// -- limits -----------------------------------------------------------------------------

TEST_F(gather_test, RAC_11_thousand_addresses_make_32_attempts_of_both_families) {
  auto x = input({&stream});
  auto& addresses = x.remotes.emplace_back(remote({})).addresses;
  for (int i = 0; i < 1000; ++i) {
    const auto high = static_cast<std::uint8_t>(i / 250 + 1);
    const auto low = static_cast<std::uint8_t>(i % 250 + 1);
    addresses.push_back(i % 10 == 0 ? ip_address{ip_address::v4_bytes{10, 1, high, low}}
                                    : ip_address{ip_address::v6_bytes{0xfd, high, low}});
  }
  int asked = 0;
  x.source_for = [&asked](const ip_address&) {
    ++asked;
    return std::optional<ip_address>{};
  };
  const auto leaves = gather(x);
  EXPECT_EQ(leaves.size(), 32u);
  EXPECT_EQ(std::count_if(leaves.begin(), leaves.end(),
                          [](const auto& leaf) { return leaf.remote.address.is_v4(); }),
            16);
  EXPECT_LE(asked, 64);
}

TEST_F(gather_test, RAC_11_attempts_are_capped_in_total) {
  auto x = input({&stream, &datagram});
  for (std::uint8_t host = 0; host < 3; ++host) {
    auto& one = x.remotes.emplace_back(remote({}));
    one.index = host;
    for (std::uint8_t i = 1; i <= 40; ++i)
      one.addresses.push_back(ip_address{ip_address::v4_bytes{10, host, 0, i}});
  }
  EXPECT_EQ(gather(x).size(), 64u);
  x.options.max_attempts = 10;
  EXPECT_EQ(gather(x).size(), 10u);
  x.options.max_addresses_per_name = 2;
  EXPECT_EQ(gather(x).size(), 10u);
  x.options.max_attempts = 64;
  EXPECT_EQ(gather(x).size(), 12u);
}

TEST_F(gather_test, PRE_11_the_same_endpoint_twice_is_one_candidate) {
  auto x = input({&stream});
  x.remotes = {remote({"192.0.2.1", "192.0.2.1"}), remote({"192.0.2.1"})};
  x.remotes[1].index = 1;
  EXPECT_THAT(remotes_of(gather(x)), ElementsAre("192.0.2.1:80"));
}

TEST_F(gather_test, two_names_of_one_address_differ_where_names_are_verified) {
  auto x = input({&secured, &stream});
  x.remotes = {remote({"192.0.2.1"}), remote({"192.0.2.1"})};
  x.remotes[1].hostname = "other.example";
  EXPECT_THAT(lines(gather(x)),
              ElementsAre("1.1.1 tls/tcp 192.0.2.1:80", "1.1.2 tls/tcp 192.0.2.1:80",
                          "1.2.1 tcp 192.0.2.1:80"));
}

// -- ports and protocols ------------------------------------------------------------------

TEST_F(gather_test, EP_06_endpoint_for_one_protocol_replaces_the_others_for_it) {
  auto x = input({&stream, &datagram});
  x.remotes = {remote({"192.0.2.1"}, 80), remote({"192.0.2.1"}, 5353)};
  x.remotes[1].protocol = "udp";
  EXPECT_THAT(lines(gather(x)), ElementsAre("1.1.1 tcp 192.0.2.1:80", "1.2.1 udp 192.0.2.1:5353"));
}

TEST_F(gather_test, service_ports_go_by_base_protocol) {
  auto x = input({&secured, &datagram, &stream});
  x.remotes = {remote({"192.0.2.1"})};
  x.remotes[0].port.reset();
  x.remotes[0].service_ports = {{"tcp", 443}};
  EXPECT_THAT(lines(gather(x)),
              ElementsAre("1.1.1 tls/tcp 192.0.2.1:443", "1.3.1 tcp 192.0.2.1:443"));
}

// -- local endpoints and paths ---------------------------------------------------------------

TEST_F(gather_test, local_addresses_meet_remote_ones_of_their_family) {
  auto x = input({&stream});
  x.remotes = {remote({"192.0.2.1", "2001:db8::1"})};
  bind(x, {local({"10.0.0.2"})});
  EXPECT_THAT(lines(gather(x)), ElementsAre("1.1.1 tcp 192.0.2.1:80 from 10.0.0.2:0"));
  bind(x, {local({"10.0.0.2"}), local({"2001:db8::2"})});
  const auto leaves = gather(x);
  EXPECT_THAT(lines(leaves), ElementsAre("1.1.1 tcp [2001:db8::1]:80 from [2001:db8::2]:0",
                                         "1.1.2 tcp 192.0.2.1:80 from 10.0.0.2:0"));
  EXPECT_EQ(leaves[0].local_index, 1u);
}

TEST_F(gather_test, further_local_addresses_wait_until_all_remote_ones_had_their_chance) {
  auto x = input({&stream});
  x.remotes = {remote({"192.0.2.1", "192.0.2.2"})};
  bind(x, {local({"10.0.0.2", "10.0.0.3"})});
  EXPECT_THAT(lines(gather(x)), ElementsAre("1.1.1 tcp 192.0.2.1:80 from 10.0.0.2:0",
                                            "1.1.2 tcp 192.0.2.2:80 from 10.0.0.2:0",
                                            "1.1.3 tcp 192.0.2.1:80 from 10.0.0.3:0",
                                            "1.1.4 tcp 192.0.2.2:80 from 10.0.0.3:0"));
}

TEST_F(gather_test, EP_09_local_port_is_bound_in_the_family_of_the_remote) {
  auto x = input({&stream});
  x.remotes = {remote({"192.0.2.1", "2001:db8::1"})};
  auto fixed = local({});
  fixed.port = 4000;
  bind(x, {fixed});
  EXPECT_THAT(lines(gather(x)), ElementsAre("1.1.1 tcp [2001:db8::1]:80 from [::]:4000",
                                            "1.1.2 tcp 192.0.2.1:80 from 0.0.0.0:4000"));
  bind(x, {local({})});
  EXPECT_EQ(gather(x).front().local, std::nullopt);
}

TEST_F(gather_test, local_interfaces_are_paths) {
  auto x = input({&stream});
  x.remotes = {remote({"fe80::1"})};
  auto here = local({}, "eth0");
  here.scope = 7;
  bind(x, {here});
  ASSERT_EQ(x.paths.size(), 1u);
  EXPECT_THAT(lines(gather(x)), ElementsAre("1.1.1 tcp [fe80::1%7]:80 on interface eth0"));
  // A zone of its own counts more, and one of another interface rules the path out.
  x.remotes[0].scope = 7;
  x.remotes[0].interface = "eth0";
  EXPECT_EQ(gather(x).size(), 1u);
  x.remotes[0].interface = "eth1";
  EXPECT_THAT(gather(x), IsEmpty());
}

TEST_F(gather_test, scope_belongs_to_link_local_addresses_only) {
  auto x = input({&stream});
  x.remotes = {remote({"2001:db8::1", "fe80::1", "192.0.2.1"})};
  x.remotes[0].scope = 3;
  for (const auto& leaf : gather(x))
    EXPECT_EQ(leaf.remote.scope, leaf.remote.address == address("fe80::1") ? 3u : 0u);
}

TEST_F(gather_test, local_endpoint_of_another_protocol_restricts_nothing) {
  auto x = input({&stream, &datagram});
  x.remotes = {remote({"192.0.2.1"})};
  auto scoped = local({"10.0.0.2"}, "eth0");
  scoped.protocol = "udp";
  bind(x, {scoped});
  EXPECT_THAT(lines(gather(x)),
              ElementsAre("1.1.1 tcp 192.0.2.1:80",
                          "2.2.1 udp 192.0.2.1:80 from 10.0.0.2:0 on interface eth0"));
}

// -- late addresses -----------------------------------------------------------------------------

TEST_F(gather_test, RAC_15_late_addresses_join_the_untried_ones) {
  auto x = input({&stream});
  x.remotes = {remote({"192.0.2.1", "192.0.2.2", "192.0.2.3"})};
  auto first = gather(x);
  const std::vector<candidate> started{first[0]};
  const std::vector<candidate> untried{first[1], first[2]};
  for (auto text : {"2001:db8::1", "2001:db8::2"})
    x.remotes[0].addresses.push_back(address(text));
  const auto leaves = regather(x, started, untried);
  // An IPv4 attempt runs, so it is the turn of IPv6.
  EXPECT_THAT(lines(leaves), ElementsAre("1.1.4 tcp [2001:db8::1]:80", "1.1.2 tcp 192.0.2.2:80",
                                         "1.1.5 tcp [2001:db8::2]:80", "1.1.3 tcp 192.0.2.3:80"));
  EXPECT_EQ(leaves[1].id, first[1].id);
  EXPECT_EQ(leaves[3].id, first[2].id);
  std::set<std::uint32_t> ids{first[0].id};
  for (const auto& leaf : leaves) {
    ids.insert(leaf.id);
    EXPECT_EQ(leaf.branch, branch_type::endpoint);
  }
  EXPECT_EQ(ids.size(), 5u);
}

TEST_F(gather_test, late_addresses_of_a_better_protocol_go_before_the_rest) {
  auto x = input({&stream, &datagram});
  x.remotes = {remote({"192.0.2.1"})};
  auto first = gather(x);
  x.remotes[0].addresses.push_back(address("2001:db8::1"));
  const auto leaves =
      regather(x, std::vector<candidate>{first[0]}, std::vector<candidate>{first[1]});
  EXPECT_THAT(lines(leaves), ElementsAre("1.1.2 tcp [2001:db8::1]:80", "1.2.2 udp [2001:db8::1]:80",
                                         "1.2.1 udp 192.0.2.1:80"));
  EXPECT_EQ(leaves[0].branch, branch_type::endpoint);
  EXPECT_EQ(leaves[1].branch, branch_type::protocol);
}

TEST_F(gather_test, regathering_without_news_changes_nothing) {
  auto x = input({&stream, &datagram});
  x.remotes = {remote({"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"})};
  bind(x, {local({"10.0.0.2", "10.0.0.3", "2001:db8::9"})});
  auto rest = gather(x);
  std::vector<candidate> started;
  while (!rest.empty()) {
    started.push_back(rest.front());
    rest.erase(rest.begin());
    ASSERT_EQ(lines(regather(x, started, rest)), lines(rest)) << started.size();
  }
}

TEST_F(gather_test, late_addresses_do_not_lift_the_caps) {
  auto x = input({&stream});
  x.options.max_attempts = 3;
  x.options.max_addresses_per_name = 4;
  x.remotes = {remote({"192.0.2.1", "192.0.2.2"})};
  const auto first = gather(x);
  x.remotes[0].addresses.push_back(address("2001:db8::1"));
  x.remotes[0].addresses.push_back(address("2001:db8::2"));
  EXPECT_EQ(regather(x, first, {}).size(), 1u);
  x.options.max_attempts = 64;
  x.options.max_addresses_per_name = 3;
  EXPECT_EQ(regather(x, first, {}).size(), 1u);
}

TEST_F(gather_test, leaves_that_vanished_from_the_input_are_dropped) {
  auto x = input({&stream});
  x.remotes = {remote({"192.0.2.1", "192.0.2.2"})};
  const auto first = gather(x);
  x.remotes[0].addresses.pop_back();
  EXPECT_THAT(remotes_of(regather(x, {}, first)), ElementsAre("192.0.2.1:80"));
}

// -- what endpoints say -----------------------------------------------------------------------

TEST_F(gather_test, EP_04_an_address_makes_resolution_needless) {
  const auto x = remote_endpoint{}
                     .with_hostname("host.example")
                     .with_ip_address("192.0.2.1")
                     .with_port(80)
                     .with_hop_limit(9);
  EXPECT_FALSE(needs_resolution(x));
  EXPECT_TRUE(needs_resolution(remote_endpoint{}.with_hostname("host.example")));
  EXPECT_FALSE(needs_resolution(remote_endpoint{}.with_hostname("127.0.0.1")));
  auto y = input({&stream});
  y.remotes = {describe(0, x)};
  const auto leaves = gather(y);
  ASSERT_THAT(remotes_of(leaves), ElementsAre("192.0.2.1:80"));
  EXPECT_EQ(leaves[0].hostname, "host.example");
  EXPECT_EQ(leaves[0].hop_limit, 9);
}

TEST_F(gather_test, describe_keeps_every_qualifier) {
  const auto x = describe(2, remote_endpoint{}
                                 .with_multicast_group_ip("ff02::1%eth0")
                                 .with_service("http")
                                 .with_protocol("udp"));
  EXPECT_EQ(x.index, 2u);
  EXPECT_THAT(x.addresses, ElementsAre(address("ff02::1")));
  EXPECT_EQ(x.interface, "eth0");
  EXPECT_EQ(x.port, std::nullopt);
  EXPECT_EQ(x.protocol, "udp");
  const auto y = describe(1, local_endpoint{}.with_ip_address("fe80::1%eth1").with_port(5));
  EXPECT_THAT(y.addresses, ElementsAre(address("fe80::1")));
  EXPECT_EQ(y.interface, "eth1");
  EXPECT_EQ(y.port, 5);
}

TEST_F(gather_test, nothing_resolved_means_no_leaves) {
  auto x = input({&stream});
  EXPECT_THAT(gather(x), IsEmpty());
  x.remotes = {remote({})};
  EXPECT_THAT(gather(x), IsEmpty());
  EXPECT_EQ(to_string(gather(x)), "");
}

// -- what was learned -------------------------------------------------------------------------

TEST_F(gather_test, RAC_12_dead_addresses_take_no_turns_with_the_others) {
  auto x = input({&stream});
  x.remotes = {remote({"2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"}, 81)};
  x.experience_of = [](const socket_address& y) {
    EXPECT_EQ(y.port, 81);
    return address_experience{y.address.is_v6(), {}};
  };
  EXPECT_THAT(remotes_of(gather(x)),
              ElementsAre("192.0.2.1:81", "192.0.2.2:81", "[2001:db8::1]:81", "[2001:db8::2]:81"));
}
