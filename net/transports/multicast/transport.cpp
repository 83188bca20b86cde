#include "taps/net/transports/multicast/transport.hpp"

#include "taps/net/transports/multicast/descriptor.hpp"
#include "taps/net/transports/udp/transport.hpp"

namespace taps {

const datagram_kind& multicast_kind() {
  static const datagram_kind instance{multicast_descriptor(), udp_kind().protocol, udp_kind().sent,
                                      udp_kind().received};
  return instance;
}

std::unique_ptr<transport> make_multicast_transport(reactor& loop) {
  if (!is_available(loop.os(), multicast_kind()))
    return nullptr;
  return std::make_unique<datagram_transport>(loop, multicast_kind());
}

}  // namespace taps
