#pragma once

#include "taps/core/properties/message_properties.hpp"
#include "taps/core/properties/transport_properties.hpp"
#include "taps/core/transport/outbound.hpp"
#include "taps/net/datagram/kind.hpp"

namespace taps {

/// The checksums of what leaves by one socket. How much they cover is a matter of the socket to the
/// kernel, but of each Message to the application (RFC 9622, section 9.1.3.6): so datagrams that
/// leave together must agree, and the socket changes in between.
class sent_checksums {
public:
  sent_checksums(const datagram_kind& kind, ip_family family) noexcept
      : kind_(&kind), family_(family) {}

  /// Returns the option for a Message that begins with `piece`; `usual` is its length when it says
  /// nothing itself.
  [[nodiscard]] checksum_option option_for(const outbound& piece, std::int64_t usual) const {
    const auto* own = piece.properties.get();
    return kind_->sent(family_, own ? own->checksum_length.value_or(usual) : usual);
  }

  /// Sees to it that what leaves next has it. Advice to the kernel: a refusal is no failure.
  void use(sys::kernel& os, int fd, const checksum_option& wanted);

private:
  const datagram_kind* kind_;
  ip_family family_;
  /// What the socket has.
  int value_ = 0;
};

/// Sets `recvChecksumLen` on a new socket; null for the default.
void require_checksums(sys::kernel& os, int fd, const datagram_kind& kind, ip_family family,
                       const transport_properties* properties);

/// Changes it on a running one. Returns 0 or `-errno`.
int change_required_checksums(sys::kernel& os, int fd, const datagram_kind& kind, ip_family family,
                              std::int64_t length);

}  // namespace taps
