#include "taps/net/transports/udplite/transport.hpp"

#include "taps/core/properties/message_properties.hpp"
#include "taps/net/transports/udplite/descriptor.hpp"

#include <netinet/in.h>

#include <algorithm>

namespace taps {

namespace {

/// UDPLITE_SEND_CSCOV and UDPLITE_RECV_CSCOV (udplite(7)), which no header has.
constexpr int send_coverage = 10;
constexpr int receive_coverage = 11;

/// The coverage of `length` bytes of a Message; the header is always covered (RFC 3828, section
/// 3.1), and 0 stands for the whole datagram.
int coverage_of(std::int64_t length) {
  constexpr std::int64_t header = 8;
  constexpr std::int64_t largest = 65535;
  return length == full_checksum ? 0
                                 : static_cast<int>(std::min(length, largest - header) + header);
}

checksum_option sent(ip_family, std::int64_t length) {
  return {IPPROTO_UDPLITE, send_coverage, coverage_of(length)};
}

/// Left alone, the kernel takes any coverage.
checksum_option received(ip_family, std::int64_t length) {
  return {IPPROTO_UDPLITE, receive_coverage, coverage_of(length), std::nullopt};
}

}  // namespace

const datagram_kind& udplite_kind() {
  static const datagram_kind instance{udplite_descriptor(), IPPROTO_UDPLITE, sent, received};
  return instance;
}

std::unique_ptr<transport> make_udplite_transport(reactor& loop) {
  if (!is_available(loop.os(), udplite_kind()))
    return nullptr;
  return std::make_unique<datagram_transport>(loop, udplite_kind());
}

}  // namespace taps
