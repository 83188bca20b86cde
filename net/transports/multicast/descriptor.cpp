#include "taps/net/transports/multicast/descriptor.hpp"

#include "taps/net/datagram/descriptor.hpp"
#include "taps/net/transports/udp/descriptor.hpp"

namespace taps {

namespace {

transport_descriptor make() {
  auto x = describe_datagrams("multicast");
  x.multicast = true;
  x.features.set(feature::unidirectional, support::always);
  // Nobody answers a group, not even with an ICMP error (RFC 1122, section 3.2.2).
  x.features.set(feature::soft_error_notify, support::never);
  std::erase(x.honours, property_id::soft_error_notify);
  x.specific = udp_descriptor().specific;
  x.reach = reachability::assumed;
  x.default_order = 120;
  return x;
}

}  // namespace

const transport_descriptor& multicast_descriptor() {
  static const auto instance = make();
  return instance;
}

}  // namespace taps
