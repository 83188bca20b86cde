#include "taps/net/datagram/instance.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

namespace taps {

void datagram_instance::set_demand(bool wanted) {
  demand_ = wanted;
  if (wanted && open())
    loop_->run_later(*this);
}

void datagram_instance::close() {
  if (!open())
    return;
  detach();
  stage_ = stage::closing;
  governor_.reset();
  loop_->run_later(*this);
}

void datagram_instance::abort() {
  if (open())
    detach();
  stage_ = stage::done;
  governor_.reset();
  inbox_.clear();
}

message_limits datagram_instance::limits() const {
  const auto family = remote_.address.family();
  const auto most = max_payload(family);
  message_limits result{.singular_transmission = std::nullopt, .send = most, .receive = most};
  const std::uint64_t headers = family == ip_family::v4 ? 28 : 48;
  if (const auto mtu = open() ? path_mtu() : 0; mtu > headers)
    result.singular_transmission = std::min(most, mtu - headers);
  return result;
}

result<void> datagram_instance::set_property(property_id id, const property_value& value) {
  wishes_.take(id, value);
  if (id == property_id::max_send_rate)
    keep_rate();
  return {};
}

// -- the rate -------------------------------------------------------------------------

void datagram_instance::keep_rate() {
  if (wishes_.max_send_rate > 0 && governor_)
    governor_->limit.set(wishes_.max_send_rate);
  else if (wishes_.max_send_rate > 0)
    governor_.reset(new governor{
        rate_limit{wishes_.max_send_rate},
        {[](void* self) { static_cast<datagram_instance*>(self)->sink_->on_writable(); }, this}});
  else if (governor_)
    governor_->limit.set(std::numeric_limits<std::int64_t>::max());
}

datagram_io::manner datagram_instance::manner_of(sent_checksums& checksums) const {
  const auto family = remote_.address.family();
  return {.max_size = max_payload(family),
          .family = family,
          .checksums = &checksums,
          .checksum_length = wishes_.checksum_length,
          .profile = wishes_.profile ? wishes_.profile : wishes_.connection_profile,
          .rate = governor_ ? &governor_->limit : nullptr};
}

void datagram_instance::wait_for_rate() {
  loop_->timers().schedule(governor_->resume, governor_->limit.next(loop_->now()));
}

// -- at the end of the turn ---------------------------------------------------------

void datagram_instance::report_ready() {
  ready_due_ = true;
  loop_->run_later(*this);
}

void datagram_instance::report_trouble(const packet_error& what) {
  if (what.code == EMSGSIZE)
    path_change_due_ = true;
  else if (wishes_.soft_errors && troubles_.size() < max_troubles)
    troubles_.push_back(describe(what, remote_));
  else
    return;
  loop_->run_later(*this);
}

void datagram_instance::tell_troubles() {
  const liveness::watch alive{liveness_};
  if (std::exchange(path_change_due_, false))
    sink_->on_path_change();
  if (!alive)
    return;
  for (const auto& x : std::exchange(troubles_, {})) {
    if (!alive || !open())
      return;
    sink_->on_soft_error(x);
  }
}

void datagram_instance::on_later() {
  const liveness::watch alive{liveness_};
  if (stage_ == stage::closing) {
    stage_ = stage::done;
    sink_->on_closed();
    return;
  }
  if (open() && std::exchange(ready_due_, false))
    sink_->on_ready();
  if (alive && open() && (path_change_due_ || !troubles_.empty()))
    tell_troubles();
  if (alive && deliver() && demand_)
    receive_more();
}

bool datagram_instance::deliver() {
  const liveness::watch alive{liveness_};
  while (open() && demand_ && !ready_due_ && !inbox_.empty()) {
    auto x = inbox_.pop_front();
    inbox_bytes_ -= x.data.size();
    inbound_info info;
    info.end_of_message = true;
    info.ecn = x.ecn;
    sink_->on_data(std::move(x.data), info);
    if (!alive)
      return false;
  }
  return open();
}

}  // namespace taps
