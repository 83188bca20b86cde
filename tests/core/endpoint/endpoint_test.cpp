#include "taps/core/endpoint/endpoint.hpp"

#include <gtest/gtest.h>

using namespace taps;

namespace {

ip_address address(std::string_view text) { return *ip_address::parse(text); }

std::string error_of(const endpoint& x) {
  const auto result = x.check();
  if (result)
    return "no error";
  EXPECT_EQ(result.failure(), errc::invalid_configuration);
  return result.failure().text();
}

}  // namespace

// -- identifiers ------------------------------------------------------------------

TEST(endpoint, EP_01_second_address_replaces_the_first) {
  const auto x = remote_endpoint{}.with_ip_address("192.0.2.1").with_ip_address("2001:db8::1");
  EXPECT_EQ(x.address(), address("2001:db8::1"));
  EXPECT_EQ(x, remote_endpoint{}.with_ip_address(address("2001:db8::1")));
}

TEST(endpoint, EP_01_second_value_replaces_the_first_for_every_kind) {
  const auto x = remote_endpoint{}
                     .with_hostname("a.example")
                     .with_port(1)
                     .with_service("http")
                     .with_interface("eth0")
                     .with_protocol("p")
                     .with_hop_limit(1)
                     .with_multicast_group_ip("239.1.1.1")
                     .with_hostname("b.example")
                     .with_port(2)
                     .with_service("https")
                     .with_interface("eth1")
                     .with_protocol("q")
                     .with_hop_limit(2)
                     .with_multicast_group_ip("ff02::1");
  EXPECT_EQ(x.hostname(), "b.example");
  EXPECT_EQ(x.port(), 2);
  EXPECT_EQ(x.service(), "https");
  EXPECT_EQ(x.interface(), "eth1");
  EXPECT_EQ(x.protocol(), "q");
  EXPECT_EQ(x.hop_limit(), 2);
  EXPECT_EQ(x.multicast_group(), address("ff02::1"));
  EXPECT_TRUE(x.check().has_value());
}

TEST(endpoint, EP_02_zone_is_the_interface) {
  const auto expected = remote_endpoint{}.with_ip_address("fe80::1").with_interface("lo");
  EXPECT_EQ(remote_endpoint{}.with_ip_address("fe80::1%lo"), expected);
  EXPECT_EQ(remote_endpoint{}.with_hostname("fe80::1%lo"), expected);
}

TEST(endpoint, address_in_text_form_is_no_hostname) {
  for (auto text : {"127.0.0.1", "::1", "2001:db8::1"}) {
    const auto x = remote_endpoint{}.with_hostname("old.example").with_hostname(text);
    EXPECT_EQ(x.hostname(), std::nullopt);
    EXPECT_EQ(x.address(), address(text));
  }
}

TEST(endpoint, hostname_and_address_stay_side_by_side) {
  const auto x = remote_endpoint{}.with_ip_address("192.0.2.1").with_hostname("a.example");
  EXPECT_EQ(x.hostname(), "a.example");
  EXPECT_EQ(x.address(), address("192.0.2.1"));
}

TEST(endpoint, interface_any_lifts_the_restriction) {
  const auto x = local_endpoint{}.with_interface("eth0").with_interface("any");
  EXPECT_EQ(x.interface(), std::nullopt);
  EXPECT_EQ(x, local_endpoint{});
}

// -- errors -----------------------------------------------------------------------

TEST(endpoint, EP_03_malformed_address_is_an_error_that_names_it) {
  EXPECT_EQ(error_of(remote_endpoint{}.with_ip_address("300.1.2.3")),
            "'300.1.2.3' is not an IP address");
  for (auto text : {"", "localhost", "1.2.3", "fe80::1%", "192.0.2.1%eth0", "::zz", "%lo"})
    EXPECT_EQ(error_of(remote_endpoint{}.with_ip_address(text)),
              "'" + std::string{text} + "' is not an IP address");
  for (auto text : {"300.1.2.3", "fe80::zz", "1.2.3", "192.0.2.1%eth0", "::1:"})
    EXPECT_EQ(error_of(remote_endpoint{}.with_hostname(text)),
              "'" + std::string{text} + "' is not an IP address");
}

TEST(endpoint, EP_03_unicast_address_is_no_multicast_group) {
  const std::string text = "'192.0.2.1' is not a multicast address";
  EXPECT_EQ(error_of(remote_endpoint{}.with_multicast_group_ip("192.0.2.1")), text);
  EXPECT_EQ(error_of(local_endpoint{}.with_any_source_multicast_group_ip("192.0.2.1")), text);
  EXPECT_EQ(
      error_of(local_endpoint{}.with_single_source_multicast_group_ip("192.0.2.1", "1.2.3.4")),
      text);
  EXPECT_EQ(error_of(remote_endpoint{}.with_multicast_group_ip("x")), "'x' is not an IP address");
}

TEST(endpoint, first_error_stays) {
  const auto x = remote_endpoint{}
                     .with_ip_address("bad-one")
                     .with_ip_address("bad-two")
                     .with_port(0)
                     .with_ip_address("192.0.2.1");
  EXPECT_EQ(error_of(x), "'bad-one' is not an IP address");
  EXPECT_EQ(x.address(), address("192.0.2.1"));
}

TEST(endpoint, port_0_is_an_error_on_a_remote_endpoint_only) {
  EXPECT_EQ(error_of(remote_endpoint{}.with_port(0)),
            "port 0 cannot be the port of a Remote Endpoint");
  EXPECT_TRUE(local_endpoint{}.with_port(0).check().has_value());
}

TEST(endpoint, hostnames_within_the_limits_of_dns_are_taken) {
  const std::string label(63, 'a');
  const auto longest = label + "." + label + "." + label + "." + std::string(61, 'b');
  ASSERT_EQ(longest.size(), 253u);
  for (const auto& name :
       {std::string{"localhost"}, std::string{"a"}, std::string{"example.com."},
        std::string{"_sip._udp.example.com"}, std::string{"xn--bcher-kva.example"},
        std::string{"3com.com"}, std::string{"deadbeef"}, std::string{"1a.2b"}, std::string{"12"},
        label, longest, longest + "."}) {
    const auto x = remote_endpoint{}.with_hostname(name);
    EXPECT_TRUE(x.check().has_value()) << error_of(x);
    EXPECT_EQ(x.hostname(), name);
  }
}

TEST(endpoint, hostnames_beyond_the_limits_are_errors) {
  const std::string label(63, 'a');
  const auto too_long = label + "." + label + "." + label + "." + std::string(62, 'b');
  EXPECT_EQ(error_of(remote_endpoint{}.with_hostname("")), "a host name is empty");
  EXPECT_NE(error_of(remote_endpoint{}.with_hostname(too_long)).find("longer than 253 characters"),
            std::string::npos);
  EXPECT_LT(error_of(remote_endpoint{}.with_hostname(std::string(100000, 'a'))).size(), 400u);
  EXPECT_EQ(error_of(remote_endpoint{}.with_hostname("x." + label + "a")),
            "'x." + label + "a' is not a host name: it has a label of more than 63 characters");
  EXPECT_EQ(error_of(remote_endpoint{}.with_hostname("a..b")),
            "'a..b' is not a host name: it has an empty label");
  EXPECT_EQ(error_of(remote_endpoint{}.with_hostname(".")),
            "'.' is not a host name: it has an empty label");
  EXPECT_EQ(error_of(remote_endpoint{}.with_hostname("a b")),
            "'a b' is not a host name: it has a character that host names do not have");
  EXPECT_EQ(error_of(remote_endpoint{}.with_hostname("b\xc3\xbc"
                                                     "cher.example")),
            "'b\xc3\xbc"
            "cher.example' is not a host name: it is not in ASCII form (xn--...)");
  EXPECT_FALSE(remote_endpoint{}.with_hostname(std::string_view{"a\0b", 3}).check().has_value());
}

TEST(endpoint, empty_names_are_errors) {
  EXPECT_EQ(error_of(remote_endpoint{}.with_service("")), "a service name is empty");
  EXPECT_EQ(error_of(local_endpoint{}.with_interface("")), "an interface name is empty");
  EXPECT_EQ(error_of(local_endpoint{}.with_protocol("")), "a protocol name is empty");
}

// -- multicast and STUN -----------------------------------------------------------

TEST(endpoint, kinds_of_multicast_replace_each_other) {
  auto x = local_endpoint{}.with_single_source_multicast_group_ip("232.1.1.1", "192.0.2.1");
  EXPECT_EQ(x.multicast_group(), address("232.1.1.1"));
  EXPECT_EQ(x.multicast_source(), address("192.0.2.1"));
  x.with_any_source_multicast_group_ip("ff02::1%eth0");
  EXPECT_EQ(x.multicast_group(), address("ff02::1"));
  EXPECT_EQ(x.interface(), "eth0");
  EXPECT_EQ(x.multicast_source(), std::nullopt);
  EXPECT_TRUE(x.check().has_value());
}

TEST(endpoint, source_of_a_group_must_be_unicast_of_its_family) {
  EXPECT_EQ(
      error_of(local_endpoint{}.with_single_source_multicast_group_ip("232.1.1.1", "232.1.1.2")),
      "'232.1.1.2' is a multicast address and cannot be the source of a group");
  EXPECT_EQ(error_of(local_endpoint{}.with_single_source_multicast_group_ip("232.1.1.1", "::1")),
            "'::1' and the group 232.1.1.1 are of different address families");
  EXPECT_EQ(error_of(local_endpoint{}.with_single_source_multicast_group_ip("232.1.1.1", "here")),
            "'here' is not an IP address");
}

TEST(endpoint, stun_server_is_kept) {
  const auto x = local_endpoint{}.with_stun_server({address("192.0.2.9"), 3478, "user", "secret"});
  ASSERT_TRUE(x.stun().has_value());
  EXPECT_EQ(x.stun()->user, "user");
  EXPECT_NE(x, local_endpoint{});
}

TEST(endpoint, prints_what_it_holds) {
  EXPECT_EQ(to_string(local_endpoint{}), "any");
  EXPECT_EQ(to_string(remote_endpoint{}
                          .with_hostname("a.example")
                          .with_ip_address("192.0.2.1")
                          .with_port(80)
                          .with_service("http")
                          .with_interface("eth0")
                          .with_protocol("p")
                          .with_hop_limit(4)),
            "host a.example, address 192.0.2.1, port 80, service http, interface eth0, protocol p, "
            "hop limit 4");
  EXPECT_EQ(to_string(local_endpoint{}.with_any_source_multicast_group_ip("239.1.1.1")),
            "group 239.1.1.1");
}
