#include "taps/net/transports/registry.hpp"

#include "taps/net/transports/mptcp/transport.hpp"
#include "taps/net/transports/multicast/transport.hpp"
#include "taps/net/transports/tcp/transport.hpp"
#include "taps/net/transports/udp/transport.hpp"
#include "taps/net/transports/udplite/transport.hpp"

namespace taps {

const std::vector<transport_factory>& builtin_transports() {
  static const std::vector<transport_factory> list{
      make_tcp_transport,     make_mptcp_transport,     make_udp_transport,
      make_udplite_transport, make_multicast_transport,
  };
  return list;
}

}  // namespace taps
