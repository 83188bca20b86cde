#include "taps/net/transports/registry.hpp"

#include "taps/tests/support/scripted_kernel/scripted_kernel.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <string>

namespace taps::testing {

namespace {

TEST(registry_test, every_protocol_has_a_name_of_its_own) {
  reactor loop;
  std::set<std::string_view> names;
  for (const auto& make : builtin_transports()) {
    const auto made = make(loop);
    // Some kernels lack one or the other.
    if (made == nullptr)
      continue;
    EXPECT_FALSE(made->descriptor().name.empty());
    EXPECT_TRUE(names.insert(made->descriptor().name).second) << made->descriptor().name;
  }
  EXPECT_GE(names.size(), 2u);
}

TEST(registry_test, no_two_share_a_place_in_the_default_order) {
  reactor loop;
  std::set<int> order;
  for (const auto& make : builtin_transports()) {
    const auto made = make(loop);
    if (made != nullptr) {
      EXPECT_TRUE(order.insert(made->descriptor().default_order).second);
    }
  }
}

TEST(registry_test, what_the_kernel_lacks_is_left_out) {
  scripted_kernel os;
  reactor loop{os};
  os.fail_next("socket", EPROTONOSUPPORT, 1000);
  for (const auto& make : builtin_transports())
    EXPECT_EQ(make(loop), nullptr);
}

TEST(registry_test, one_ip_version_is_enough) {
  scripted_kernel os;
  reactor loop{os};
  for (const auto& make : builtin_transports()) {
    os.fail_next("socket", EAFNOSUPPORT);
    EXPECT_NE(make(loop), nullptr);
  }
}

}  // namespace

}  // namespace taps::testing
