#include "taps/tests/support/simulation/simulated_peer.hpp"

namespace taps::testing {

simulated_peer::simulated_peer(std::unique_ptr<protocol> instance, const transport_descriptor& what)
    : instance_(std::move(instance)), queue_(what.unit) {
  instance_->set_sink(*this);
}

void simulated_peer::start() {
  started_ = true;
  instance_->set_demand(reading_);
  instance_->flush(queue_);
}

void simulated_peer::send(std::string_view data) { push(data, false); }

void simulated_peer::finish() { push({}, true); }

void simulated_peer::push(std::string_view data, bool final) {
  queue_.push({slice::copy_of(data), nullptr, true, final});
  if (started_)
    instance_->flush(queue_);
}

void simulated_peer::read(bool wanted) {
  reading_ = wanted;
  if (started_)
    instance_->set_demand(wanted);
}

void simulated_peer::on_data(slice data, const inbound_info& info) {
  finished_ = finished_ || info.final;
  if (data.empty() && info.final)
    return;
  received_ += data.view();
  messages_.push_back(data.str());
  if (echoes_)
    send(data.view());
  if (on_message_)
    on_message_(*this, data.view());
}

}  // namespace taps::testing
