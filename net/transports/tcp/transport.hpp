#pragma once

#include "taps/core/transport/protocol.hpp"
#include "taps/net/reactor/reactor.hpp"

#include <memory>

namespace taps {

/// Makes TCP connections and listeners on one shard.
class tcp_transport final : public transport {
public:
  explicit tcp_transport(reactor& loop) noexcept : loop_(&loop) {}

  [[nodiscard]] const transport_descriptor& descriptor() const noexcept override;
  [[nodiscard]] result<std::unique_ptr<protocol>> connect(const connect_request& request,
                                                          protocol_sink& sink) override;
  [[nodiscard]] result<std::unique_ptr<acceptor>> listen(const listen_request& request,
                                                         acceptor_sink& sink) override;

private:
  reactor* loop_;
};

/// Returns null when the kernel has no TCP.
[[nodiscard]] std::unique_ptr<transport> make_tcp_transport(reactor& loop);

}  // namespace taps
