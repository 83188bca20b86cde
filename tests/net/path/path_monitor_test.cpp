// Against the real kernel, in a network namespace of our own.

#include "taps/net/path/interface_type.hpp"
#include "taps/net/path/netlink_dump.hpp"
#include "taps/net/path/path_monitor.hpp"
#include "taps/net/path/resolver_domains.hpp"
#include "taps/tests/support/network_namespace/network_namespace.hpp"
#include "taps/tests/support/scripted_kernel/scripted_kernel.hpp"

#include <gtest/gtest.h>

#include <net/if_arp.h>

#include <filesystem>
#include <fstream>

using namespace taps;
using taps::testing::shell;

namespace {

ip_address ip(const char* text) { return *ip_address::parse(text); }

/// A monitor of a host with a cable, eth1, whose other end is eth2.
class path_monitor_test : public ::testing::Test {
protected:
  void SetUp() override {
    TAPS_NEEDS_NAMESPACE();
    shell("ip link add eth1 type veth peer name eth2");
    shell("ip addr add 192.0.2.1/24 dev eth1");
    shell("ip -6 addr add 2001:db8::1/64 dev eth1 nodad");
    shell("ip link set eth1 up && ip link set eth2 up");
    ASSERT_TRUE(monitor_.start());
    // The kernel takes its time to see the carrier.
    ASSERT_TRUE(wait([&] { return now().find("eth1")->up && now().find("eth2")->up; }));
    changes_ = 0;
  }

  void TearDown() override {
    if (taps::testing::outside_namespace().empty())
      shell("ip link del eth1");
  }

  /// Runs the loop until `done` says so, ten seconds at most.
  template<class F>
  bool wait(F done) {
    const auto limit = loop_.os().now() + std::chrono::seconds{10};
    timer alarm{[](void*) {}, nullptr};
    loop_.timers().schedule(alarm, limit);
    while (!done() && loop_.now() < limit) {
      loop_.poll(true);
      loop_.run_deferred();
    }
    return done();
  }

  const network& now() { return *monitor_.current(); }

  reactor loop_;
  int changes_ = 0;
  path_monitor monitor_{loop_, {}, [this](const network_ptr& x) {
                          ++changes_;
                          EXPECT_EQ(x, monitor_.current());
                        }};
};

}  // namespace

TEST_F(path_monitor_test, sees_what_is_there) {
  const auto* cable = now().find("eth1");
  ASSERT_TRUE(cable);
  EXPECT_EQ(cable->type, interface_type::wired);
  EXPECT_TRUE(cable->up);
  EXPECT_EQ(cable->mtu, 1500u);
  EXPECT_EQ(now().owner_of(ip("192.0.2.1")), cable);
  EXPECT_EQ(now().owner_of(ip("2001:db8::1")), cable);
  EXPECT_EQ(now().find("lo")->type, interface_type::loopback);
  EXPECT_EQ(now().way_to(ip("192.0.2.99")), cable);
  EXPECT_EQ(now().way_to(ip("203.0.113.1")), nullptr);
  EXPECT_EQ(changes_, 0);
}

TEST_F(path_monitor_test, hears_of_addresses_routes_and_mtu) {
  shell("ip addr add 198.51.100.1/24 dev eth2");
  EXPECT_TRUE(wait([&] { return now().owner_of(ip("198.51.100.1")) != nullptr; }));
  shell("ip route add default via 192.0.2.254 dev eth1 metric 7");
  EXPECT_TRUE(wait([&] { return !now().default_ways().empty(); }));
  EXPECT_EQ(now().name(), "eth1/192.0.2.254");
  EXPECT_EQ(now().routes().back().metric, 7u);
  shell("ip link set eth1 mtu 1400");
  EXPECT_TRUE(wait([&] { return now().find("eth1")->mtu == 1400; }));
  EXPECT_GE(changes_, 3);
}

TEST_F(path_monitor_test, hears_of_links) {
  shell("ip link set eth1 down");
  EXPECT_TRUE(wait([&] { return !now().find("eth1")->up; }));
  shell("ip link set eth1 up");
  EXPECT_TRUE(wait([&] { return now().find("eth1")->up; }));
  shell("ip link add eth7 type veth peer name eth8");
  EXPECT_TRUE(wait([&] { return now().find("eth7") != nullptr; }));
  shell("ip link del eth7");
  EXPECT_TRUE(wait([&] { return now().find("eth7") == nullptr; }));
}

TEST_F(path_monitor_test, both_hops_of_a_route_count) {
  shell("ip addr add 198.51.100.1/24 dev eth2");
  shell("ip route add default nexthop via 192.0.2.254 dev eth1 nexthop via 198.51.100.254 dev "
        "eth2");
  EXPECT_TRUE(wait([&] { return now().default_ways().size() == 2; }));
}

TEST_F(path_monitor_test, many_changes_are_few_looks) {
  for (int i = 1; i <= 100; ++i)
    shell("ip addr add 10.0.0." + std::to_string(i) + "/32 dev eth1");
  EXPECT_TRUE(wait([&] { return now().owner_of(ip("10.0.0.100")) != nullptr; }));
  EXPECT_LT(changes_, 100);
}

TEST_F(path_monitor_test, a_look_leaves_no_descriptor) {
  const auto count = [] {
    const std::filesystem::directory_iterator all{"/proc/self/fd"};
    return std::distance(begin(all), end(all));
  };
  const auto before = count();
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(dump_network(sys::linux_kernel(), "/sys"));
  EXPECT_EQ(count(), before);
}

// -- what does not need a kernel ------------------------------------------------------------------

TEST(interface_type, radios_are_found_by_their_devices) {
  const auto sysfs = std::filesystem::path{::testing::TempDir()} / "sysfs";
  const auto device = [&](const char* name) {
    const auto folder = sysfs / "class" / "net" / name;
    std::filesystem::create_directories(folder);
    return folder;
  };
  std::ofstream{device("wlan0") / "uevent"} << "DEVTYPE=wlan\nINTERFACE=wlan0\n";
  std::filesystem::create_directories(device("wlan1") / "phy80211");
  std::ofstream{device("wwan0") / "uevent"} << "DEVTYPE=wwan\n";
  device("eth0");
  const auto type = [&](const char* name, unsigned hardware, const char* kind = "") {
    return type_of({name, hardware, kind}, sysfs.string());
  };
  EXPECT_EQ(type("wlan0", ARPHRD_ETHER), interface_type::wifi);
  EXPECT_EQ(type("wlan1", ARPHRD_ETHER), interface_type::wifi);
  EXPECT_EQ(type("wwan0", ARPHRD_ETHER), interface_type::cellular);
  EXPECT_EQ(type("rmnet0", 519), interface_type::cellular);
  EXPECT_EQ(type("eth0", ARPHRD_ETHER), interface_type::wired);
  EXPECT_EQ(type("tap0", ARPHRD_ETHER, "tun"), interface_type::tunnel);
  EXPECT_EQ(type("ppp0", ARPHRD_PPP), interface_type::tunnel);
  EXPECT_EQ(type("lo", ARPHRD_LOOPBACK), interface_type::loopback);
  EXPECT_EQ(type("x", 9999), interface_type::other);
}

TEST(resolver_domains, come_from_files_of_interfaces) {
  EXPECT_EQ(name_servers_in("# comment\nnameserver 192.0.2.53\nnameserver\t2001:db8::53\n"
                            "search example.org\nnameserver nonsense\n"),
            (std::vector<ip_address>{ip("192.0.2.53"), ip("2001:db8::53")}));
  EXPECT_EQ(name_servers_in("ADMIN_STATE=configured\nDNS=192.0.2.53 2001:db8::53#dns.example\n"),
            (std::vector<ip_address>{ip("192.0.2.53"), ip("2001:db8::53")}));
  EXPECT_TRUE(name_servers_in("nameservers are elsewhere\nDNS=").empty());
  const auto folder = std::filesystem::path{::testing::TempDir()} / "resolvers";
  std::filesystem::create_directories(folder);
  std::ofstream{folder / "eth0.dhclient"} << "nameserver 192.0.2.53\n";
  std::ofstream{folder / "7"} << "DNS=198.51.100.53\n";
  std::ofstream{folder / "eth00"} << "nameserver 203.0.113.53\n";
  const std::vector<network_interface> interfaces{{"eth0", 2, {}, true, 1500, {}},
                                                  {"wlan0", 7, {}, true, 1500, {}},
                                                  {"lo", 1, {}, true, 65536, {}}};
  std::vector<provisioning_domain> domains{{"wlan0", {"eth0"}, {}}};
  const std::vector<std::string> folders{folder.string(), "/nonexistent"};
  add_derived_domains(interfaces, folders, domains);
  ASSERT_EQ(domains.size(), 2u);
  EXPECT_EQ(domains[0].interfaces, std::vector<std::string>{"eth0"});
  EXPECT_EQ(domains[1], (provisioning_domain{"eth0", {"eth0"}, {ip("192.0.2.53")}}));
}

TEST_F(path_monitor_test, a_host_that_lacks_descriptors_is_asked_again) {
  taps::testing::scripted_kernel os;
  reactor loop{os};
  int changes = 0;
  path_monitor late{loop, {}, [&](const network_ptr& x) {
                      ++changes;
                      EXPECT_TRUE(x->find("eth1"));
                    }};
  os.fail_next("socket", EMFILE);
  EXPECT_FALSE(late.start());
  EXPECT_FALSE(late.current()->known());
  const auto limit = os.now() + std::chrono::seconds{10};
  timer alarm{[](void*) {}, nullptr};
  loop.timers().schedule(alarm, limit);
  while (changes == 0 && loop.now() < limit) {
    loop.poll(true);
    loop.run_deferred();
  }
  EXPECT_TRUE(late.current()->known());
  EXPECT_EQ(changes, 1);
  // And it goes on watching.
  shell("ip addr add 192.0.2.77/24 dev eth1");
  while (changes == 1 && loop.now() < limit) {
    loop.poll(true);
    loop.run_deferred();
  }
  EXPECT_TRUE(late.current()->owner_of(ip("192.0.2.77")));
}
