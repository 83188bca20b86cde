#pragma once

#include "taps/core/base/ring.hpp"
#include "taps/core/transport/protocol.hpp"
#include "taps/net/datagram/datagrams.hpp"
#include "taps/net/datagram/kind.hpp"
#include "taps/net/reactor/reactor.hpp"
#include "taps/net/socket/liveness.hpp"

namespace taps {

/// What Connections of datagrams have in common, whether they have a socket of their own or share
/// that of a Listener: datagrams that wait, and what is told to the sink at the end of the turn.
class datagram_instance : public protocol, protected io_source {
public:
  /// The largest payload of an IPv4 or IPv6 datagram.
  static constexpr std::uint64_t max_payload(ip_family family) noexcept {
    return family == ip_family::v4 ? 65507 : 65527;
  }

  void set_sink(protocol_sink& sink) noexcept final { sink_ = &sink; }
  void set_demand(bool wanted) final;
  void close() final;
  void abort() final;
  [[nodiscard]] const transport_descriptor& descriptor() const noexcept final {
    return kind_->descriptor;
  }
  [[nodiscard]] socket_address remote() const final { return remote_; }
  [[nodiscard]] message_limits limits() const final;
  result<void> set_property(property_id id, const property_value& value) override;

protected:
  datagram_instance(reactor& loop, const datagram_kind& kind, const socket_address& remote,
                    protocol_sink* sink) noexcept
      : loop_(&loop), kind_(&kind), sink_(sink), remote_(remote) {}

  /// Lets go of the socket.
  virtual void detach() = 0;
  /// Returns what the path carries in one packet, headers included; 0 if that is not known.
  [[nodiscard]] virtual std::uint64_t path_mtu() const = 0;
  /// Called with demand and an empty inbox; may end the life of this object.
  virtual void receive_more() {}

  void on_io(std::uint32_t) override {}
  void on_later() override;

  void report_ready();
  void report_soft_error(int code);
  /// Hands up what waits, as far as it is wanted. Returns false if this object is gone or done.
  bool deliver();

  [[nodiscard]] bool open() const noexcept { return stage_ == stage::open; }
  [[nodiscard]] bool demand() const noexcept { return demand_; }

  reactor* loop_;
  const datagram_kind* kind_;
  protocol_sink* sink_;
  socket_address remote_;
  liveness liveness_;
  ring<datagram> inbox_;
  std::size_t inbox_bytes_ = 0;
  /// `msgChecksumLen` of Messages that have none themselves.
  std::int64_t checksum_length_ = full_checksum;

private:
  enum class stage : std::uint8_t { open, closing, done };

  stage stage_ = stage::open;
  bool demand_ = false;
  bool ready_due_ = false;
  int soft_error_due_ = 0;
};

}  // namespace taps
