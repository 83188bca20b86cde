#pragma once

#include "taps/core/transport/meeting.hpp"
#include "taps/net/stream/acceptor.hpp"

namespace taps {

/// One end of a Rendezvous by streams: a port that listens, and from which others are called. A
/// call and the peer's own, when they cross, become one stream (RFC 9293, section 3.5,
/// "simultaneous open"); when the peer listens, they are an ordinary connection.
class stream_meeting final : public meeting, private acceptor_sink {
public:
  /// Takes a listening socket that shares its port.
  [[nodiscard]] static result<std::unique_ptr<meeting>> open(reactor& loop, const stream_kind& kind,
                                                             sys::descriptor socket,
                                                             const meeting_request& request,
                                                             meeting_sink& sink);

  [[nodiscard]] socket_address local() const override { return acceptor_->local(); }
  [[nodiscard]] result<std::unique_ptr<protocol>> call(const socket_address& remote,
                                                       protocol_sink& sink) override;

private:
  stream_meeting(reactor& loop, const stream_kind& kind, meeting_request request,
                 meeting_sink& sink) noexcept
      : loop_(&loop), kind_(&kind), request_(std::move(request)), sink_(&sink) {}

  void on_accepted(std::unique_ptr<protocol> instance) override {
    sink_->on_called(std::move(instance));
  }
  void on_soft_error(error) override {}

  reactor* loop_;
  const stream_kind* kind_;
  meeting_request request_;
  meeting_sink* sink_;
  std::unique_ptr<stream_acceptor> acceptor_;
};

}  // namespace taps
