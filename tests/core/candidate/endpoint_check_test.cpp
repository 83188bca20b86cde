#include "taps/core/candidate/endpoint_check.hpp"

#include "taps/tests/core/candidate/protocols.hpp"

#include <gtest/gtest.h>

using namespace taps;
using namespace taps::testing;

namespace {

ip_address address(std::string_view text) { return *ip_address::parse(text); }

std::string error_of(const std::vector<local_endpoint>& locals,
                     const std::vector<remote_endpoint>& remotes,
                     establishment how = establishment::initiate) {
  const auto result = check_endpoints(locals, remotes, how);
  if (result)
    return "no error";
  EXPECT_EQ(result.failure(), errc::invalid_configuration);
  return result.failure().text();
}

const auto good = remote_endpoint{}.with_hostname("host.example").with_port(80);

}  // namespace

TEST(endpoint_check, PRE_01_02_each_action_names_the_endpoint_it_lacks) {
  EXPECT_EQ(error_of({}, {}), "Initiate needs a Remote Endpoint");
  EXPECT_EQ(error_of({}, {good}, establishment::listen), "Listen needs a Local Endpoint");
  EXPECT_EQ(error_of({}, {good}, establishment::rendezvous),
            "Rendezvous needs a Local and a Remote Endpoint");
  EXPECT_EQ(error_of({local_endpoint{}}, {}, establishment::rendezvous),
            "Rendezvous needs a Local and a Remote Endpoint");
  EXPECT_EQ(error_of({}, {good}), "no error");
  EXPECT_EQ(error_of({local_endpoint{}}, {}, establishment::listen), "no error");
}

TEST(endpoint_check, EP_03_errors_of_qualifiers_come_out) {
  EXPECT_EQ(error_of({}, {good, remote_endpoint{}.with_ip_address("300.1.2.3")}),
            "Remote Endpoint: '300.1.2.3' is not an IP address");
  EXPECT_EQ(error_of({local_endpoint{}.with_any_source_multicast_group_ip("10.0.0.1")}, {good}),
            "Local Endpoint: '10.0.0.1' is not a multicast address");
}

TEST(endpoint_check, remote_endpoints_must_be_complete) {
  EXPECT_EQ(error_of({}, {remote_endpoint{}.with_port(80)}),
            "Remote Endpoint (port 80) has neither host name nor address");
  EXPECT_EQ(error_of({}, {remote_endpoint{}.with_hostname("host.example")}),
            "Remote Endpoint (host host.example) has neither port nor service");
  EXPECT_EQ(error_of({}, {remote_endpoint{}.with_hostname("host.example").with_service("http")}),
            "no error");
  // As a filter of a Listener it need not be.
  EXPECT_EQ(error_of({local_endpoint{}}, {remote_endpoint{}.with_ip_address("192.0.2.1")},
                     establishment::listen),
            "no error");
}

TEST(endpoint_check, link_local_addresses_need_a_zone) {
  const auto remote = remote_endpoint{}.with_ip_address("fe80::1").with_port(80);
  EXPECT_EQ(error_of({}, {remote}),
            "Remote Endpoint: 'fe80::1' is a link-local address and needs a "
            "zone, such as 'fe80::1%eth0'");
  EXPECT_EQ(error_of({local_endpoint{}.with_interface("eth0")}, {remote}), "no error");
  EXPECT_EQ(error_of({local_endpoint{}.with_ip_address("fe80::2")}, {good}),
            "Local Endpoint: 'fe80::2' is a link-local address and needs a zone, such as "
            "'fe80::2%eth0'");
}

TEST(endpoint_check, local_address_cannot_be_multicast) {
  EXPECT_EQ(error_of({local_endpoint{}.with_ip_address("239.1.1.1")}, {good}),
            "Local Endpoint: '239.1.1.1' is a multicast address and cannot be bound");
}

TEST(endpoint_check, families_must_meet_in_some_pair) {
  const auto v4 = local_endpoint{}.with_ip_address("192.0.2.1");
  const auto v6 = local_endpoint{}.with_ip_address("2001:db8::1");
  const auto remote = remote_endpoint{}.with_ip_address("2001:db8::2").with_port(80);
  EXPECT_EQ(error_of({v4}, {remote}),
            "Local Endpoint address 192.0.2.1 (IPv4) cannot reach 2001:db8::2 (IPv6)");
  EXPECT_EQ(error_of({v4, v6}, {remote}), "no error");
  EXPECT_EQ(error_of({v4}, {remote, good}), "no error");
}

TEST(endpoint_check, interface_and_zone_must_agree) {
  const auto remote = remote_endpoint{}.with_ip_address("fe80::1%eth1").with_port(80);
  EXPECT_EQ(error_of({local_endpoint{}.with_interface("eth0")}, {remote}),
            "Local Endpoint interface eth0 contradicts interface eth1 of the Remote Endpoint");
  EXPECT_EQ(error_of({local_endpoint{}.with_interface("eth1")}, {remote}), "no error");
}

TEST(endpoint_check, no_leaves_says_why) {
  const auto stack = make_stack(tcp());
  gather_input x;
  x.paths = {path{}};
  x.stacks = {{&stack, false}};
  x.remotes.resize(1);
  EXPECT_EQ(no_leaves(x), errc::resolution_failed);
  EXPECT_EQ(no_leaves(x).text(), "no Remote Endpoint has an address");
  x.remotes[0].addresses = {address("192.0.2.1")};
  EXPECT_EQ(no_leaves(x).text(), "no Remote Endpoint has a port");
  x.remotes[0].port = 80;
  x.locals.resize(1);
  x.locals[0].addresses = {address("::1")};
  EXPECT_EQ(no_leaves(x), errc::invalid_configuration);
  EXPECT_EQ(no_leaves(x).text(),
            "the Local Endpoints have IPv6 addresses, the Remote Endpoints IPv4 addresses");
  x.locals.clear();
  x.remotes[0].protocol = "udp";
  EXPECT_EQ(no_leaves(x), errc::no_candidates);
  EXPECT_EQ(no_leaves(x).text(), "no pair of Local and Remote Endpoints goes together for tcp");
}
