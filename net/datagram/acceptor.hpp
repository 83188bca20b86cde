#pragma once

#include "taps/net/datagram/port.hpp"

namespace taps {

/// Makes Connections of datagrams from new peers.
class datagram_acceptor final : public acceptor {
public:
  explicit datagram_acceptor(std::shared_ptr<datagram_port> port) noexcept
      : port_(std::move(port)) {}
  ~datagram_acceptor() override { port_->stop_accepting(); }

  [[nodiscard]] socket_address local() const override { return port_->local(); }

  [[nodiscard]] std::shared_ptr<shared_place> shared() const override { return port_->shared(); }

  void join(std::span<const std::uint32_t> interfaces) override {
    // What the kernel refuses now it may grant when the links change again.
    (void)port_->join(interfaces);
  }

  /// How many datagrams found no room.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return port_->dropped(); }

private:
  std::shared_ptr<datagram_port> port_;
};

}  // namespace taps
