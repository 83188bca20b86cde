#include "taps/net/transports/mptcp/descriptor.hpp"

#include "taps/net/transports/tcp/descriptor.hpp"

namespace taps {

namespace {

/// An extension of TCP that provides what TCP does, and several paths on request.
transport_descriptor make() {
  auto x = tcp_descriptor();
  x.name = "mptcp";
  x.features.set(feature::multipath, support::on_request);
  // The kernel refuses IP_RECVERR on such sockets, and IPV6_ADDR_PREFERENCES.
  x.features.set(feature::soft_error_notify, support::never);
  std::erase(x.honours, property_id::soft_error_notify);
  std::erase(x.honours, property_id::use_temporary_local_address);
  x.honours.push_back(property_id::multipath);
  std::erase_if(x.remarks,
                [](const auto& y) { return y.first == property_id::use_temporary_local_address; });
  constexpr auto namespaces = "belongs to the network namespace, see below";
  x.remarks.insert(
      x.remarks.end(),
      {{property_id::use_temporary_local_address, "the kernel refuses the option"},
       {property_id::advertises_altaddr, namespaces},
       {property_id::multipath_policy, namespaces},
       {property_id::soft_error_notify, "the kernel refuses the option"},
       {property_id::conn_capacity_profile, "over IPv4; over IPv6 the kernel refuses the option"},
       {property_id::conn_timeout, "by a timer of ours: the kernel refuses the option"}});
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
