#pragma once

#include "taps/core/transport/protocol.hpp"
#include "taps/net/datagram/datagrams.hpp"
#include "taps/net/datagram/kind.hpp"

#include <memory>

namespace taps {

/// Makes Connections and Listeners of one kind on one shard.
class datagram_transport final : public transport {
public:
  datagram_transport(reactor& loop, const datagram_kind& kind)
      : loop_(&loop), kind_(&kind), io_(std::make_shared<datagram_io>(loop)) {}

  [[nodiscard]] const transport_descriptor& descriptor() const noexcept override {
    return kind_->descriptor;
  }
  [[nodiscard]] result<std::unique_ptr<protocol>> connect(const connect_request& request,
                                                          protocol_sink& sink) override;
  [[nodiscard]] result<std::unique_ptr<acceptor>> listen(const listen_request& request,
                                                         acceptor_sink& sink) override;
  [[nodiscard]] result<std::unique_ptr<meeting>> meet(const meeting_request& request,
                                                      meeting_sink& sink) override;

private:
  reactor* loop_;
  const datagram_kind* kind_;
  std::shared_ptr<datagram_io> io_;
};

/// Whether the kernel has sockets of this kind.
[[nodiscard]] bool is_available(sys::kernel& os, const datagram_kind& kind);

}  // namespace taps
