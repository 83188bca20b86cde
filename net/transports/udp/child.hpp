#pragma once

#include "taps/net/transports/udp/instance.hpp"
#include "taps/net/transports/udp/port.hpp"

namespace taps {

/// A UDP Connection that a Listener brought: one flow of a shared socket.
class udp_child final : public udp_instance {
public:
  /// What may wait while nobody wants it; more is dropped.
  static constexpr std::size_t max_waiting = 64;
  static constexpr std::size_t max_waiting_bytes = 256 * 1024;

  udp_child(reactor& loop, std::shared_ptr<udp_port> port, const udp_flow& flow)
      : udp_instance(loop, flow.remote, nullptr), port_(std::move(port)),
        flow_(flow), local_{flow.local, port_->local().port, flow.remote.scope} {}
  ~udp_child() override { abort(); }

  [[nodiscard]] const udp_flow& flow() const noexcept { return flow_; }

  /// A datagram of this flow; may end the life of this object.
  void arrive(datagram x);

  /// There is room to send again; may end the life of this object.
  void on_room() { sink_->on_writable(); }

  /// Kept by the port: this one is on its list of those who wait for room.
  bool waiting = false;

  void flush(outbound_queue& queue) override;
  [[nodiscard]] socket_address local() const override { return local_; }

private:
  void detach() override;
  [[nodiscard]] std::uint64_t path_mtu() const override;

  std::shared_ptr<udp_port> port_;
  udp_flow flow_;
  socket_address local_;
};

}  // namespace taps
