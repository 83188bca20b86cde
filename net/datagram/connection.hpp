#pragma once

#include "taps/net/datagram/instance.hpp"

namespace taps {

/// A Connection of datagrams that was initiated: a connected socket (RFC 9623, section 10.2).
///
/// Watches for input only; the kernel reports room to send after every datagram, which would wake
/// the loop for nothing. While something waits for room, output is watched too.
class datagram_connection final : public datagram_instance {
public:
  datagram_connection(reactor& loop, const datagram_kind& kind, sys::descriptor socket,
                      std::shared_ptr<datagram_io> io, const connect_request& request,
                      protocol_sink& sink);
  ~datagram_connection() override { abort(); }

  /// Registers the socket; `on_ready` follows at the end of the turn.
  [[nodiscard]] result<void> start();

  void flush(outbound_queue& queue) override;
  [[nodiscard]] socket_address local() const override { return local_; }
  result<void> set_property(property_id id, const property_value& value) override;

private:
  void detach() override;
  [[nodiscard]] std::uint64_t path_mtu() const override;
  void receive_more() override;
  void on_io(std::uint32_t events) override;
  void on_error(int code);

  sys::descriptor socket_;
  std::shared_ptr<datagram_io> io_;
  sent_checksums checksums_;
  socket_address local_;
  bool readable_ = false;
  bool blocked_ = false;
};

/// Returns the size of packets that reach `fd`'s peer whole, 0 if that is not known.
[[nodiscard]] std::uint64_t path_mtu_of(sys::kernel& os, int fd, ip_family family);

}  // namespace taps
