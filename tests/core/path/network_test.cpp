#include "taps/core/path/network.hpp"
#include "taps/core/path/path_selection.hpp"

#include <gtest/gtest.h>

using namespace taps;

namespace {

ip_address ip(const char* text) { return *ip_address::parse(text); }

network_interface made(std::string name, std::uint32_t index, interface_type type,
                       std::vector<interface_address> addresses) {
  return {std::move(name), index, type, true, 1500, std::move(addresses)};
}

/// A laptop: loopback, a cable and a radio, both with a way out; the cable is cheaper.
network laptop() {
  auto lo = made("lo", 1, interface_type::loopback, {{ip("127.0.0.1"), 8}, {ip("::1"), 128}});
  auto cable = made("eth0", 2, interface_type::wired, {{ip("192.0.2.7"), 24}});
  auto radio = made("wlan0", 3, interface_type::wifi,
                    {{ip("198.51.100.9"), 24},
                     {ip("2001:db8::9"), 64},
                     {ip("2001:db8::aaaa"), 64, true},
                     {ip("fe80::9"), 64}});
  auto off = made("usb0", 4, interface_type::wired, {});
  off.up = false;
  return {{radio, lo, off, cable},
          {{ip("0.0.0.0"), 0, 3, ip("198.51.100.1"), 600},
           {ip("0.0.0.0"), 0, 2, ip("192.0.2.1"), 100},
           {ip("::"), 0, 3, ip("fe80::1"), 600},
           {ip("10.0.0.0"), 8, 2, ip("192.0.2.2"), 0}},
          {{"office", {"eth0"}, {}}}};
}

std::string names(const result<std::vector<path>>& x) {
  if (!x)
    return std::string{to_string(x.failure().reason())} + ": " + x.failure().text();
  std::string all;
  for (const auto& y : *x)
    all += (all.empty() ? "" : " ") + (y.interface.empty() ? "kernel" : y.interface);
  return all;
}

path_request wanting(interface_preferences interfaces) {
  path_request result;
  result.interfaces = std::move(interfaces);
  return result;
}

}  // namespace

// -- network --------------------------------------------------------------------------------------

TEST(network, who_reaches_what) {
  const auto here = laptop();
  const auto& lo = *here.find("lo");
  const auto& cable = *here.find("eth0");
  const auto& radio = *here.find("wlan0");
  EXPECT_TRUE(here.reaches(lo, ip("127.0.0.1")));
  EXPECT_FALSE(here.reaches(cable, ip("127.0.0.1")));
  EXPECT_TRUE(here.reaches(lo, ip("192.0.2.7")));
  EXPECT_FALSE(here.reaches(cable, ip("192.0.2.7")));
  EXPECT_TRUE(here.reaches(cable, ip("192.0.2.200")));
  EXPECT_TRUE(here.reaches(radio, ip("192.0.2.200")));
  EXPECT_FALSE(here.reaches(lo, ip("192.0.2.200")));
  EXPECT_TRUE(here.reaches(cable, ip("10.1.2.3")));
  EXPECT_FALSE(here.reaches(cable, ip("2001:db8:1::1")));
  EXPECT_TRUE(here.reaches(radio, ip("2001:db8:1::1")));
}

TEST(network, the_ways_of_the_kernel) {
  const auto here = laptop();
  EXPECT_EQ(here.way_to(ip("10.1.2.3"))->name, "eth0");
  EXPECT_EQ(here.way_to(ip("203.0.113.1"))->name, "eth0");
  EXPECT_EQ(here.way_to(ip("2001:db8:1::1"))->name, "wlan0");
  EXPECT_EQ(here.way_to(ip("::1"))->name, "lo");
  EXPECT_EQ(network{}.way_to(ip("::1")), nullptr);
  EXPECT_EQ(here.name(), "eth0/192.0.2.1 wlan0/198.51.100.1 wlan0/fe80::1");
  EXPECT_EQ(network{}.name(), "");
}

TEST(network, tells_changes) {
  const auto before = laptop();
  auto interfaces = before.interfaces();
  interfaces[1].mtu = 1400;
  interfaces.pop_back();
  interfaces.push_back(made("tun0", 9, interface_type::tunnel, {}));
  const network after{interfaces, before.routes(), before.domains()};
  EXPECT_EQ(changed_interfaces(before, after), (std::vector<std::string>{"eth0", "tun0", "usb0"}));
  EXPECT_TRUE(changed_interfaces(before, laptop()).empty());
  EXPECT_EQ(before, laptop());
  EXPECT_NE(before, after);
  EXPECT_FALSE(network{}.known());
}

TEST(network, types_have_names) {
  for (const auto* name : {"loopback", "wired", "wifi", "cellular", "tunnel"})
    EXPECT_EQ(to_string(*find_interface_type(name)), name);
  EXPECT_FALSE(find_interface_type("eth0"));
}

// -- paths ----------------------------------------------------------------------------------------

TEST(paths, the_kernel_chooses_and_other_ways_out_follow) {
  EXPECT_EQ(names(select_paths(laptop(), {})), "kernel wlan0");
  EXPECT_EQ(names(select_paths(network{}, {})), "kernel");
  EXPECT_EQ(names(select_paths(network{}, wanting({{preference::avoid, "wifi"}}))),
            "NoCandidates: interfaces are asked for, but this host does not tell which it has");
}

TEST(paths, preferences_filter_and_rank) {
  const auto here = laptop();
  EXPECT_EQ(names(select_paths(here, wanting({{preference::require, "wifi"}}))), "wlan0");
  EXPECT_EQ(names(select_paths(here, wanting({{preference::require, "eth0"}}))), "eth0");
  EXPECT_EQ(names(select_paths(here, wanting({{preference::prohibit, "wired"}}))), "wlan0 lo");
  EXPECT_EQ(names(select_paths(here, wanting({{preference::prefer, "wifi"}}))), "wlan0 eth0 lo");
  EXPECT_EQ(names(select_paths(here, wanting({{preference::avoid, "wired"}}))), "wlan0 lo eth0");
  EXPECT_EQ(names(select_paths(
                here, wanting({{preference::require, "wifi"}, {preference::require, "wlan0"}}))),
            "wlan0");
}

TEST(paths, domains_filter_too) {
  path_request office;
  office.domains = {{preference::require, "office"}};
  EXPECT_EQ(names(select_paths(laptop(), office)), "eth0");
  office.interfaces = {{preference::prohibit, "wired"}};
  EXPECT_EQ(names(select_paths(laptop(), office)),
            "NoCandidates: no interface fits: lo: pvd Require office; eth0: interface Prohibit "
            "wired; wlan0: pvd Require office; usb0: down");
}

TEST(paths, temporary_addresses_may_be_required) {
  path_request wanted;
  wanted.temporary_address = preference::require;
  EXPECT_EQ(names(select_paths(laptop(), wanted)), "wlan0");
  wanted.temporary_address = preference::prefer;
  EXPECT_EQ(names(select_paths(laptop(), wanted)), "kernel wlan0");
}

TEST(paths, absent_interfaces) {
  EXPECT_EQ(names(select_paths(laptop(), wanting({{preference::require, "cellular"}}))),
            "NoCandidates: no interface fits: lo: interface Require cellular; eth0: interface "
            "Require cellular; wlan0: interface Require cellular; usb0: down");
  path_request named;
  named.named = {"wwan7"};
  named.unnamed = false;
  EXPECT_EQ(names(select_paths(laptop(), named)),
            "InvalidConfiguration: there is no interface wwan7");
}

TEST(network, a_zone_is_a_name_or_a_number) {
  const auto here = laptop();
  for (const auto& x : here.interfaces())
    EXPECT_EQ(here.find(std::to_string(x.index)), &x);
  for (const auto* x : {"", "0", "-1", "1x", " 1", "99999", "4294967297"})
    EXPECT_EQ(here.find(x), nullptr) << x;
  network_interface named;
  named.name = "7";
  named.index = 1;
  network_interface numbered;
  numbered.name = "eth0";
  numbered.index = 7;
  EXPECT_EQ((network{{named, numbered}, {}}.find("7")->index), 1u) << "a name goes first";
}

TEST(paths, EP_08_local_endpoints_against_properties) {
  path_request named;
  named.named = {"eth0", "wlan0"};
  named.unnamed = false;
  EXPECT_EQ(names(select_paths(laptop(), named)), "eth0 wlan0");
  named.interfaces = {{preference::require, "wifi"}};
  EXPECT_EQ(names(select_paths(laptop(), named)), "wlan0");
  named.interfaces = {{preference::avoid, "eth0"}};
  EXPECT_EQ(names(select_paths(laptop(), named)), "eth0 wlan0");
  named.interfaces = {{preference::require, "loopback"}};
  EXPECT_EQ(names(select_paths(laptop(), named)),
            "InvalidConfiguration: interface eth0 of an Endpoint contradicts interface Require "
            "loopback");
}
