// Multicast groups on endpoints, as values: what goes together, what is heard where, and what
// follows when the links change.

#include "taps/core/establishment/multicast.hpp"

#include "taps/core/establishment/listening.hpp"
#include "taps/tests/core/candidate/protocols.hpp"

#include <gtest/gtest.h>

using namespace taps;
using namespace taps::testing;

namespace {

struct no_names final : resolver {
  std::unique_ptr<resolver_query> resolve(std::string_view, ip_family, callback) override {
    return nullptr;
  }
  std::unique_ptr<resolver_query> find_service(std::string_view, dns_record,
                                               service_callback) override {
    return nullptr;
  }
  result<std::uint16_t> port_of(std::string_view, std::string_view) const override {
    return error{errc::resolution_failed, "no such service"};
  }
  std::optional<ip_address> source_for(const ip_address&) const override { return std::nullopt; }
};

network_interface link(std::uint32_t index, std::string name, std::string_view address,
                       bool up = true) {
  network_interface x;
  x.index = index;
  x.name = std::move(name);
  x.up = up;
  x.addresses.push_back({*ip_address::parse(address), 24});
  return x;
}

local_endpoint any_source(std::string_view group) {
  return local_endpoint{}.with_any_source_multicast_group_ip(group).with_port(5);
}

remote_endpoint group(std::string_view text) {
  return remote_endpoint{}.with_multicast_group_ip(text).with_port(5);
}

std::string check(std::vector<local_endpoint> locals, std::vector<remote_endpoint> remotes,
                  establishment how, direction flow = direction::bidirectional) {
  const auto fine = check_multicast(locals, remotes, flow, how);
  return fine ? "fine" : fine.failure().text();
}

std::string heard(std::vector<local_endpoint> locals, std::vector<remote_endpoint> remotes = {}) {
  return check(std::move(locals), std::move(remotes), establishment::listen,
               direction::unidirectional_receive);
}

/// Where a Listener listens: stack, address, interfaces.
std::string text(const std::vector<listening_place>& places) {
  std::string result;
  for (const auto& x : places) {
    result += (result.empty() ? "" : "; ") + to_string(x.address) + " by " + x.by.interface;
    for (const auto i : x.group ? x.group->interfaces : std::vector<std::uint32_t>{})
      result += " " + std::to_string(i);
    for (const auto& y : x.group ? x.group->sources : std::vector<ip_address>{})
      result += " from " + to_string(y);
  }
  return result;
}

/// A Listener over links that may change.
struct listening_host {
  transport_properties properties = transport_properties{unreliable_datagram()}.with(
      property_id::direction, direction::unidirectional_receive);
  std::vector<protocol_stack> stacks = compose_stacks({&tcp(), &udp(), &multicast(), &dtls()});
  std::vector<local_endpoint> locals;
  std::vector<remote_endpoint> remotes;
  std::vector<listening_place> open;

  listening_request request(const network& where) const {
    return {locals, remotes, properties, security_mode::disabled, false, where};
  }

  std::string listen(const network& where) {
    auto found = find_listening_places(request(where), stacks, no_names{});
    if (!found)
      return found.failure().text();
    open = *found;
    return text(open);
  }

  std::string follow(const network& where) {
    auto found = follow_links(request(where), stacks, no_names{}, open, 7);
    if (!found)
      return "as before";
    open = *found;
    return text(open);
  }
};

}  // namespace

// -- what goes together ---------------------------------------------------------------------------

TEST(multicast, who_initiates_sends) {
  const auto how = establishment::initiate;
  EXPECT_EQ(check({}, {group("239.1.1.1")}, how), "fine");
  EXPECT_EQ(check({any_source("239.1.1.1")}, {group("239.1.1.1")}, how), "fine");
  EXPECT_EQ(check({}, {group("239.1.1.1")}, how, direction::unidirectional_send), "fine");
  EXPECT_EQ(check({}, {group("239.1.1.1")}, how, direction::unidirectional_receive),
            "Initiate only sends to the group 239.1.1.1, but direction is Unidirectional Receive");
  EXPECT_EQ(check({any_source("239.1.1.1")}, {remote_endpoint{}.with_ip_address("192.0.2.1")}, how),
            "Initiate: the group 239.1.1.1 of a Local Endpoint is to be heard, which Listen does");
  EXPECT_EQ(check({}, {group("239.1.1.1"), remote_endpoint{}.with_hostname("example.org")}, how),
            "group 239.1.1.1 beside another Remote Endpoint that is none: one of them at a time");
}

TEST(multicast, who_listens_receives) {
  EXPECT_EQ(heard({any_source("239.1.1.1")}), "fine");
  EXPECT_EQ(heard({local_endpoint{}}, {group("239.1.1.1")}), "fine");
  EXPECT_EQ(check({any_source("239.1.1.1")}, {}, establishment::listen),
            "Listen only receives from the group 239.1.1.1, but direction is Bidirectional");
  EXPECT_EQ(heard({local_endpoint{}.with_any_source_multicast_group_ip("239.1.1.1")}),
            "Listen: the group 239.1.1.1 has neither port nor service");
  EXPECT_EQ(heard({any_source("239.1.1.1"), local_endpoint{}.with_port(5)}),
            "group 239.1.1.1 beside another Local Endpoint that is none: one of them at a time");
  EXPECT_EQ(heard({any_source("239.1.1.1")}, {remote_endpoint{}.with_ip_address("2001:db8::1")}),
            "Listen: 2001:db8::1 cannot be a source of the group 239.1.1.1: they are of different "
            "address families");
}

// -- where it is heard ----------------------------------------------------------------------------

TEST(multicast, a_group_is_heard_everywhere_by_one_socket) {
  listening_host x;
  const network where{{link(1, "eth0", "192.0.2.1"), link(2, "eth1", "198.51.100.1"),
                       link(3, "eth2", "203.0.113.1", false), link(4, "eth3", "2001:db8::1")},
                      {}};
  x.locals = {any_source("239.1.1.1")};
  EXPECT_EQ(x.listen(where), "239.1.1.1:5 by  1 2");
  x.locals = {any_source("239.1.1.1").with_interface("eth1")};
  EXPECT_EQ(x.listen(where), "239.1.1.1:5 by eth1 2");
  x.locals = {any_source("239.1.1.1").with_ip_address("198.51.100.1")};
  EXPECT_EQ(x.listen(where), "239.1.1.1:5 by eth1 2");
  x.locals = {any_source("239.1.1.1").with_ip_address("198.51.100.9")};
  EXPECT_EQ(x.listen(where), "Listen: no interface has the address 198.51.100.9");
}

TEST(multicast, a_group_of_the_link_is_another_one_on_each) {
  listening_host x;
  const network where{{link(1, "eth0", "fe80::1"), link(2, "eth1", "fe80::2")}, {}};
  x.locals = {any_source("ff02::7")};
  EXPECT_EQ(x.listen(where), "[ff02::7%1]:5 by eth0 1; [ff02::7%2]:5 by eth1 2");
  x.locals = {any_source("ff02::7%eth1")};
  EXPECT_EQ(x.listen(where), "[ff02::7%2]:5 by eth1 2");
  x.locals = {any_source("ff02::7")};
  EXPECT_EQ(x.listen(network{{link(1, "eth0", "192.0.2.1")}, {}}),
            "Listen: no interface is up to hear the group ff02::7 on");
}

TEST(multicast, sources_come_from_either_endpoint) {
  listening_host x;
  const network where{{link(1, "eth0", "192.0.2.1")}, {}};
  x.locals = {local_endpoint{}
                  .with_single_source_multicast_group_ip("232.1.1.1", "192.0.2.2")
                  .with_port(5)};
  EXPECT_EQ(x.listen(where), "232.1.1.1:5 by  1 from 192.0.2.2");
  x.locals = {local_endpoint{}};
  x.remotes = {group("232.1.1.1"), remote_endpoint{}.with_ip_address("192.0.2.2"),
               remote_endpoint{}.with_ip_address("192.0.2.2").with_port(9)};
  EXPECT_EQ(x.listen(where), "232.1.1.1:5 by  1 from 192.0.2.2");
}

TEST(multicast, where_nobody_knows_the_links_the_kernel_chooses) {
  listening_host x;
  x.locals = {any_source("239.1.1.1")};
  EXPECT_EQ(x.listen(network{}), "239.1.1.1:5 by  0");
}

// -- links that change ----------------------------------------------------------------------------

TEST(following, a_group_is_joined_where_links_come_and_left_where_they_go) {
  listening_host x;
  x.locals = {any_source("239.1.1.1")};
  const auto eth0 = link(1, "eth0", "192.0.2.1");
  const auto eth1 = link(2, "eth1", "198.51.100.1");
  EXPECT_EQ(x.listen(network{{eth0}, {}}), "239.1.1.1:5 by  1");
  EXPECT_EQ(x.follow(network{{eth0}, {}}), "as before");
  EXPECT_EQ(x.follow(network{{eth0, eth1}, {}}), "239.1.1.1:5 by  1 2");
  EXPECT_EQ(x.follow(network{{eth1}, {}}), "239.1.1.1:5 by  2");
}

TEST(following, what_names_an_interface_waits_for_it) {
  listening_host x;
  x.properties = {};
  x.locals = {local_endpoint{}.with_ip_address("192.0.2.1").with_interface("eth0")};
  const auto other = link(2, "eth1", "198.51.100.1");
  EXPECT_EQ(x.listen(network{{link(1, "eth0", "192.0.2.1"), other}, {}}), "192.0.2.1:0 by eth0");
  // The kernel chose a port.
  x.open[0].address.port = 7;
  EXPECT_EQ(x.follow(network{{link(1, "eth0", "192.0.2.1"), other}, {}}), "as before");
  EXPECT_EQ(x.follow(network{{link(1, "eth0", "192.0.2.1", false), other}, {}}), "as before");
  EXPECT_EQ(x.follow(network{{other}, {}}), "");
  EXPECT_EQ(x.follow(network{{other, link(3, "eth0", "192.0.2.1")}, {}}), "192.0.2.1:7 by eth0");
}

TEST(following, preferences_count_for_interfaces_that_come) {
  listening_host x;
  x.properties = transport_properties{}.with(property_id::interface,
                                             interface_preferences{{preference::prohibit, "eth1"}});
  x.locals = {local_endpoint{}.with_port(5)};
  const auto eth0 = link(1, "eth0", "192.0.2.1");
  const auto eth1 = link(2, "eth1", "198.51.100.1");
  const auto eth2 = link(3, "eth2", "203.0.113.1");
  EXPECT_EQ(x.listen(network{{eth0, eth1}, {}}), "[::]:5 by eth0; 0.0.0.0:5 by eth0");
  EXPECT_EQ(x.follow(network{{eth0, eth1, eth2}, {}}),
            "[::]:5 by eth0; 0.0.0.0:5 by eth0; [::]:5 by eth2; 0.0.0.0:5 by eth2");
  EXPECT_EQ(x.follow(network{{eth1, eth2}, {}}), "[::]:5 by eth2; 0.0.0.0:5 by eth2");
}

TEST(following, one_interface_that_is_gone_is_not_the_end_of_others) {
  listening_host x;
  x.properties = {};
  x.locals = {local_endpoint{}.with_port(5).with_interface("eth0").with_ip_address("192.0.2.1"),
              local_endpoint{}.with_port(5).with_interface("eth1").with_ip_address("198.51.100.1")};
  const auto eth0 = link(1, "eth0", "192.0.2.1");
  const auto eth1 = link(2, "eth1", "198.51.100.1");
  EXPECT_EQ(x.listen(network{{eth0, eth1}, {}}), "192.0.2.1:5 by eth0; 198.51.100.1:5 by eth1");
  EXPECT_EQ(x.follow(network{{eth1}, {}}), "198.51.100.1:5 by eth1");
}
