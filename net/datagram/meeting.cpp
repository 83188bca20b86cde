#include "taps/net/datagram/meeting.hpp"

#include "taps/core/rendezvous/stun.hpp"
#include "taps/net/datagram/child.hpp"

namespace taps {

/// Tells checks from data. Without a meeting that is only what is STUN beyond doubt.
class datagram_meeting::check_filter final : public datagram_filter {
public:
  explicit check_filter(meeting_sink& sink) noexcept : sink_(&sink) {}

  void end() noexcept { sink_ = nullptr; }

  bool pass(datagram_port& port, const datagram& x) override {
    if (sink_ != nullptr) {
      if (!looks_like_stun(x.data.bytes()))
        return true;
      sink_->on_check(x.from, x.data.bytes());
      return false;
    }
    if (!has_fingerprint(x.data.bytes()))
      return true;
    // Strangers get no answer: this is no STUN server.
    const auto request =
        port.has_flow(x) ? read_stun(x.data.bytes()) : result<stun_message>{error{}};
    if (request && request->what == stun_class::request && request->method == stun_message::binding)
      port.send_past(x.from, write_stun(answer_to(*request, x.from)));
    return false;
  }

private:
  meeting_sink* sink_;
};

result<std::unique_ptr<meeting>> datagram_meeting::open(reactor& loop, const datagram_kind& kind,
                                                        sys::descriptor socket,
                                                        std::shared_ptr<datagram_io> io,
                                                        const listen_request& request,
                                                        meeting_sink& sink) {
  std::unique_ptr<datagram_meeting> made{
      new datagram_meeting(loop, kind, std::move(socket), std::move(io), request, sink)};
  if (auto started = made->port_->start(); !started)
    return started.failure();
  return std::unique_ptr<meeting>{std::move(made)};
}

datagram_meeting::datagram_meeting(reactor& loop, const datagram_kind& kind, sys::descriptor socket,
                                   std::shared_ptr<datagram_io> io, const listen_request& request,
                                   meeting_sink& sink)
    : sink_(&sink), filter_(std::make_shared<check_filter>(sink)),
      port_(std::make_shared<datagram_port>(loop, kind, std::move(socket), std::move(io), nullptr,
                                            request, static_cast<acceptor_sink&>(*this))) {
  port_->set_filter(filter_);
}

datagram_meeting::~datagram_meeting() {
  filter_->end();
  port_->stop_accepting();
}

result<std::unique_ptr<protocol>> datagram_meeting::call(const socket_address& remote,
                                                         protocol_sink& sink) {
  auto made = port_->open(remote);
  if (!made)
    return {errc::establishment_failed, "there is a Connection to " + to_string(remote)};
  made->set_sink(sink);
  return std::unique_ptr<protocol>{std::move(made)};
}

}  // namespace taps
