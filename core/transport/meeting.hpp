#pragma once

#include "taps/core/transport/protocol.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace taps {

/// Where one end of a Rendezvous is.
struct meeting_request {
  /// Port 0 leaves it to the kernel.
  socket_address local;
  /// Interface all packets must use; empty for no restriction.
  std::string interface;
  std::shared_ptr<const transport_properties> properties;
  std::optional<std::uint8_t> hop_limit;
};

/// Takes what arrives at a meeting. Calls as for `protocol_sink`.
class meeting_sink {
public:
  virtual ~meeting_sink() = default;
  /// STUN arrived: a check, or the answer to one. Datagrams only.
  virtual void on_check(const socket_address& from, std::span<const std::byte> data) = 0;
  /// Somebody called: a stream, or the first datagram of a flow. An established Connection; the
  /// instance's sink must be set before the call returns.
  virtual void on_called(std::unique_ptr<protocol> instance) = 0;
};

/// One end of a Rendezvous, at one local address: it calls and is called from the same port.
/// Destroying it ends that; instances that it brought live on, and datagrams go on to answer the
/// checks of their peers.
class meeting {
public:
  virtual ~meeting() = default;
  [[nodiscard]] virtual socket_address local() const = 0;

  /// Makes an instance for the flow to an address. A stream reports to the sink when the peer is
  /// there; datagrams are ready at once, and do not report that.
  [[nodiscard]] virtual result<std::unique_ptr<protocol>> call(const socket_address& remote,
                                                               protocol_sink& sink) = 0;

  /// Sends STUN. Datagrams only; what does not get out is lost, as on the way.
  virtual void send_check(const socket_address&, std::span<const std::byte>) {}
};

}  // namespace taps
