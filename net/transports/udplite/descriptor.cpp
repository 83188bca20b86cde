#include "taps/net/transports/udplite/descriptor.hpp"

#include "taps/net/datagram/descriptor.hpp"

namespace taps {

namespace {

transport_descriptor make() {
  auto x = describe_datagrams("udplite");
  // Few networks let an unusual protocol number through.
  x.reach = reachability::unknown;
  x.default_order = 110;
  return x;
}

}  // namespace

const transport_descriptor& udplite_descriptor() {
  static const auto instance = make();
  return instance;
}

}  // namespace taps
