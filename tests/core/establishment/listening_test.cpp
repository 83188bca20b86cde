// Where a Listener listens, and what it is told when that is nowhere.

#include "taps/core/establishment/listening.hpp"

#include "taps/tests/core/candidate/protocols.hpp"

#include <gtest/gtest.h>

using namespace taps;
using namespace taps::testing;

namespace {

struct no_names final : resolver {
  std::unique_ptr<resolver_query> resolve(std::string_view, ip_family, callback) override {
    return nullptr;
  }
  std::unique_ptr<resolver_query> find_service(std::string_view, dns_record,
                                               service_callback) override {
    return nullptr;
  }
  result<std::uint16_t> port_of(std::string_view, std::string_view) const override {
    return error{errc::resolution_failed, "no such service"};
  }
  std::optional<ip_address> source_for(const ip_address&) const override { return std::nullopt; }
};

network_interface link(std::uint32_t index, std::string name, std::string_view address) {
  network_interface x;
  x.index = index;
  x.name = std::move(name);
  x.up = true;
  x.addresses.push_back({*ip_address::parse(address), 24});
  return x;
}

/// The places, or the error.
result<std::vector<listening_place>> places(const local_endpoint& local) {
  const network host{{link(1, "eth0", "192.0.2.1"), link(2, "eth1", "198.51.100.1")}, {}};
  const auto stacks = compose_stacks({&tcp()});
  const std::vector locals{local};
  const transport_properties properties;
  return find_listening_places({locals, {}, properties, security_mode::disabled, false, host},
                               stacks, no_names{});
}

}  // namespace

TEST(listening, an_address_of_the_interface_that_is_named) {
  const auto found =
      places(local_endpoint{}.with_ip_address("192.0.2.1").with_interface("eth0").with_port(5));
  ASSERT_TRUE(found) << found.failure().text();
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->front().by.interface, "eth0");
  EXPECT_EQ(to_string(found->front().address), "192.0.2.1:5");
}

TEST(listening, an_address_of_another_interface_is_told_as_that) {
  const auto found = places(local_endpoint{}.with_ip_address("192.0.2.1").with_interface("eth1"));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.failure().reason(), errc::invalid_configuration);
  EXPECT_EQ(found.failure().text(), "Listen: 192.0.2.1 is an address of interface eth0, which is "
                                    "not among those to listen at");
}

TEST(listening, a_protocol_that_is_not_there_is_told_as_that) {
  const auto found = places(local_endpoint{}.with_ip_address("192.0.2.1").with_protocol("sctp"));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.failure().reason(), errc::no_candidates);
}
