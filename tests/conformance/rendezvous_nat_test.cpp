// Rendezvous between hosts in two network namespaces: behind NATs that a program of the tests
// plays, over a slow line, and over a cable.

#include "taps/tests/conformance/support/rendezvous_fixture.hpp"
#include "taps/tests/support/nat/nat_box.hpp"
#include "taps/tests/support/network_namespace/network_namespace.hpp"

#include <array>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;

namespace {

class rendezvous_between_hosts : public rendezvous_conformance {
protected:
  void SetUp() override {
    TAPS_NEEDS_NAMESPACE();
    for (auto& x : hosts_)
      x.there = std::make_unique<hermit>();
  }

  void TearDown() override {
    for (auto& x : hosts_)
      x.net.reset();
    box_.reset();
    for (auto& x : hosts_)
      x.there.reset();
    conformance::TearDown();
  }

  struct host {
    std::unique_ptr<hermit> there;
    std::optional<transport_services> net;
  };

  /// To be called when the hosts have their addresses.
  void start_services() {
    for (auto& x : hosts_)
      x.there->run([&] { x.net.emplace(system_, options()); });
  }

  void attach(nat_type first, nat_type second, std::chrono::milliseconds delay = 5ms) {
    box_ = std::make_unique<nat_box>();
    box_->attach(*hosts_[0].there, first, "10.0.0.2", "198.51.100.1");
    box_->attach(*hosts_[1].there, second, "10.0.0.3", "203.0.113.1");
    box_->start(delay);
    start_services();
  }

  side make_side_at(std::size_t number, const local_endpoint& where,
                    const transport_properties& wanted) {
    // Its owner is no neighbour of the Connection, which would draw it to the wrong host.
    return {hosts_[number].net->preconnection(where, wanted, plain()), make_unpinned_owner()};
  }

  static local_endpoint with_stun() {
    return local_endpoint{}.with_stun_server({nat_box::stun_address(), nat_box::stun_port, {}, {}});
  }

  static std::string texts(const std::vector<local_endpoint>& all) {
    std::string result;
    for (const auto& x : all)
      result += (result.empty() ? "" : " ") + to_string(*x.address());
    return result;
  }

  std::array<host, 2> hosts_;
  std::unique_ptr<nat_box> box_;
};

}  // namespace

// -- NATs -----------------------------------------------------------------------------------------

TEST_F(rendezvous_between_hosts, PRE_09_resolve_finds_what_a_stun_server_sees) {
  attach(nat_type::port_restricted, nat_type::full_cone);
  auto a = make_side_at(0, with_stun(), unreliable_datagram());
  resolve_side(a);
  EXPECT_EQ(texts(a.found), "10.0.0.2 198.51.100.1");
  EXPECT_EQ(a.found.back().port(), 40001);
  // A stream has no use for it.
  auto b = make_side_at(0, with_stun(), reliable_inorder_stream());
  resolve_side(b);
  EXPECT_EQ(texts(b.found), "10.0.0.2");
}

TEST_F(rendezvous_between_hosts, PRE_09_a_stun_server_that_is_silent_is_no_failure) {
  attach(nat_type::port_restricted, nat_type::full_cone);
  box_->silence_stun();
  auto a = make_side_at(0, with_stun(), unreliable_datagram());
  resolve_side(a);
  EXPECT_EQ(texts(a.found), "10.0.0.2");
}

TEST_F(rendezvous_between_hosts, RDV_01_through_two_nats) {
  attach(nat_type::port_restricted, nat_type::port_restricted);
  auto a = make_side_at(0, with_stun(), unreliable_datagram());
  auto b = make_side_at(1, with_stun(), unreliable_datagram());
  meet(a, b);
  expect_met(a, b);
  const auto won = a.by.log->wait("rendezvous_done").report.winner()->who;
  EXPECT_EQ(to_string(won.remote.address), "203.0.113.1");
  EXPECT_EQ(to_string(won.local.address), "10.0.0.2");
  EXPECT_EQ(won.local.port, a.found.front().port()) << "the port that Resolve told";
  expect_talk(a, b, "received");
}

TEST_F(rendezvous_between_hosts, RDV_01_the_peer_behind_a_nat_comes_late) {
  attach(nat_type::port_restricted, nat_type::address_restricted);
  auto a = make_side_at(0, with_stun(), unreliable_datagram());
  auto b = make_side_at(1, with_stun(), unreliable_datagram());
  resolve_side(a);
  resolve_side(b);
  introduce(a, b);
  introduce(b, a);
  meet(a);
  std::this_thread::sleep_for(700ms);
  EXPECT_EQ(a.by.log->names(), "");
  meet(b);
  expect_met(a, b);
  expect_talk(a, b, "received");
}

TEST_F(rendezvous_between_hosts, RDV_01_a_symmetric_nat_and_one_that_looks_at_addresses) {
  attach(nat_type::symmetric, nat_type::address_restricted);
  auto a = make_side_at(0, with_stun(), unreliable_datagram());
  auto b = make_side_at(1, with_stun(), unreliable_datagram());
  meet(a, b);
  expect_met(a, b);
  const auto won = b.by.log->wait("rendezvous_done").report.winner()->who;
  EXPECT_NE(won.remote.port, a.found.back().port()) << "learned from the check, told by nobody";
  expect_talk(a, b, "received");
}

TEST_F(rendezvous_between_hosts, RDV_01_behind_a_nat_and_in_the_open) {
  attach(nat_type::symmetric, nat_type::router);
  auto a = make_side_at(0, with_stun(), unreliable_datagram());
  auto b = make_side_at(1, with_stun(), unreliable_datagram());
  meet(a, b);
  EXPECT_EQ(texts(b.found), "10.0.0.3") << "the server sees nothing else";
  expect_met(a, b);
  expect_talk(a, b, "received");
}

TEST_F(rendezvous_between_hosts, RDV_03_two_symmetric_nats_never_meet) {
  attach(nat_type::symmetric, nat_type::symmetric);
  auto a = make_side_at(0, with_stun(), unreliable_datagram());
  auto b = make_side_at(1, with_stun(), unreliable_datagram());
  resolve_side(a);
  resolve_side(b);
  introduce(a, b);
  introduce(b, a);
  meet(a, 1s);
  meet(b, 1s);
  for (auto* x : {&a, &b}) {
    const auto told = x->by.log->wait("establishment_error");
    EXPECT_EQ(told.reason.reason(), errc::establishment_failed);
    EXPECT_EQ(x->by.log->names(), "establishment_error");
  }
}

// -- streams --------------------------------------------------------------------------------------

TEST_F(rendezvous_between_hosts, RDV_01_calls_that_cross_become_one_stream) {
  attach(nat_type::router, nat_type::router, 200ms);
  auto a = make_side_at(0, local_endpoint{}, reliable_inorder_stream());
  auto b = make_side_at(1, local_endpoint{}, reliable_inorder_stream());
  meet(a, b);
  expect_met(a, b);
  EXPECT_GE(box_->opening_packets(0), 1);
  EXPECT_GE(box_->opening_packets(1), 1) << "both called before they heard each other";
  expect_talk(a, b, "received_partial");
}

TEST_F(rendezvous_between_hosts, RDV_01_over_a_cable_with_both_families) {
  hosts_[0].there->shell("ip link add cable type veth peer name cable netns " +
                         std::to_string(hosts_[1].there->id()));
  hosts_[0].there->shell("ip addr add 192.0.2.1/24 dev cable && "
                         "ip addr add 2001:db8::1/64 dev cable nodad && ip link set cable up");
  hosts_[1].there->shell("ip addr add 192.0.2.2/24 dev cable && "
                         "ip addr add 2001:db8::2/64 dev cable nodad && ip link set cable up");
  // The kernel takes its time to see that both ends are up.
  for (auto& x : hosts_)
    x.there->shell("until ip link show cable | grep -q LOWER_UP; do :; done");
  start_services();
  for (const auto& wanted : {reliable_inorder_stream(), unreliable_datagram()}) {
    auto a = make_side_at(0, local_endpoint{}, wanted);
    auto b = make_side_at(1, local_endpoint{}, wanted);
    meet(a, b);
    EXPECT_EQ(a.found.size(), 2u) << texts(a.found);
    expect_met(a, b);
    const auto at_a = a.by.log->wait("rendezvous_done").report.winner()->who;
    const auto at_b = b.by.log->wait("rendezvous_done").report.winner()->who;
    EXPECT_EQ(at_a.local, at_b.remote);
    EXPECT_EQ(at_a.remote, at_b.local);
    expect_talk(a, b,
                wanted.preference_of(property_id::reliability) == preference::require
                    ? "received_partial"
                    : "received");
  }
}
