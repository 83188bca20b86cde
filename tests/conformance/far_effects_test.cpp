// TRM, MNT: what routers and silent peers do to Connections. The neighbour at the far end of a
// cable is router and server.

#include "taps/tests/conformance/support/effects_fixture.hpp"

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;

namespace {

using id = property_id;

/// We are 192.0.2.1 and 2001:db8::1. The neighbour, .2, has a service at 198.51.100.7, port 7, and
/// behind it a narrow link: 203.0.113.0/24 and 2001:db8:1::/64, of packets up to 1300 bytes.
class far_effects : public effects {
protected:
  void SetUp() override {
    TAPS_NEEDS_NAMESPACE();
    other_ = std::make_unique<neighbour>("cable");
    shell("ip addr add 192.0.2.1/24 dev cable && ip addr add 2001:db8::1/64 dev cable nodad");
    shell("ip route add default via 192.0.2.2 && ip route add default via 2001:db8::2");
    other_->shell("ip addr add 192.0.2.2/24 dev eth0 && ip addr add 2001:db8::2/64 dev eth0 nodad");
    other_->shell("ip addr add 198.51.100.7/32 dev lo");
    other_->shell("sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 "
                  "net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0");
    other_->shell("ip link add narrow mtu 1300 type veth peer name far mtu 1300");
    other_->shell("ip link set narrow up && ip link set far up");
    other_->shell(
        "ip addr add 203.0.113.1/24 dev narrow && ip addr add 2001:db8:1::1/64 dev narrow nodad");
    other_->start("socat -T 10 TCP-LISTEN:7,fork,reuseaddr EXEC:cat");
  }

  void TearDown() override {
    conformance::TearDown();
    other_.reset();
  }

  /// To the service, once it is up.
  void connect_far(const transport_properties& wanted) {
    for (std::size_t tries = 0; tries < 1000; ++tries) {
      me_ = make_owner();
      made_ = initiate(to(remote_endpoint{}.with_ip_address("198.51.100.7").with_port(7), wanted),
                       me_.actor);
      if (me_.log->wait_first().what == "ready")
        break;
    }
    ASSERT_EQ(me_.log->names(), "ready");
    observe(made_, event_set::soft_error | event_set::path_change);
    taps::send(made_, "hello");
    receive(made_, {.min_incomplete_length = 5});
    ASSERT_EQ(me_.log->wait("received_partial").data.view(), "hello");
  }

  /// From now on no answer comes.
  void fall_silent() { other_->shell("ip route add blackhole 192.0.2.1/32"); }

  std::unique_ptr<neighbour> other_;
};

}  // namespace

// -- silence --------------------------------------------------------------------------------------

TEST_F(far_effects, TRM_06_nobody_acknowledges) {
  connect_far(reliable_inorder_stream().with(id::conn_timeout, 1s));
  fall_silent();
  const auto begin = std::chrono::steady_clock::now();
  taps::send(made_, "anybody?");
  const auto end = me_.log->wait("connection_error");
  EXPECT_EQ(end.reason.reason(), errc::timeout) << end.reason.text();
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 900ms);
}

TEST_F(far_effects, TRM_06_set_later) {
  connect_far(reliable_inorder_stream());
  fall_silent();
  taps::send(made_, "anybody?");
  EXPECT_FALSE(set(made_, "connTimeout", 1s));
  EXPECT_EQ(me_.log->wait("connection_error").reason.reason(), errc::timeout);
}

TEST_F(far_effects, TRM_06_the_last_complaint_of_a_router_is_no_other_reason) {
  connect_far(reliable_inorder_stream().with(id::conn_timeout, 2s));
  other_->shell("ip addr del 198.51.100.7/32 dev lo && ip route add unreachable 198.51.100.7/32");
  taps::send(made_, "anybody?");
  const auto end = me_.log->wait("connection_error");
  EXPECT_EQ(end.reason.reason(), errc::timeout) << end.reason.text();
  EXPECT_EQ(me_.log->count("soft_error"), 0u) << "nobody asked";
}

TEST_F(far_effects, excessive_retransmissions_are_told_once) {
  connect_far(reliable_inorder_stream()
                  .prefer(id::retransmit_notify)
                  .with(id::retransmit_notify_threshold, 2));
  EXPECT_EQ(properties_of(made_).get("retransmit-notify"), property_value{true});
  fall_silent();
  taps::send(made_, "anybody?");
  const auto text = me_.log->wait("soft_error").reason.text();
  EXPECT_NE(text.find("excessive retransmissions: 2"), std::string::npos) << text;
  // It goes on when the peer answers.
  other_->shell("ip route del blackhole 192.0.2.1/32");
  receive(made_, {.min_incomplete_length = 8});
  EXPECT_EQ(me_.log->wait("received_partial", 2).data.view(), "anybody?");
  EXPECT_EQ(me_.log->count("soft_error"), 1u);
}

TEST_F(far_effects, a_stream_hears_of_routers_if_it_wants) {
  connect_far(reliable_inorder_stream().prefer(id::soft_error_notify));
  EXPECT_EQ(properties_of(made_).get("softErrorNotify"), property_value{true});
  other_->shell("ip addr del 198.51.100.7/32 dev lo && ip route add unreachable 198.51.100.7/32");
  taps::send(made_, "anybody?");
  const auto text = me_.log->wait("soft_error").reason.text();
  EXPECT_NE(text.find("198.51.100.7:7: No route to host"), std::string::npos) << text;
  // And lives on.
  other_->shell("ip route del unreachable 198.51.100.7/32 && ip addr add 198.51.100.7/32 dev lo");
  receive(made_, {.min_incomplete_length = 8});
  EXPECT_EQ(me_.log->wait("received_partial", 2).data.view(), "anybody?");
}

TEST_F(far_effects, too_little_leaves) {
  connect_far(reliable_inorder_stream().with(id::min_send_rate, 1000));
  fall_silent();
  taps::send(made_, std::string(10'000'000, 'x'));
  const auto text = me_.log->wait("soft_error").reason.text();
  EXPECT_NE(text.find("minSendRate: only "), std::string::npos) << text;
}

TEST_F(far_effects, TRM_07_routers_complain_about_datagrams) {
  const auto there = remote_endpoint{}.with_ip_address("203.0.113.99").with_port(9);
  other_->shell("ip route add unreachable 203.0.113.99/32");
  connect(to(there, unreliable_datagram().require(id::soft_error_notify)));
  observe(made_, event_set::soft_error);
  taps::send(made_, "x", message_context{}.with_safely_replayable());
  const auto text = me_.log->wait("soft_error").reason.text();
  EXPECT_NE(text.find("203.0.113.99:9, says 192.0.2.2: No route to host"), std::string::npos)
      << text;
  settle(made_);
  EXPECT_EQ(me_.log->count("connection_error"), 0u);
}

// -- the path's MTU -------------------------------------------------------------------------------

TEST_F(far_effects, MNT_02_a_narrow_link_further_away) {
  for (const auto* address : {"203.0.113.5", "2001:db8:1::5"}) {
    const auto headers = std::string_view{address}.find(':') == std::string_view::npos ? 28 : 48;
    connect(to(remote_endpoint{}.with_ip_address(address).with_port(9), unreliable_datagram()));
    observe(made_, event_set::path_change);
    const auto singular = [&] { return properties_of(made_).get("singularTransmissionMsgMaxLen"); };
    EXPECT_EQ(singular(), property_value{1500 - headers}) << address;
    const auto replayable = message_context{}.with_safely_replayable();
    taps::send(made_, std::string(1400, 'x'), replayable);
    me_.log->wait("path_change");
    EXPECT_EQ(singular(), property_value{1300 - headers}) << address;
    EXPECT_EQ(properties_of(made_).get("sendMsgMaxLen"),
              property_value{headers == 28 ? 65507 : 65527});
    // Larger ones go in fragments.
    observe(made_, event_set::path_change | event_set::sent);
    taps::send(made_, std::string(1400, 'y'), replayable);
    me_.log->wait("sent");
    EXPECT_EQ(me_.log->count("send_error"), 0u);
  }
}

TEST_F(far_effects, MNT_02_our_own_link_becomes_narrow) {
  connect(to(remote_endpoint{}.with_ip_address("203.0.113.5").with_port(9), unreliable_datagram()));
  observe(made_, event_set::path_change);
  shell("ip link set cable mtu 1400");
  me_.log->wait("path_change");
  EXPECT_EQ(properties_of(made_).get("singularTransmissionMsgMaxLen"), property_value{1400 - 28});
}

TEST_F(far_effects, an_attempt_bound_to_a_link_that_goes_ends) {
  fall_silent();
  other_->shell("ip route add blackhole 203.0.113.0/25");
  auto me = make_owner();
  const auto wanted = reliable_inorder_stream().require(id::interface, "cable");
  const auto limit = std::chrono::steady_clock::now() + 10s;
  while (!net_.host_network()->owner_of(*ip_address::parse("192.0.2.1")) &&
         std::chrono::steady_clock::now() < limit)
    std::this_thread::yield();
  const auto made =
      initiate(to(remote_endpoint{}.with_ip_address("203.0.113.5").with_port(9), wanted), me.actor);
  settle(made);
  shell("ip link set cable down");
  const auto end = me.log->wait("establishment_error");
  EXPECT_NE(end.reason.text().find("interface cable went down"), std::string::npos)
      << end.reason.text();
}
