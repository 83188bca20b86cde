#include "taps/core/connection/channel.hpp"

namespace taps {

channel::channel(const std::vector<framer_factory>& framers, data_unit unit, arena& memory)
    : framers_(framers, unit, memory), stream_(unit == data_unit::byte_stream) {
  framers_.set_sink(*this);
}

channel::~channel() = default;

void channel::attach(std::unique_ptr<protocol> instance) { protocol_ = std::move(instance); }

void channel::attach_ready(std::unique_ptr<protocol> instance) {
  attach(std::move(instance));
  protocol_->set_sink(*this);
  on_ready();
}

void channel::tell_kept() {
  for (const auto& x : std::exchange(kept_, {}))
    x(*sink_);
}

// -- data -----------------------------------------------------------------------------------

void channel::flush() {
  if (protocol_ready_ && !holds_early_ && !framers_.queue().empty())
    protocol_->flush(framers_.queue());
}

outbound_queue* channel::offer_early(const early_message& what) {
  if (!framers_.empty() || !framers_.send(what.data, what.context, true))
    return nullptr;
  holds_early_ = true;
  return &framers_.queue();
}

void channel::set_demand(bool wanted) {
  if (std::exchange(demand_, wanted) != wanted && protocol_ready_ && !ended_)
    protocol_->set_demand(wanted);
}

// -- termination ------------------------------------------------------------------------------

void channel::stop_framers() { framers_.stop(); }

void channel::close() { protocol_->close(); }

void channel::abort() { protocol_->abort(); }

// -- protocol_sink ------------------------------------------------------------------------------

void channel::on_ready() {
  protocol_ready_ = true;
  plain_context_.set_endpoints(protocol_->local(), protocol_->remote());
  if (!framers_.empty()) {
    set_demand(true);
    if (sink_)
      sink_->on_channel_connected();
  }
  framers_.start();
  flush();
}

void channel::on_writable() {
  // Whoever takes over flushes anyway.
  if (sink_)
    sink_->on_channel_writable();
}

void channel::on_data(slice data, const inbound_info& info) {
  const auto& context = context_for(info);
  const auto end_of_stream = info.final || (stream_ && info.end_of_message);
  const auto queued = queue().bytes();
  if (!stream_ || !data.empty())
    framers_.receive(std::move(data), context, !stream_ && info.end_of_message);
  // Framers may answer by themselves.
  if (queue().bytes() != queued)
    on_writable();
  if (end_of_stream)
    end_of_data();
}

void channel::on_inbound_stream(std::unique_ptr<protocol> stream) {
  // Shared, since what is kept is copyable.
  tell([x = std::make_shared<std::unique_ptr<protocol>>(std::move(stream))](channel_sink& to) {
    to.on_channel_stream(std::move(*x));
  });
}

void channel::on_soft_error(error reason) {
  tell([x = std::move(reason)](channel_sink& to) { to.on_channel_soft_error(x); });
}

void channel::on_path_change() {
  tell([](channel_sink& to) { to.on_channel_path_change(); });
}

void channel::on_closed() {
  tell([](channel_sink& to) { to.on_channel_closed(); });
}

void channel::on_failed(error reason) {
  tell([x = std::move(reason)](channel_sink& to) { to.on_channel_failed(x); });
}

// -- framer_stack_sink ------------------------------------------------------------------------

void channel::on_framers_ready() {
  if (!framers_.empty())
    set_demand(false);
  tell([](channel_sink& to) { to.on_channel_ready(); });
}

void channel::on_framers_stopped() {
  tell([](channel_sink& to) { to.on_channel_stopped(); });
}

void channel::on_framer_failed(error reason) { on_failed(std::move(reason)); }

void channel::on_broken_message(error reason) {
  tell([x = std::move(reason)](channel_sink& to) { to.on_channel_broken_message(x); });
}

void channel::on_deliver(const message_context& context, slice data, bool end_of_message) {
  if (sink_)
    sink_->on_channel_data(context, std::move(data), end_of_message);
  else
    kept_.emplace_back([context, data = std::move(data), end_of_message](channel_sink& to) {
      to.on_channel_data(context, data, end_of_message);
    });
}

// -- helpers ---------------------------------------------------------------------------------

void channel::end_of_data() {
  if (std::exchange(ended_, true))
    return;
  error failure;
  if (framers_.inside_message())
    failure = {errc::deframing_failed, "the peer finished in the middle of a frame"};
  tell([x = std::move(failure)](channel_sink& to) { to.on_channel_end(x); });
}

template<class Event>
void channel::tell(Event what) {
  if (sink_)
    what(*sink_);
  else
    kept_.emplace_back(std::move(what));
}

const message_context& channel::context_for(const inbound_info& info) {
  if (!info.ecn && !info.early_data && !(info.final && !stream_))
    return plain_context_;
  special_context_ = plain_context_;
  if (info.ecn)
    special_context_.set_ecn(*info.ecn);
  special_context_.set_early_data(info.early_data);
  special_context_.set_final(info.final && !stream_);
  return special_context_;
}

}  // namespace taps
