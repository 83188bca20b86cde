#pragma once

#include <cstdint>

namespace taps {

/// Every property that Tapline knows by itself; `property_table.hpp` tells all about each. Grouped
/// by what they are, so that ranges of ids are kinds.
enum class property_id : std::uint8_t {
  // -- Selection Properties (RFC 9622, section 6.2) -------------------------------
  reliability,
  preserve_msg_boundaries,
  per_msg_reliability,
  preserve_order,
  zero_rtt_msg,
  multistreaming,
  full_checksum_send,
  full_checksum_recv,
  congestion_control,
  keep_alive,
  interface,
  pvd,
  use_temporary_local_address,
  multipath,
  advertises_altaddr,
  direction,
  soft_error_notify,
  active_read_before_send,
  /// Of older drafts only: asks for the notice of excessive retransmissions.
  retransmit_notify,

  // -- Connection Properties (sections 8.1 and 8.2) -------------------------------
  recv_checksum_len,
  conn_priority,
  conn_timeout,
  keep_alive_timeout,
  conn_scheduler,
  conn_capacity_profile,
  multipath_policy,
  min_send_rate,
  min_recv_rate,
  max_send_rate,
  max_recv_rate,
  group_conn_limit,
  isolate_session,
  tcp_user_timeout_value,
  tcp_user_timeout_enabled,
  tcp_user_timeout_changeable,
  sctp_udp_encaps_port,
  retransmit_notify_threshold,
  idle_timeout,

  // -- Message Properties (section 9.1.3) -----------------------------------------
  msg_lifetime,
  msg_priority,
  msg_ordered,
  safely_replayable,
  final,
  msg_checksum_len,
  msg_reliable,
  msg_capacity_profile,
  no_fragmentation,
  no_segmentation,

  // -- read-only properties of received Messages (section 9.3.3) -------------------
  ecn,
  early_data,

  // -- read-only properties of Connections (section 8.1.11) ------------------------
  conn_state,
  can_send,
  can_receive,
  singular_transmission_msg_max_len,
  send_msg_max_len,
  recv_msg_max_len,
  zero_rtt_msg_max_len,
  stack,
  local_endpoint,
  remote_endpoint,
  queued_bytes,
  security_info,
};

inline constexpr unsigned num_properties = static_cast<unsigned>(property_id::security_info) + 1;

}  // namespace taps
