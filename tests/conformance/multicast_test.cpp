// Multicast groups, any-source and source-specific, of both IP versions: in network namespaces,
// with socat as the stranger at the far end of a cable.

#include "taps/tests/conformance/support/multicast_fixture.hpp"

using namespace taps;
using namespace taps::testing;

// -- sending --------------------------------------------------------------------------------------

TEST_F(multicast, MC_01_initiate_to_a_group_only_sends) {
  const auto heard = hear_there("UDP4-RECV:5000,ip-add-membership=239.1.1.1:192.0.2.2",
                                "/proc/net/igmp", "010101EF");
  auto me = make_owner();
  auto made =
      initiate(to(group("239.1.1.1").with_interface("cable"), unreliable_datagram()), me.actor);
  // Before it is known where it goes, and after.
  receive(made);
  me.log->wait("ready");
  EXPECT_EQ(me.log->wait("receive_error").reason.reason(), errc::not_supported);
  receive(made);
  me.log->wait("receive_error", 2);
  const auto properties = properties_of(made);
  EXPECT_FALSE(properties.has("canReceive"));
  EXPECT_TRUE(properties.has("canSend"));
  EXPECT_EQ(properties.get("recvMsgMaxLen"), property_value{0});
  taps::send(made, "hello");
  EXPECT_TRUE(wait_until([&] { return content(heard) == "hello"; })) << content(heard);
  close(made);
  me.log->wait("closed");
}

TEST_F(multicast, MC_01_over_ipv6_of_any_scope) {
  const auto heard = hear_there("UDP6-RECV:5000,ipv6-join-group=[ff05::7]:eth0", "/proc/net/igmp6",
                                "ff050000000000000000000000000007");
  auto me = make_owner();
  auto made = initiate(to(group("ff05::7%cable"), unreliable_datagram()), me.actor);
  taps::send(made, "wide");
  EXPECT_TRUE(wait_until([&] { return content(heard) == "wide"; })) << content(heard);
  auto near = initiate(to(group("ff02::1%cable"), unreliable_datagram()), me.actor);
  me.log->wait("ready", 2);
  close(made);
  close(near);
  me.log->wait("closed", 2);
}

TEST_F(multicast, MC_06_hop_limit) {
  auto me = make_owner();
  for (const std::string address : {"239.1.1.1", "ff05::7"}) {
    const auto member = plain_member(address);
    auto made = initiate(
        to(group(address).with_interface("cable").with_hop_limit(8), unreliable_datagram()),
        me.actor);
    taps::send(made, "far");
    EXPECT_EQ(hops_of_next(member), 8) << address;
    close(made);
  }
  // What the Remote Endpoint does not say the Local one may.
  const auto member = plain_member("239.1.1.1");
  const auto here = local_endpoint{}.with_interface("cable").with_hop_limit(3);
  auto made = initiate(
      net_.preconnection({here}, {group("239.1.1.1")}, unreliable_datagram(), plain()), me.actor);
  taps::send(made, "far");
  EXPECT_EQ(hops_of_next(member), 3);
  close(made);
  me.log->wait("closed", 3);
}

// -- hearing --------------------------------------------------------------------------------------

TEST_F(multicast, MC_02_two_senders_are_two_connections_and_two_listeners_both_hear) {
  auto here = hear({any_source("239.1.1.1")});
  auto second = hear({any_source("239.1.1.1")});
  send_v4("one");
  send_v4("two", "239.1.1.1", "192.0.2.3");
  for (const auto* x : {&here, &second}) {
    x->by.log->wait("connection_received", 2);
    EXPECT_EQ(x->by.log->wait("received").data.view(), "one");
    EXPECT_EQ(x->by.log->wait("received", 2).data.view(), "two");
  }
  const auto sender = here.by.log->wait("connection_received").connection;
  const auto other = here.by.log->wait("connection_received", 2).connection;
  EXPECT_EQ(group_of(sender), (std::vector{sender, other}));
  close(other);
  here.by.log->wait("closed");
  EXPECT_EQ(group_of(sender), std::vector{sender});
  const auto properties = properties_of(sender);
  EXPECT_EQ(to_string(properties.get("_tapline.localEndpoint")), "239.1.1.1:5000");
  EXPECT_FALSE(properties.has("canSend"));
  for (const auto* x : {&here, &second}) {
    stop(x->listener);
    x->by.log->wait("stopped");
  }
}

TEST_F(multicast, MC_02_over_ipv6) {
  auto here = hear({any_source("ff05::7")});
  send_v6("wide", "ff05::7");
  EXPECT_EQ(here.by.log->wait("received").data.view(), "wide");
  stop(here.listener);
  here.by.log->wait("stopped");
}

TEST_F(multicast, a_link_local_group_is_heard_with_and_without_a_zone) {
  auto anywhere = hear({any_source("ff02::7")});
  auto at_cable = hear({any_source("ff02::7%cable")});
  send_v6("near", "ff02::7%eth0");
  EXPECT_EQ(anywhere.by.log->wait("received").data.view(), "near");
  EXPECT_EQ(at_cable.by.log->wait("received").data.view(), "near");
}

TEST_F(multicast, MC_03_ssm_hears_no_other_source) {
  auto here = hear({one_source("232.1.1.1", "192.0.2.2")});
  // The group and a Remote Endpoint's address mean the same.
  auto same = hear({any_source("232.1.1.1")}, {remote_endpoint{}.with_ip_address("192.0.2.2")});
  auto six = hear({one_source("ff35::7", "2001:db8::2")});
  auto other = hear({one_source("ff35::7", "2001:db8::3")});
  send_v4("no", "232.1.1.1", "192.0.2.3");
  send_v4("yes", "232.1.1.1", "192.0.2.2");
  send_v6("six", "ff35::7");
  EXPECT_EQ(here.by.log->wait("received").data.view(), "yes");
  EXPECT_EQ(same.by.log->wait("received").data.view(), "yes");
  EXPECT_EQ(six.by.log->wait("received").data.view(), "six");
  EXPECT_EQ(here.by.log->count("connection_received"), 1u);
  EXPECT_EQ(same.by.log->count("connection_received"), 1u);
  EXPECT_EQ(other.by.log->names(), "");
}

TEST_F(multicast, a_group_of_the_remote_endpoint_is_heard_too) {
  auto here = hear({local_endpoint{}}, {group("239.1.1.1")});
  send_v4("heard");
  EXPECT_EQ(here.by.log->wait("received").data.view(), "heard");
}

TEST_F(multicast, MC_05_send_where_one_only_receives) {
  auto here = hear({any_source("239.1.1.1")});
  send_v4("one");
  const auto made = here.by.log->wait("connection_received").connection;
  taps::send(made, "back");
  EXPECT_EQ(here.by.log->wait("send_error").reason.reason(), errc::invalid_message_properties);
}

TEST_F(multicast, the_group_is_left_with_the_last_who_hears_it) {
  EXPECT_FALSE(is_member());
  auto here = hear({any_source("239.1.1.1")});
  EXPECT_TRUE(is_member());
  send_v4("one");
  const auto made = here.by.log->wait("connection_received").connection;
  here.by.log->wait("received");
  stop(here.listener);
  here.by.log->wait("stopped");
  EXPECT_TRUE(is_member()) << "the Connection lives on";
  close(made);
  here.by.log->wait("closed");
  EXPECT_TRUE(wait_until([] { return !is_member(); }));
}

TEST_F(multicast, what_others_joined_is_not_heard_and_not_taken_from_them) {
  auto at_loopback = hear({any_source("239.1.1.1").with_interface("lo")});
  auto everywhere = hear({any_source("239.1.1.1")});
  send_v4("cable");
  EXPECT_EQ(everywhere.by.log->wait("received").data.view(), "cable");
  EXPECT_EQ(at_loopback.by.log->names(), "");
}

// -- links that change ----------------------------------------------------------------------------

TEST_F(multicast, an_interface_that_comes_later_is_joined) {
  auto here = hear({any_source("239.1.1.1")});
  neighbour late{"second"};
  shell("ip addr add 198.51.100.1/24 dev second");
  late.shell("ip addr add 198.51.100.2/24 dev eth0");
  // It takes a moment until it is joined.
  late.start("sh -c \"while :; do echo -n late | socat -u - "
             "UDP4-DATAGRAM:239.1.1.1:5000,ip-multicast-if=198.51.100.2; sleep 0.1; done\"");
  EXPECT_EQ(here.by.log->wait("received").data.view(), "late");
}

TEST_F(multicast, an_interface_that_comes_back_is_joined_again) {
  auto here = hear({any_source("ff02::7%cable")});
  send_v6("one", "ff02::7%eth0");
  here.by.log->wait("received");
  other_.reset();
  EXPECT_TRUE(wait_until([&] { return !net_.host_network()->find("cable"); }));
  other_ = std::make_unique<neighbour>("cable");
  give_addresses("cable");
  other_->start("sh -c \"while :; do echo -n two | socat -u - UDP6-DATAGRAM:[ff02::7%eth0]:5000; "
                "sleep 0.1; done\"");
  EXPECT_EQ(here.by.log->wait("received", 2).data.view(), "two");
}

// -- what cannot be -------------------------------------------------------------------------------

TEST_F(multicast, MC_04_what_only_receives_neither_initiates_nor_meets) {
  const auto ours = failure_of_initiating({any_source("239.1.1.1")}, {loopback_remote(9)});
  EXPECT_EQ(ours.reason(), errc::invalid_configuration);
  const auto flow = failure_of_initiating({}, {group("239.1.1.1")}, receiving);
  EXPECT_EQ(flow.reason(), errc::invalid_configuration);
  EXPECT_EQ(flow.text(), "Initiate only sends to the group 239.1.1.1, but direction is "
                         "Unidirectional Receive");
  auto me = make_owner();
  rendezvous(net_.preconnection({one_source("232.1.1.1", "192.0.2.2")}, {loopback_remote(9)},
                                unreliable_datagram(), plain()),
             me.actor);
  EXPECT_EQ(me.log->wait("establishment_error").reason.reason(), errc::invalid_configuration);
}

TEST_F(multicast, MC_07_a_group_is_not_heard_in_both_directions) {
  const auto failure = failure_of_listening(any_source("239.1.1.1"), unreliable_datagram());
  EXPECT_EQ(failure.reason(), errc::invalid_configuration);
  EXPECT_EQ(failure.text(),
            "Listen only receives from the group 239.1.1.1, but direction is Bidirectional");
}

TEST_F(multicast, what_nobody_can_do_is_told_as_that) {
  EXPECT_EQ(failure_of_listening(any_source("239.1.1.1").with_interface("wlan7")).text(),
            "there is no interface wlan7");
  EXPECT_EQ(failure_of_initiating({}, {group("239.1.1.1").with_interface("wlan7")}).text(),
            "there is no interface wlan7");
  EXPECT_EQ(
      failure_of_listening(local_endpoint{}.with_any_source_multicast_group_ip("239.1.1.1")).text(),
      "Listen: the group 239.1.1.1 has neither port nor service");
  const auto secured =
      failure_of_listening(any_source("239.1.1.1"), receiving, security_parameters{});
  EXPECT_EQ(secured.reason(), errc::no_candidates);
  EXPECT_EQ(secured.text(), "no protocol stack fits: multicast: no encryption; add "
                            "security_parameters::disabled() for plain connections");
  EXPECT_EQ(failure_of_initiating({}, {group("239.1.1.1")}, reliable_inorder_stream()).reason(),
            errc::no_candidates);
  EXPECT_EQ(failure_of_initiating({}, {group("ff02::7")}).text(),
            "Remote Endpoint: 'ff02::7' is a link-local group and needs a zone, such as "
            "'ff02::7%eth0'");
}
