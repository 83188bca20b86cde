#include "taps/net/transports/mptcp/descriptor.hpp"

#include "taps/net/transports/tcp/descriptor.hpp"

namespace taps {

namespace {

/// An extension of TCP that provides what TCP does, and several paths on request.
transport_descriptor make() {
  auto x = tcp_descriptor();
  x.name = "mptcp";
  x.features.set(feature::multipath, support::on_request);
  // The kernel refuses TCP_USER_TIMEOUT and SO_MAX_PACING_RATE on such sockets.
  x.honours = {property_id::keep_alive, property_id::multipath, property_id::keep_alive_timeout,
               property_id::conn_capacity_profile, property_id::final};
  x.falls_back_to = &tcp_descriptor();
  x.default_order = 10;
  return x;
}

}  // namespace

const transport_descriptor& mptcp_descriptor() {
  static const auto instance = make();
  return instance;
}

}  // namespace taps
