#include "taps/net/transports/tcp/transport.hpp"

#include "taps/net/transports/tcp/descriptor.hpp"

#include <netinet/in.h>

namespace taps {

const stream_kind& tcp_kind() {
  static const stream_kind instance{tcp_descriptor(), IPPROTO_TCP};
  return instance;
}

std::unique_ptr<transport> make_tcp_transport(reactor& loop) {
  if (!is_available(loop.os(), tcp_kind()))
    return nullptr;
  return std::make_unique<stream_transport>(loop, tcp_kind());
}

}  // namespace taps
