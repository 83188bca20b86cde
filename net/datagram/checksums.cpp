#include "taps/net/datagram/checksums.hpp"

#include "taps/net/socket/socket.hpp"

namespace taps {

namespace {

int set(sys::kernel& os, int fd, const checksum_option& x) {
  return set_option(os, fd, x.level, x.name, x.value);
}

}  // namespace

void sent_checksums::use(sys::kernel& os, int fd, const checksum_option& wanted) {
  if (wanted.value != value_ && set(os, fd, wanted) == 0)
    value_ = wanted.value;
}

void require_checksums(sys::kernel& os, int fd, const datagram_kind& kind, ip_family family,
                       const transport_properties* properties) {
  const auto length =
      properties ? properties->number(property_id::recv_checksum_len) : std::nullopt;
  const auto wanted = kind.received(family, length.value_or(full_checksum));
  if (wanted.value != wanted.initial)
    set(os, fd, wanted);
}

int change_required_checksums(sys::kernel& os, int fd, const datagram_kind& kind, ip_family family,
                              std::int64_t length) {
  return set(os, fd, kind.received(family, length));
}

}  // namespace taps
