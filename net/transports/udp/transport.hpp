#pragma once

#include "taps/core/transport/protocol.hpp"
#include "taps/net/transports/udp/datagrams.hpp"

#include <memory>

namespace taps {

/// Makes UDP Connections and Listeners on one shard.
class udp_transport final : public transport {
public:
  explicit udp_transport(reactor& loop) : loop_(&loop), io_(std::make_shared<datagram_io>(loop)) {}

  [[nodiscard]] const transport_descriptor& descriptor() const noexcept override;
  [[nodiscard]] result<std::unique_ptr<protocol>> connect(const connect_request& request,
                                                          protocol_sink& sink) override;
  [[nodiscard]] result<std::unique_ptr<acceptor>> listen(const listen_request& request,
                                                         acceptor_sink& sink) override;

private:
  reactor* loop_;
  std::shared_ptr<datagram_io> io_;
};

/// Returns null when the kernel has no UDP.
[[nodiscard]] std::unique_ptr<transport> make_udp_transport(reactor& loop);

}  // namespace taps
