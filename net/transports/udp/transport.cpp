#include "taps/net/transports/udp/transport.hpp"

#include "taps/net/transports/udp/descriptor.hpp"

#include <netinet/in.h>
#include <netinet/udp.h>

namespace taps {

namespace {

/// A checksum covers a datagram or is left out; lengths in between count as all of it.
checksum_option sent(ip_family family, std::int64_t length) {
  const auto without = length == 0;
  if (family == ip_family::v4)
    return {SOL_SOCKET, SO_NO_CHECK, without};
  return {IPPROTO_UDP, UDP_NO_CHECK6_TX, without};
}

/// IPv4 takes datagrams without a checksum anyway (RFC 1122, section 4.1.3.4), and has no use for
/// the option.
checksum_option received(ip_family, std::int64_t length) {
  return {IPPROTO_UDP, UDP_NO_CHECK6_RX, length == 0};
}

}  // namespace

const datagram_kind& udp_kind() {
  static const datagram_kind instance{udp_descriptor(), IPPROTO_UDP, sent, received};
  return instance;
}

std::unique_ptr<transport> make_udp_transport(reactor& loop) {
  if (!is_available(loop.os(), udp_kind()))
    return nullptr;
  return std::make_unique<datagram_transport>(loop, udp_kind());
}

}  // namespace taps
