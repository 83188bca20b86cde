// Paths: interfaces that properties rule in and out, and links that change under Connections. In
// network namespaces, with another host at the far end of a cable.

#include "taps/tests/conformance/support/fixture.hpp"
#include "taps/tests/support/network_namespace/network_namespace.hpp"

using namespace taps;
using namespace taps::testing;

namespace {

class paths : public conformance {
protected:
  void SetUp() override { TAPS_NEEDS_NAMESPACE(); }

  transport_properties wanting(preference level, std::string name) {
    return reliable_inorder_stream().with(property_id::interface,
                                          interface_preferences{{level, std::move(name)}});
  }

  /// The error of an establishment that has to fail.
  error failure_of(const preconnection& pre) {
    auto me = make_owner();
    initiate(pre, me.actor);
    auto told = me.log->wait("establishment_error");
    EXPECT_EQ(me.log->names(), "establishment_error");
    return told.reason;
  }

  /// Waits until Tapline sees the links so.
  template<class Condition>
  void wait_for_links(Condition condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (!condition(*net_.host_network())) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit) << to_string(*net_.host_network());
      std::this_thread::yield();
    }
  }
  void wait_for(const char* address) {
    wait_for_links([&](const network& x) { return x.owner_of(*ip_address::parse(address)); });
  }

  std::string interface_of(const told& x) {
    for (const auto& y : x.report.candidates)
      if (y.fate == candidate_fate::won)
        return y.who.path;
    return "nobody won";
  }
};

/// With another host, 192.0.2.2, that answers what it gets on port 7.
class paths_to_a_neighbour : public paths {
protected:
  void SetUp() override {
    TAPS_NEEDS_NAMESPACE();
    other_ = std::make_unique<neighbour>("cable");
    shell("ip addr add 192.0.2.1/24 dev cable");
    other_->shell("ip addr add 192.0.2.2/24 dev eth0");
    other_->start("socat TCP-LISTEN:7,fork,reuseaddr EXEC:cat");
    auto me = make_owner();
    // Until the server is up.
    for (std::size_t tries = 1;; ++tries) {
      const auto one = initiate(to(there_), me.actor);
      if (me.log->wait_first().what == "ready")
        close(one);
      if (me.log->count("ready") > 0 || tries == 1000)
        break;
      me = make_owner();
    }
    ASSERT_EQ(me.log->count("ready"), 1u);
  }

  void TearDown() override {
    conformance::TearDown();
    other_.reset();
  }

  remote_endpoint there_ = remote_endpoint{}.with_ip_address("192.0.2.2").with_port(7);
  std::unique_ptr<neighbour> other_;
};

}  // namespace

// -- selection ------------------------------------------------------------------------------------

TEST_F(paths, SEL_09_an_absent_interface_is_required) {
  const auto failure = failure_of(to(loopback_remote(9), wanting(preference::require, "wlan7")));
  EXPECT_EQ(failure.reason(), errc::no_candidates);
  EXPECT_EQ(failure.text(), "no interface fits: lo: interface Require wlan7");
}

TEST_F(paths, SEL_09_what_is_prohibited_is_the_only_way) {
  auto server = posix_bind();
  const auto failure =
      failure_of(to(loopback_remote(server.port()), wanting(preference::prohibit, "lo")));
  EXPECT_EQ(failure.reason(), errc::no_candidates);
  EXPECT_EQ(failure.text(), "no interface fits: lo: interface Prohibit lo");
}

TEST_F(paths, SEL_10_temporary_addresses_exclude_ipv4) {
  const auto wanted = reliable_inorder_stream().require(property_id::use_temporary_local_address);
  EXPECT_EQ(failure_of(to(loopback_remote(9), wanted)).reason(), errc::no_candidates);
}

TEST_F(paths, the_type_of_an_interface_is_required) {
  auto server = posix_bind();
  auto me = make_owner();
  initiate(to(loopback_remote(server.port()), wanting(preference::require, "loopback")), me.actor);
  EXPECT_EQ(interface_of(me.log->wait("ready")), "lo");
  EXPECT_EQ(failure_of(to(loopback_remote(9), wanting(preference::require, "wifi"))).reason(),
            errc::no_candidates);
}

TEST_F(paths_to_a_neighbour, the_cable_is_prohibited) {
  const auto failure = failure_of(to(there_, wanting(preference::prohibit, "cable")));
  EXPECT_EQ(failure.reason(), errc::no_candidates);
  EXPECT_EQ(failure.text(), "no way by interface lo to 192.0.2.2");
}

TEST_F(paths_to_a_neighbour, the_cable_is_wanted) {
  wait_for("192.0.2.1");
  auto me = make_owner();
  initiate(to(there_, wanting(preference::require, "wired")), me.actor);
  EXPECT_EQ(interface_of(me.log->wait("ready")), "cable");
}

// -- maintenance ----------------------------------------------------------------------------------

TEST_F(paths_to_a_neighbour, MNT_01_a_connection_outlives_its_interface) {
  auto me = make_owner();
  auto made = initiate(to(there_), me.actor);
  observe(made, event_set::path_change);
  me.log->wait("ready");
  shell("ip link set cable down");
  me.log->wait("path_change");
  taps::send(made, "still here");
  receive(made, {.min_incomplete_length = 10});
  shell("ip link set cable up");
  EXPECT_EQ(me.log->wait("received_partial").data.view(), "still here");
  me.log->wait("path_change", 2);
  close(made);
  me.log->wait("closed");
}

TEST_F(paths_to_a_neighbour, MNT_03_a_listener_accepts_on_a_new_interface) {
  auto here = listen_at(at(local_endpoint{}));
  neighbour late{"second"};
  shell("ip addr add 198.51.100.1/24 dev second");
  late.shell("ip addr add 198.51.100.2/24 dev eth0");
  late.start("socat TCP:198.51.100.1:" + std::to_string(here.port) + ",retry=100,interval=0.1 -");
  here.by.log->wait("connection_received");
  stop(here.listener);
  here.by.log->wait("stopped");
}

// -- listeners that follow the links --------------------------------------------------------------

namespace {

/// Another host that tries to reach `where` until it does, and says hello.
void call_from(neighbour& there, const std::string& where) {
  there.start("sh -c \"until echo hello | socat -u - TCP:" + where +
              ",connect-timeout=1 2>/dev/null; do sleep 0.1; done\"");
}

}  // namespace

TEST_F(paths, MNT_03_a_listener_with_preferences_accepts_on_a_new_interface) {
  auto here = listen_at(at(local_endpoint{}, wanting(preference::prohibit, "eth7")));
  neighbour late{"second"};
  shell("ip addr add 198.51.100.1/24 dev second");
  late.shell("ip addr add 198.51.100.2/24 dev eth0");
  call_from(late, "198.51.100.1:" + std::to_string(here.port));
  here.by.log->wait("connection_received");
  stop(here.listener);
  here.by.log->wait("stopped");
}

TEST_F(paths_to_a_neighbour, MNT_03_a_listener_listens_again_when_its_interface_is_back) {
  wait_for("192.0.2.1");
  auto named = listen_at(at(local_endpoint{}.with_interface("cable")));
  auto wanted = listen_at(at(local_endpoint{}, wanting(preference::require, "wired")));
  for (int times = 1; times <= 2; ++times) {
    call_from(*other_, "192.0.2.1:" + std::to_string(named.port));
    call_from(*other_, "192.0.2.1:" + std::to_string(wanted.port));
    named.by.log->wait("connection_received", times);
    wanted.by.log->wait("connection_received", times);
    if (times == 2)
      break;
    other_.reset();
    wait_for_links([](const network& x) { return !x.find("cable"); });
    other_ = std::make_unique<neighbour>("cable");
    shell("ip addr add 192.0.2.1/24 dev cable");
    other_->shell("ip addr add 192.0.2.2/24 dev eth0");
  }
  EXPECT_EQ(port_of(named.listener), named.port);
  stop(named.listener);
  named.by.log->wait("stopped");
  stop(wanted.listener);
  wanted.by.log->wait("stopped");
}

TEST_F(paths_to_a_neighbour, EP_02_a_zone_may_be_a_number) {
  other_->shell("ip addr add fe80::2/64 dev eth0 nodad");
  shell("ip addr add fe80::1/64 dev cable nodad");
  other_->start("socat TCP6-LISTEN:8,fork,reuseaddr EXEC:cat");
  wait_for("fe80::1");
  const auto zone = "%" + std::to_string(net_.host_network()->find("cable")->index);
  auto me = make_owner();
  for (const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{10};
       me.log->count("ready") == 0 && std::chrono::steady_clock::now() < limit;) {
    me = make_owner();
    initiate(to(remote_endpoint{}.with_ip_address("fe80::2" + zone).with_port(8)), me.actor);
    me.log->wait_first();
  }
  EXPECT_EQ(me.log->names(), "ready");
  auto here = listen_at(at(local_endpoint{}.with_ip_address("fe80::1" + zone)));
  call_from(*other_, "[fe80::1%eth0]:" + std::to_string(here.port));
  here.by.log->wait("connection_received");
}
