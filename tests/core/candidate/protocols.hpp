#pragma once

#include "taps/core/candidate/stack.hpp"

#include <algorithm>
#include <vector>

/// Descriptors after the matrix of the requirements (section 3.2), enough to select among.
namespace taps::testing {

inline transport_descriptor describe_protocol(std::string_view name, data_unit unit, int order) {
  transport_descriptor result;
  result.name = name;
  result.unit = unit;
  result.default_order = order;
  return result;
}

inline const transport_descriptor& tcp() {
  static const auto result = [] {
    auto x = describe_protocol("tcp", data_unit::byte_stream, 0);
    x.round_trips = 1;
    x.honours = {property_id::keep_alive, property_id::conn_timeout};
    for (auto what :
         {feature::reliability, feature::preserve_order, feature::full_checksum_send,
          feature::full_checksum_recv, feature::congestion_control, feature::replay_protection})
      x.features.set(what, support::always);
    for (auto what : {feature::zero_rtt_msg, feature::keep_alive, feature::soft_error_notify,
                      feature::active_read_before_send})
      x.features.set(what, support::on_request);
    return x;
  }();
  return result;
}

inline const transport_descriptor& mptcp() {
  static const auto result = [] {
    auto x = tcp();
    x.name = "mptcp";
    x.default_order = 1;
    x.features.set(feature::multipath, support::on_request);
    return x;
  }();
  return result;
}

inline const transport_descriptor& udp() {
  static const auto result = [] {
    auto x = describe_protocol("udp", data_unit::datagram, 5);
    x.connectionless = true;
    x.features.set(feature::preserve_msg_boundaries, support::always)
        .set(feature::full_checksum_send, support::on_request)
        .set(feature::full_checksum_recv, support::on_request)
        .set(feature::soft_error_notify, support::on_request);
    return x;
  }();
  return result;
}

inline const transport_descriptor& multicast() {
  static const auto result = [] {
    auto x = udp();
    x.name = "multicast";
    x.default_order = 6;
    x.multicast = true;
    x.features.set(feature::unidirectional, support::always);
    return x;
  }();
  return result;
}

inline const transport_descriptor& sctp() {
  static const auto result = [] {
    auto x = describe_protocol("sctp", data_unit::message, 3);
    x.round_trips = 2;
    x.multiplexes = true;
    x.reach = reachability::unknown;
    for (auto what :
         {feature::reliability, feature::preserve_msg_boundaries, feature::preserve_order,
          feature::full_checksum_send, feature::full_checksum_recv, feature::congestion_control,
          feature::replay_protection})
      x.features.set(what, support::always);
    for (auto what : {feature::per_msg_reliability, feature::multistreaming, feature::keep_alive,
                      feature::multipath, feature::active_read_before_send})
      x.features.set(what, support::on_request);
    return x;
  }();
  return result;
}

inline const transport_descriptor& tls() {
  static const auto result = [] {
    auto x = describe_protocol("tls", data_unit::byte_stream, 10);
    x.runs_over = data_unit::byte_stream;
    x.round_trips = 1;
    x.honours = {property_id::conn_timeout, property_id::idle_timeout};
    x.features.set(feature::encryption, support::always)
        .set(feature::zero_rtt_msg, support::on_request);
    return x;
  }();
  return result;
}

inline const transport_descriptor& dtls() {
  static const auto result = [] {
    auto x = describe_protocol("dtls", data_unit::datagram, 10);
    x.runs_over = data_unit::datagram;
    x.round_trips = 2;
    x.features.set(feature::encryption, support::always)
        .set(feature::replay_protection, support::always)
        .set(feature::full_checksum_send, support::always)
        .set(feature::full_checksum_recv, support::always)
        .set(feature::soft_error_notify, support::never);
    return x;
  }();
  return result;
}

/// A byte stream of its own over datagrams, encrypted.
inline const transport_descriptor& quic() {
  static const auto result = [] {
    auto x = tcp();
    x.name = "quic";
    x.default_order = 2;
    x.runs_over = data_unit::datagram;
    x.multiplexes = true;
    x.reach = reachability::unknown;
    x.features.set(feature::encryption, support::always)
        .set(feature::multistreaming, support::on_request);
    return x;
  }();
  return result;
}

inline std::vector<std::string> names_of(const std::vector<protocol_stack>& stacks) {
  std::vector<std::string> result;
  for (const auto& x : stacks)
    result.push_back(x.name);
  return result;
}

}  // namespace taps::testing
