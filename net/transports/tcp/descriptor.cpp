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
      .set(feature::zero_rtt_msg, support::on_request)
      .set(feature::keep_alive, support::on_request)
      .set(feature::soft_error_notify, support::on_request)
      .set(feature::active_read_before_send, support::on_request);
  x.honours = {property_id::zero_rtt_msg,
               property_id::keep_alive,
               property_id::use_temporary_local_address,
               property_id::soft_error_notify,
               property_id::retransmit_notify,
               property_id::conn_timeout,
               property_id::keep_alive_timeout,
               property_id::conn_capacity_profile,
               property_id::min_send_rate,
               property_id::max_send_rate,
               property_id::max_recv_rate,
               property_id::retransmit_notify_threshold,
               property_id::final};
  constexpr auto no_option = "the kernel knows no User Timeout Option (RFC 5482): nothing is "
                             "advertised, and what a peer advertises is not heard";
  x.remarks = {
      {property_id::zero_rtt_msg,
       "TCP Fast Open, for the Message of InitiateWithSend if it is safely replayable, unless "
       "Avoid "
       "or Prohibit; a Listener takes such data if it is Prefer or Require. As far as "
       "`net.ipv4.tcp_fastopen` permits it: else Require is an error"},
      {property_id::isolate_session, "no TCP Fast Open: its cookies are the whole host's"},
      {property_id::use_temporary_local_address,
       "set for IPv6 when asked for; by default the host's own policy decides (`use_tempaddr`)"},
      {property_id::min_send_rate, "a soft error when data waits and less than that leaves"},
      {property_id::min_recv_rate, "what a peer could have sent is not known"},
      {property_id::tcp_user_timeout_value, no_option},
      {property_id::tcp_user_timeout_enabled, no_option},
      {property_id::tcp_user_timeout_changeable, no_option},
  };
  x.specific = "tcp";
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
