#include "taps/net/datagram/descriptor.hpp"

namespace taps {

transport_descriptor describe_datagrams(std::string_view name) {
  transport_descriptor x;
  x.name = name;
  x.unit = data_unit::datagram;
  x.features.set(feature::preserve_msg_boundaries, support::always)
      .set(feature::full_checksum_send, support::on_request)
      .set(feature::full_checksum_recv, support::on_request)
      .set(feature::soft_error_notify, support::on_request);
  x.honours = {property_id::use_temporary_local_address,
               property_id::soft_error_notify,
               property_id::recv_checksum_len,
               property_id::conn_capacity_profile,
               property_id::max_send_rate,
               property_id::msg_checksum_len,
               property_id::msg_capacity_profile,
               property_id::ecn};
  x.remarks = {
      {property_id::use_temporary_local_address,
       "set for IPv6 when asked for; by default the host's own policy decides (`use_tempaddr`)"},
      {property_id::recv_checksum_len,
       "Connections of a Listener share its socket: its value counts, and cannot change"},
      {property_id::max_recv_rate, "a peer that nothing slows down would lose datagrams"},
      {property_id::conn_timeout, "nothing is ever acknowledged"},
      {property_id::keep_alive_timeout, "there are no keep-alives"},
  };
  x.specific = name;
  x.round_trips = 0;
  x.connectionless = true;
  return x;
}

}  // namespace taps
