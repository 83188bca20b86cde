#include "taps/net/transports/udp/descriptor.hpp"

#include "taps/net/datagram/descriptor.hpp"

namespace taps {

namespace {

transport_descriptor make() {
  auto x = describe_datagrams("udp");
  x.reach = reachability::assumed;
  x.default_order = 100;
  return x;
}

}  // namespace

const transport_descriptor& udp_descriptor() {
  static const auto instance = make();
  return instance;
}

}  // namespace taps
