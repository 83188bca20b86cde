// Where names are asked, by the paths of a request.

#include "taps/core/establishment/name_scopes.hpp"

#include <gtest/gtest.h>

using namespace taps;

namespace {

ip_address ip(std::string_view text) { return *ip_address::parse(text); }

/// A cable and a radio in one domain, a tunnel in another, and a modem without servers.
network host() {
  return {{},
          {},
          {{"home", {"eth0", "wlan0"}, {ip("192.0.2.53")}},
           {"radio", {"wlan0"}, {ip("192.0.2.54")}},
           {"office", {"tun0"}, {ip("198.51.100.53")}},
           {"modem", {"wwan0"}, {}}}};
}

/// `interface server`, or nothing.
std::string scope(std::vector<path> paths, interface_preferences domains = {}) {
  const auto found = scope_of(host(), paths, domains);
  return found.empty() ? "" : found.interface + " " + to_string(found.servers.at(0));
}

}  // namespace

TEST(name_scopes, are_those_of_the_only_interface) {
  EXPECT_EQ(scope({{"tun0", 3}}), "tun0 198.51.100.53");
  EXPECT_EQ(scope({{"eth0", 1}}), "eth0 192.0.2.53");
}

TEST(name_scopes, are_those_of_the_only_domain) {
  EXPECT_EQ(scope({{"wlan0", 2}, {"eth0", 1}}), "wlan0 192.0.2.53");
}

TEST(name_scopes, are_those_of_the_domain_that_is_required) {
  EXPECT_EQ(scope({{"wlan0", 2}}), "wlan0 192.0.2.53");
  EXPECT_EQ(scope({{"wlan0", 2}}, {{preference::require, "radio"}}), "wlan0 192.0.2.54");
  EXPECT_EQ(scope({{"wlan0", 2}}, {{preference::prefer, "radio"}}), "wlan0 192.0.2.53");
}

TEST(name_scopes, are_the_systems_in_all_other_cases) {
  EXPECT_EQ(scope({}), "");
  EXPECT_EQ(scope({{"", 0}}), "") << "the kernel may choose";
  EXPECT_EQ(scope({{"", 0}, {"tun0", 3}}), "");
  EXPECT_EQ(scope({{"eth0", 1}, {"tun0", 3}}), "") << "no domain has both";
  EXPECT_EQ(scope({{"wwan0", 4}}), "") << "no servers";
  EXPECT_EQ(scope({{"lo", 5}}), "") << "no domain";
}
