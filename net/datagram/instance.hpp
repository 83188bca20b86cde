#pragma once

#include "taps/core/base/ring.hpp"
#include "taps/core/transport/protocol.hpp"
#include "taps/net/datagram/datagrams.hpp"
#include "taps/net/datagram/kind.hpp"
#include "taps/net/datagram/options.hpp"
#include "taps/net/reactor/reactor.hpp"
#include "taps/net/socket/error_queue.hpp"
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
                    protocol_sink* sink, const datagram_wishes& wishes)
      : loop_(&loop), kind_(&kind), sink_(sink), remote_(remote), wishes_(wishes) {
    keep_rate();
  }

  /// Lets go of the socket.
  virtual void detach() = 0;
  /// Returns what the path carries in one packet, headers included; 0 if that is not known.
  [[nodiscard]] virtual std::uint64_t path_mtu() const = 0;
  /// Called with demand and an empty inbox; may end the life of this object.
  virtual void receive_more() {}

  void on_io(std::uint32_t) override {}
  void on_later() override;

  void report_ready();
  /// Tells of a packet that did not get through: one that was too large changes the path, the
  /// others are soft errors, if somebody wants to know.
  void report_trouble(const packet_error& what);
  void report_trouble(int code) { report_trouble({code, {}, {}}); }

  /// How Messages are to be sent by a socket with these checksums.
  [[nodiscard]] datagram_io::manner manner_of(sent_checksums& checksums) const;
  /// The rate allows no more: `on_writable` follows when it does.
  void wait_for_rate();
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
  datagram_wishes wishes_;

private:
  enum class stage : std::uint8_t { open, closing, done };

  /// What limits a rate.
  struct governor {
    rate_limit limit;
    timer resume;
  };

  /// How much trouble is told of in one turn.
  static constexpr std::size_t max_troubles = 16;

  void keep_rate();
  void tell_troubles();

  stage stage_ = stage::open;
  bool demand_ = false;
  bool ready_due_ = false;
  bool path_change_due_ = false;
  std::vector<error> troubles_;
  /// Null without a limit.
  std::unique_ptr<governor> governor_;
};

}  // namespace taps
