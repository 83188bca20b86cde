#pragma once

#include "taps/core/transport/meeting.hpp"
#include "taps/net/datagram/port.hpp"

namespace taps {

/// One end of a Rendezvous by datagrams: a port that tells STUN from data (RFC 7983). Once the
/// meeting is over, the port goes on to answer the checks of the peers of its Connections: an
/// answer may have been lost.
class datagram_meeting final : public meeting, private acceptor_sink {
public:
  [[nodiscard]] static result<std::unique_ptr<meeting>>
  open(reactor& loop, const datagram_kind& kind, sys::descriptor socket,
       std::shared_ptr<datagram_io> io, const listen_request& request, meeting_sink& sink);
  ~datagram_meeting() override;

  [[nodiscard]] socket_address local() const override { return port_->local(); }
  [[nodiscard]] result<std::unique_ptr<protocol>> call(const socket_address& remote,
                                                       protocol_sink& sink) override;
  void send_check(const socket_address& to, std::span<const std::byte> data) override {
    port_->send_past(to, data);
  }

private:
  class check_filter;

  datagram_meeting(reactor& loop, const datagram_kind& kind, sys::descriptor socket,
                   std::shared_ptr<datagram_io> io, const listen_request& request,
                   meeting_sink& sink);

  void on_accepted(std::unique_ptr<protocol> instance) override {
    sink_->on_called(std::move(instance));
  }
  void on_soft_error(error) override {}

  meeting_sink* sink_;
  std::shared_ptr<check_filter> filter_;
  std::shared_ptr<datagram_port> port_;
};

}  // namespace taps
