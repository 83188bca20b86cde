#pragma once

#include "taps/core/transport/protocol.hpp"
#include "taps/net/reactor/reactor.hpp"
#include "taps/net/stream/kind.hpp"

#include <memory>

namespace taps {

/// Makes connections and listeners of one kind on one shard.
class stream_transport final : public transport {
public:
  stream_transport(reactor& loop, const stream_kind& kind) noexcept : loop_(&loop), kind_(&kind) {}

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
  const stream_kind* kind_;
};

/// Whether the kernel has sockets of this kind.
[[nodiscard]] bool is_available(sys::kernel& os, const stream_kind& kind);

}  // namespace taps
