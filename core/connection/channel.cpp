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

// -- data -----------------------------------------------------------------------------------

void channel::flush() {
  if (protocol_ready_ && !framers_.queue().empty())
    protocol_->flush(framers_.queue());
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
  if (!framers_.empty())
    set_demand(true);
  framers_.start();
  flush();
}

void channel::on_writable() { sink_->on_channel_writable(); }

void channel::on_data(slice data, const inbound_info& info) {
  const auto& context = context_for(info);
  const auto end_of_stream = info.final || (stream_ && info.end_of_message);
  if (!stream_ || !data.empty())
    framers_.receive(std::move(data), context, !stream_ && info.end_of_message);
  if (end_of_stream)
    end_of_data();
}

void channel::on_inbound_stream(std::unique_ptr<protocol> stream) {
  sink_->on_channel_stream(std::move(stream));
}

void channel::on_soft_error(error reason) { sink_->on_channel_soft_error(std::move(reason)); }

void channel::on_path_change() { sink_->on_channel_path_change(); }

void channel::on_closed() { sink_->on_channel_closed(); }

void channel::on_failed(error reason) { sink_->on_channel_failed(std::move(reason)); }

// -- framer_stack_sink
// ------------------------------------------------------------------------------

void channel::on_framers_ready() {
  if (!framers_.empty())
    set_demand(false);
  sink_->on_channel_ready();
}

void channel::on_framers_stopped() { sink_->on_channel_stopped(); }

void channel::on_framer_failed(error reason) { sink_->on_channel_failed(std::move(reason)); }

void channel::on_deliver(const message_context& context, slice data, bool end_of_message) {
  sink_->on_channel_data(context, std::move(data), end_of_message);
}

// -- helpers
// ------------------------------------------------------------------------------------------

void channel::end_of_data() {
  if (std::exchange(ended_, true))
    return;
  if (framers_.inside_message())
    sink_->on_channel_end({errc::deframing_failed, "the peer finished in the middle of a frame"});
  else
    sink_->on_channel_end({});
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
