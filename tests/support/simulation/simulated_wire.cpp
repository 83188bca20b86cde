#include "taps/tests/support/simulation/simulated_wire.hpp"

#include "taps/tests/support/simulation/simulated_network.hpp"

#include <algorithm>

namespace taps::testing {

namespace {

/// Unreliable packets that wait to be read at most; further ones are dropped.
constexpr std::size_t max_waiting = 256;

}  // namespace

wire_end::wire_end(simulated_network& network, simulated_shard& home,
                   std::shared_ptr<const transport_descriptor> what, socket_address local,
                   socket_address remote, protocol_sink* sink)
    : network_(network), home_(home), descriptor_(std::move(what)), local_(local), remote_(remote),
      sink_(sink), deadline_(
                       [](void* self) {
                         auto* end = static_cast<wire_end*>(self);
                         end->fail({errc::timeout, "close: " + to_string(end->remote_) +
                                                       " did not acknowledge all data in time"});
                       },
                       this) {}

// -- for the network ------------------------------------------------------------------------

void wire_end::link(const std::shared_ptr<wire_end>& x, const std::shared_ptr<wire_end>& y) {
  x->other_ = y;
  y->other_ = x;
  x->linked_ = y->linked_ = true;
  x->stage_ = y->stage_ = stage::open;
}

void wire_end::tell_ready() {
  cancel_ = nullptr;
  if (sink_ && stage_ == stage::open)
    sink_->on_ready();
}

void wire_end::fail(error reason) {
  const auto keep = shared_from_this();
  auto* sink = sink_;
  finish();
  if (sink)
    sink->on_failed(std::move(reason));
}

void wire_end::tell_soft_error(error reason) {
  if (sink_ && stage_ == stage::open)
    sink_->on_soft_error(std::move(reason));
}

const wire_options& wire_end::options() const noexcept { return network_.options(); }

bool wire_end::is_stream() const noexcept { return descriptor_->unit == data_unit::byte_stream; }

bool wire_end::is_reliable() const noexcept {
  return descriptor_->features.get(feature::reliability) != support::never;
}

bool wire_end::is_ordered() const noexcept {
  return is_stream() || descriptor_->features.get(feature::preserve_order) != support::never;
}

// -- sending --------------------------------------------------------------------------------------

void wire_end::flush(outbound_queue& queue) {
  if (stage_ != stage::open || failure_)
    return;
  if (is_stream())
    flush_stream(queue);
  else
    flush_messages(queue);
  blocked_ = !queue.empty() && !end_sent_;
  // A partial write with room left: the next one goes out in another turn.
  if (blocked_ && in_flight_ < options().window)
    when_writable();
}

void wire_end::flush_stream(outbound_queue& queue) {
  const auto room = options().window - std::min(options().window, in_flight_);
  const auto limit = std::min(room, options().max_write);
  std::string bytes;
  for (const auto& piece : queue.pieces()) {
    bytes += piece.data.view().substr(0, limit - bytes.size());
    if (piece.final || bytes.size() == limit)
      break;
  }
  const auto finished = queue.consume(bytes.size());
  if (!bytes.empty())
    transmit({packet_kind::data, slice::copy_of(bytes), false});
  if (finished)
    send_end();
}

void wire_end::flush_messages(outbound_queue& queue) {
  while (!queue.empty() && !end_sent_) {
    std::string bytes;
    bool whole = false;
    bool final = false;
    for (const auto& piece : queue.pieces()) {
      bytes += piece.data.view();
      final = final || piece.final;
      if ((whole = piece.end_of_message))
        break;
    }
    if (!whole || (in_flight_ > 0 && in_flight_ + bytes.size() > options().window))
      return;
    if (bytes.size() > options().max_message) {
      queue.complete_message(
          {errc::message_too_large, std::to_string(bytes.size()) + " bytes exceed the " +
                                        std::to_string(options().max_message) + " of a Message"});
      continue;
    }
    queue.complete_message();
    transmit({packet_kind::data, slice::copy_of(bytes), final});
    end_sent_ = final && !descriptor_->connectionless;
  }
}

void wire_end::send_end() {
  end_sent_ = true;
  transmit({packet_kind::end, {}, false});
}

void wire_end::transmit(packet what) {
  if (what.kind == packet_kind::data) {
    network_.count_sent(what.data.size());
    if (is_reliable())
      in_flight_ += what.data.size();
  }
  if (network_.is_cut(local_) || network_.is_cut(remote_))
    return;
  auto delay = network_.travel_time();
  if (network_.loses()) {
    if (!is_reliable())
      return;
    delay += options().retransmission;
  }
  auto when = home_.now() + delay;
  if (is_ordered())
    last_arrival_ = when = std::max(when, last_arrival_);
  auto to = other_.lock();
  if (!to && descriptor_->connectionless && what.kind == packet_kind::data) {
    // Whoever is there by then makes the peer of it.
    home_.after(when - home_.now(), [self = shared_from_this(), what = std::move(what)]() mutable {
      auto peer = self->other_.lock();
      if (!peer)
        peer = self->network_.reach(self);
      if (peer)
        peer->home_.after(
            {}, [peer, what = std::move(what)]() mutable { peer->arrive(std::move(what)); });
    });
    return;
  }
  if (!to && what.kind == packet_kind::end && end_received_) {
    // The other end closed in order before us and is gone.
    home_.after(delay * 2, [self = shared_from_this()] { self->on_end_acknowledged(); });
    return;
  }
  if (!to) {
    if (linked_ && what.kind != packet_kind::reset && !descriptor_->connectionless)
      home_.after(delay * 2, [self = shared_from_this()] {
        self->arrive({packet_kind::reset, {}, false});
      });
    return;
  }
  to->home_.after(when - home_.now(),
                  [to, what = std::move(what)]() mutable { to->arrive(std::move(what)); });
}

void wire_end::when_writable() {
  home_.after({}, [weak = weak_from_this()] {
    auto self = weak.lock();
    if (self && self->stage_ == stage::open && std::exchange(self->blocked_, false))
      self->sink_->on_writable();
  });
}

void wire_end::credit(std::size_t bytes) {
  in_flight_ -= std::min(in_flight_, bytes);
  if (blocked_)
    when_writable();
}

// -- receiving ------------------------------------------------------------------------------------

void wire_end::set_demand(bool wanted) {
  demand_ = wanted;
  if (wanted && (!inbox_.empty() || failure_))
    home_.after({}, [weak = weak_from_this()] {
      if (auto self = weak.lock())
        self->deliver();
    });
}

void wire_end::arrive(packet what) {
  if (stage_ == stage::done) {
    // An end that closed in order still acknowledges the other's end, as a kernel does.
    if (what.kind == packet_kind::end && end_acknowledged_) {
      tell_other(&wire_end::on_end_acknowledged);
      return;
    }
    // Nobody is there: the sender gets to know.
    auto sender = other_.lock();
    if (sender && what.kind != packet_kind::reset && !descriptor_->connectionless)
      sender->home_.after(options().latency, [sender] {
        sender->arrive({packet_kind::reset, {}, false});
      });
    return;
  }
  if (what.kind == packet_kind::reset) {
    if (end_acknowledged_ && stage_ == stage::closing) {
      report_closed();
      return;
    }
    failure_ = error{errc::connection_aborted, "connection reset by peer " + to_string(remote_)};
    deliver();
    return;
  }
  if (!is_reliable() && inbox_.size() >= max_waiting)
    return;
  if (what.kind == packet_kind::end || (what.final && !descriptor_->connectionless))
    tell_other(&wire_end::on_end_acknowledged);
  inbox_.push_back(std::move(what));
  deliver();
}

void wire_end::deliver() {
  const auto keep = shared_from_this();
  while (!inbox_.empty() && (stage_ == stage::closing || (stage_ == stage::open && demand_))) {
    auto next = std::move(inbox_.front());
    inbox_.pop_front();
    if (auto sender = other_.lock(); sender && is_reliable() && !next.data.empty())
      sender->home_.after(options().latency, [sender, n = next.data.size()] { sender->credit(n); });
    inbound_info info;
    info.final = next.kind == packet_kind::end || next.final;
    info.end_of_message = !is_stream() || info.final;
    end_received_ = end_received_ || (info.final && !descriptor_->connectionless);
    if (stage_ == stage::open)
      sink_->on_data(std::move(next.data), info);
  }
  if (failure_ && stage_ != stage::done && (inbox_.empty() || !demand_))
    fail(*failure_);
  else if (end_received_ && end_sent_ && stage_ == stage::open)
    begin_closing();
}

// -- termination ----------------------------------------------------------------------------------

void wire_end::close() {
  if (stage_ == stage::connecting) {
    if (auto cancel = std::exchange(cancel_, nullptr))
      cancel();
    end_acknowledged_ = true;
  } else if (stage_ != stage::open) {
    return;
  }
  begin_closing();
}

void wire_end::begin_closing() {
  stage_ = stage::closing;
  if (descriptor_->connectionless || end_acknowledged_) {
    end_acknowledged_ = true;
    home_.after({}, [weak = weak_from_this()] {
      if (auto self = weak.lock())
        self->report_closed();
    });
    return;
  }
  if (!end_sent_)
    send_end();
  home_.timers().schedule(deadline_, home_.now() + options().close_timeout);
  deliver();
}

void wire_end::on_end_acknowledged() {
  end_acknowledged_ = true;
  if (stage_ == stage::closing)
    report_closed();
}

void wire_end::report_closed() {
  if (stage_ == stage::done)
    return;
  const auto keep = shared_from_this();
  auto* sink = sink_;
  finish();
  if (sink)
    sink->on_closed();
}

void wire_end::abort() {
  if (stage_ == stage::connecting) {
    if (auto cancel = std::exchange(cancel_, nullptr))
      cancel();
  } else if (stage_ != stage::done && !descriptor_->connectionless) {
    transmit({packet_kind::reset, {}, false});
  }
  finish();
}

void wire_end::finish() noexcept {
  stage_ = stage::done;
  sink_ = nullptr;
  cancel_ = nullptr;
  deadline_.cancel();
  inbox_.clear();
}

void wire_end::tell_other(void (wire_end::*f)()) {
  if (auto to = other_.lock())
    to->home_.after(options().latency, [to, f] { (to.get()->*f)(); });
}

// -- simulated_connection -------------------------------------------------------------------------

message_limits simulated_connection::limits() const {
  if (descriptor().unit == data_unit::byte_stream) {
    constexpr std::uint64_t unlimited = std::numeric_limits<std::int64_t>::max();
    return {std::nullopt, unlimited, unlimited};
  }
  const std::uint64_t most = end_->options().max_message;
  return {most, most, most};
}

}  // namespace taps::testing
