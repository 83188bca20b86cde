#pragma once

#include "taps/net/datagram/instance.hpp"
#include "taps/net/datagram/port.hpp"

namespace taps {

/// A Connection that a Listener brought: one flow of a shared socket.
class datagram_child final : public datagram_instance {
public:
  /// What may wait while nobody wants it; more is dropped.
  static constexpr std::size_t max_waiting = 64;
  static constexpr std::size_t max_waiting_bytes = 256 * 1024;

  datagram_child(reactor& loop, std::shared_ptr<datagram_port> port, const datagram_flow& flow)
      : datagram_instance(loop, port->kind(), flow.remote, nullptr, port->wishes()),
        port_(std::move(port)),
        flow_(flow), local_{flow.local, port_->local().port, flow.remote.scope} {}
  ~datagram_child() override { abort(); }

  [[nodiscard]] const datagram_flow& flow() const noexcept { return flow_; }

  /// A datagram of this flow; may end the life of this object.
  void arrive(datagram x);

  /// A datagram of this flow did not get through.
  void fail_packet(const packet_error& what) { report_trouble(what); }

  /// There is room to send again; may end the life of this object.
  void on_room() { sink_->on_writable(); }

  /// Kept by the port: this one is on its list of those who wait for room.
  bool waiting = false;

  void flush(outbound_queue& queue) override;
  [[nodiscard]] socket_address local() const override { return local_; }
  result<void> set_property(property_id id, const property_value& value) override;

private:
  void detach() override;
  [[nodiscard]] std::uint64_t path_mtu() const override;

  std::shared_ptr<datagram_port> port_;
  datagram_flow flow_;
  socket_address local_;
};

}  // namespace taps
