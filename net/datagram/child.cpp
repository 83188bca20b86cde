#include "taps/net/datagram/child.hpp"

#include "taps/net/datagram/connection.hpp"
#include "taps/net/socket/socket.hpp"

#include <netinet/in.h>

namespace taps {

void datagram_child::arrive(datagram x) {
  if (inbox_.size() >= max_waiting ||
      (!inbox_.empty() && inbox_bytes_ + x.data.size() > max_waiting_bytes)) {
    port_->count_drop();
    return;
  }
  // What may wait for long must not keep a whole block of the pool.
  if (!demand())
    x.data = slice::copy_of(x.data.bytes());
  inbox_bytes_ += x.data.size();
  inbox_.push_back(std::move(x));
  deliver();
}

void datagram_child::flush(outbound_queue& queue) {
  if (open() && port_->flush(*this, queue, manner_of(port_->checksums())))
    wait_for_rate();
}

result<void> datagram_child::set_property(property_id id, const property_value& value) {
  // The socket is not this Connection's alone: marks go with each datagram instead.
  if (id == property_id::conn_capacity_profile)
    wishes_.connection_profile = value.get_or(capacity_profile::default_profile);
  if (id == property_id::recv_checksum_len && open())
    return {errc::not_supported,
            "recvChecksumLen: Connections of a Listener share its socket, and the value it had"};
  return datagram_instance::set_property(id, value);
}

void datagram_child::detach() {
  port_->leave(*this);
  port_.reset();
}

/// The shared socket is connected to nobody, so another one has to ask.
std::uint64_t datagram_child::path_mtu() const {
  auto probe = open_socket(loop_->os(), flow_.remote.address.family(), SOCK_DGRAM, kind_->protocol);
  if (!probe)
    return 0;
  const native_address remote{flow_.remote};
  if (loop_->os().connect(probe->get(), remote.data(), remote.size()) < 0)
    return 0;
  return path_mtu_of(loop_->os(), probe->get(), flow_.remote.address.family());
}

}  // namespace taps
