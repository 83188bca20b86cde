#include "taps/tests/support/simulation/simulated_transport.hpp"

#include <cerrno>

namespace taps::testing {

transport_descriptor stream_protocol(std::string_view name) {
  transport_descriptor x;
  x.name = name;
  x.unit = data_unit::byte_stream;
  x.features.set(feature::reliability, support::always)
      .set(feature::preserve_order, support::always)
      .set(feature::full_checksum_send, support::always)
      .set(feature::full_checksum_recv, support::always)
      .set(feature::congestion_control, support::always)
      .set(feature::replay_protection, support::always)
      .set(feature::keep_alive, support::on_request)
      .set(feature::active_read_before_send, support::on_request);
  x.honours = {property_id::keep_alive, property_id::final};
  x.round_trips = 1;
  return x;
}

transport_descriptor datagram_protocol(std::string_view name) {
  transport_descriptor x;
  x.name = name;
  x.unit = data_unit::datagram;
  x.features.set(feature::preserve_msg_boundaries, support::always)
      .set(feature::full_checksum_send, support::always)
      .set(feature::full_checksum_recv, support::always)
      .set(feature::soft_error_notify, support::on_request);
  x.connectionless = true;
  x.default_order = 100;
  return x;
}

transport_descriptor message_protocol(std::string_view name) {
  auto x = stream_protocol(name);
  x.unit = data_unit::message;
  x.features.set(feature::preserve_msg_boundaries, support::always);
  x.round_trips = 2;
  x.reach = reachability::unknown;
  x.default_order = 10;
  return x;
}

simulated_transport::simulated_transport(simulated_shard& home, simulated_network& network,
                                         const simulated_names& names, transport_descriptor what)
    : home_(home), network_(network), names_(names),
      descriptor_(std::make_shared<transport_descriptor>(std::move(what))) {}

result<std::unique_ptr<protocol>> simulated_transport::connect(const connect_request& request,
                                                               protocol_sink& sink) {
  auto local = request.local.value_or(socket_address{});
  if (!request.local || local.address.is_any()) {
    const auto source = names_.source_for(request.remote.address);
    if (!source)
      return os_error(errc::establishment_failed, "connect to " + to_string(request.remote),
                      ENETUNREACH);
    local.address = *source;
  }
  return network_.connect(home_, descriptor_, local, request.remote, sink);
}

result<std::unique_ptr<acceptor>> simulated_transport::listen(const listen_request& request,
                                                              acceptor_sink& sink) {
  return network_.listen(home_, descriptor_, request, sink);
}

}  // namespace taps::testing
