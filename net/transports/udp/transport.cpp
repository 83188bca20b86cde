#include "taps/net/transports/udp/transport.hpp"

#include "taps/net/transports/udp/descriptor.hpp"

#include <netinet/in.h>

namespace taps {

const datagram_kind& udp_kind() {
  static const datagram_kind instance{udp_descriptor(), IPPROTO_UDP};
  return instance;
}

std::unique_ptr<transport> make_udp_transport(reactor& loop) {
  if (!is_available(loop.os(), udp_kind()))
    return nullptr;
  return std::make_unique<datagram_transport>(loop, udp_kind());
}

}  // namespace taps
