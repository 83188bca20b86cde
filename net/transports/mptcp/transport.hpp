#pragma once

#include "taps/net/stream/transport.hpp"

namespace taps {

/// Multipath TCP (RFC 8684) as a kind of byte stream.
[[nodiscard]] const stream_kind& mptcp_kind();

/// Makes connections and listeners on one shard: of several paths, or plain ones where multipath is
/// disabled, so that no packet offers any.
class mptcp_transport final : public transport {
public:
  explicit mptcp_transport(reactor& loop) noexcept;

  [[nodiscard]] const transport_descriptor& descriptor() const noexcept override {
    return multipath_.descriptor();
  }
  [[nodiscard]] result<std::unique_ptr<protocol>> connect(const connect_request& request,
                                                          protocol_sink& sink) override;
  [[nodiscard]] result<std::unique_ptr<acceptor>> listen(const listen_request& request,
                                                         acceptor_sink& sink) override;
  /// Always plain: the kernel has no simultaneous open with several paths.
  [[nodiscard]] result<std::unique_ptr<meeting>> meet(const meeting_request& request,
                                                      meeting_sink& sink) override;

private:
  stream_transport multipath_;
  stream_transport plain_;
};

/// Returns null when the kernel has no MPTCP.
[[nodiscard]] std::unique_ptr<transport> make_mptcp_transport(reactor& loop);

}  // namespace taps
