// Where a socket hears a multicast group, on the loopback interface.

#include "taps/net/datagram/membership.hpp"

#include "taps/net/socket/socket.hpp"
#include "taps/tests/support/scripted_kernel/scripted_kernel.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <net/if.h>
#include <netinet/in.h>

using namespace taps;
using namespace taps::testing;

namespace {

constexpr std::uint32_t nowhere = 99999;

class membership_test : public ::testing::Test {
protected:
  membership make(const char* group, std::vector<ip_address> sources = {}) {
    const auto address = *ip_address::parse(group);
    auto made = open_socket(os_, address.family(), SOCK_DGRAM, IPPROTO_UDP);
    EXPECT_TRUE(made);
    socket_ = std::move(*made);
    os_.forget_calls();
    return {os_, socket_.get(), address, std::move(sources)};
  }

  /// How many options were set since the last call.
  std::size_t settings() {
    std::size_t count = 0;
    for (const auto& x : os_.calls())
      count += x.name == "setsockopt" ? 1 : 0;
    os_.forget_calls();
    return count;
  }

  scripted_kernel os_;
  sys::descriptor socket_;
  std::uint32_t lo_ = ::if_nametoindex("lo");
};

}  // namespace

TEST_F(membership_test, joins_and_leaves_what_differs) {
  auto x = make("239.1.1.1");
  EXPECT_TRUE(x.hear_at(std::vector{lo_}));
  EXPECT_EQ(settings(), 1u);
  EXPECT_TRUE(x.hear_at(std::vector{lo_}));
  EXPECT_EQ(settings(), 0u);
  EXPECT_TRUE(x.hear_at({}));
  EXPECT_EQ(settings(), 1u);
  EXPECT_TRUE(x.hear_at(std::vector{lo_})) << "it has left, so it may join again";
}

TEST_F(membership_test, joins_for_each_source) {
  auto x = make("232.1.1.1", {*ip_address::parse("192.0.2.1"), *ip_address::parse("192.0.2.2")});
  EXPECT_TRUE(x.hear_at(std::vector{lo_}));
  EXPECT_EQ(settings(), 2u);
}

TEST_F(membership_test, an_interface_that_is_gone_counts_only_if_it_is_the_last) {
  auto x = make("239.1.1.1");
  EXPECT_TRUE(x.hear_at(std::vector{nowhere, lo_}));
  EXPECT_TRUE(x.hear_at(std::vector{lo_, nowhere}));
  const auto alone = x.hear_at(std::vector{nowhere});
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.failure().text(),
            "join 239.1.1.1 on interface 99999: " + std::string{std::strerror(ENODEV)});
}

TEST_F(membership_test, a_limit_of_the_kernel_is_named) {
  auto x = make("239.1.1.1");
  os_.fail_next("setsockopt", ENOBUFS);
  const auto full = x.hear_at(std::vector{lo_, lo_});
  ASSERT_FALSE(full);
  EXPECT_TRUE(is_shortage(full.failure()));
  EXPECT_NE(full.failure().text().find("net.ipv4.igmp_max_memberships"), std::string::npos);
}
