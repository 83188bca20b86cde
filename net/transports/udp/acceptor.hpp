#pragma once

#include "taps/net/transports/udp/port.hpp"

namespace taps {

/// Makes Connections of datagrams from new peers.
class udp_acceptor final : public acceptor {
public:
  explicit udp_acceptor(std::shared_ptr<udp_port> port) noexcept : port_(std::move(port)) {}
  ~udp_acceptor() override { port_->stop_accepting(); }

  [[nodiscard]] socket_address local() const override { return port_->local(); }

  [[nodiscard]] std::shared_ptr<shared_place> shared() const override { return port_->shared(); }

  /// How many datagrams found no room.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return port_->dropped(); }

private:
  std::shared_ptr<udp_port> port_;
};

}  // namespace taps
