#include "taps/net/transports/tcp/descriptor.hpp"

namespace taps {

namespace {

transport_descriptor make() {
  transport_descriptor x;
  x.name = "tcp";
  x.unit = data_unit::byte_stream;
  x.features.set(feature::reliability, support::always)
      .set(feature::preserve_order, support::always)
      .set(feature::full_checksum_send, support::always)
      .set(feature::full_checksum_recv, support::always)
      .set(feature::congestion_control, support::always)
      .set(feature::replay_protection, support::always)
      .set(feature::keep_alive, support::on_request)
      .set(feature::active_read_before_send, support::on_request);
  x.honours = {property_id::keep_alive,         property_id::conn_timeout,
               property_id::keep_alive_timeout, property_id::conn_capacity_profile,
               property_id::max_send_rate,      property_id::final};
  x.round_trips = 1;
  x.reach = reachability::assumed;
  x.default_order = 0;
  return x;
}

}  // namespace

const transport_descriptor& tcp_descriptor() {
  static const auto instance = make();
  return instance;
}

}  // namespace taps
