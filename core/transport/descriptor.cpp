#include "taps/core/transport/descriptor.hpp"

#include "taps/core/properties/property_table.hpp"

namespace taps {

std::optional<property_id> property_of(feature what) noexcept {
  switch (what) {
  case feature::reliability:
    return property_id::reliability;
  case feature::preserve_msg_boundaries:
    return property_id::preserve_msg_boundaries;
  case feature::per_msg_reliability:
    return property_id::per_msg_reliability;
  case feature::preserve_order:
    return property_id::preserve_order;
  case feature::zero_rtt_msg:
    return property_id::zero_rtt_msg;
  case feature::multistreaming:
    return property_id::multistreaming;
  case feature::full_checksum_send:
    return property_id::full_checksum_send;
  case feature::full_checksum_recv:
    return property_id::full_checksum_recv;
  case feature::congestion_control:
    return property_id::congestion_control;
  case feature::keep_alive:
    return property_id::keep_alive;
  case feature::multipath:
    return property_id::multipath;
  case feature::soft_error_notify:
    return property_id::soft_error_notify;
  case feature::active_read_before_send:
    return property_id::active_read_before_send;
  case feature::unidirectional:
    return property_id::direction;
  case feature::replay_protection:
    return property_id::safely_replayable;
  case feature::encryption:
    break;
  }
  return std::nullopt;
}

std::string_view to_string(feature what) noexcept {
  switch (what) {
  case feature::unidirectional:
    return "unidirectional";
  case feature::replay_protection:
    return "replay protection";
  case feature::encryption:
    return "encryption";
  default:
    break;
  }
  const auto id = property_of(what);
  return id ? to_string(*id) : "unknown";
}

std::string_view to_string(support what) noexcept {
  switch (what) {
  case support::never:
    return "never";
  case support::on_request:
    return "on request";
  case support::always:
    return "always";
  }
  return "unknown";
}

std::string_view to_string(data_unit what) noexcept {
  switch (what) {
  case data_unit::byte_stream:
    return "byte stream";
  case data_unit::datagram:
    return "datagram";
  case data_unit::message:
    return "message";
  }
  return "unknown";
}

}  // namespace taps
