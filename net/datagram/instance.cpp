#include "taps/net/datagram/instance.hpp"

#include <algorithm>

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
  loop_->run_later(*this);
}

void datagram_instance::abort() {
  if (open())
    detach();
  stage_ = stage::done;
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
  if (id == property_id::msg_checksum_len)
    checksum_length_ = value.get_or(full_checksum);
  return {};
}

// -- at the end of the turn ---------------------------------------------------------

void datagram_instance::report_ready() {
  ready_due_ = true;
  loop_->run_later(*this);
}

void datagram_instance::report_soft_error(int code) {
  soft_error_due_ = code;
  loop_->run_later(*this);
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
  if (alive && open() && soft_error_due_ != 0)
    sink_->on_soft_error(os_error(errc::protocol_failed, "datagrams to " + to_string(remote_),
                                  std::exchange(soft_error_due_, 0)));
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
