#pragma once

#include "taps/core/endpoint/socket_address.hpp"

#include <optional>
#include <vector>

namespace taps {

/// A STUN server with the credentials it asks for (RFC 9622, section 6.1).
struct stun_server {
  ip_address address;
  std::uint16_t port = 3478;
  std::string user;
  std::string password;

  friend bool operator==(const stun_server&, const stun_server&) = default;

  template<class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, stun_server& x) {
    return f(x.address, x.port, x.user, x.password);
  }
};

/// What Local and Remote Endpoints have in common (RFC 9622, section 6.1). A value that never holds
/// two identifiers of one kind: a second call replaces the first. Names are resolved only by
/// Initiate, Listen, Rendezvous and Resolve.
///
/// A qualifier that makes no sense, such as a malformed address, does not throw: the first such
/// error stays with the endpoint, `check()` returns it, and every action that gets the endpoint
/// fails with it.
class endpoint {
public:
  [[nodiscard]] const std::optional<std::string>& hostname() const noexcept { return hostname_; }
  [[nodiscard]] const std::optional<std::uint16_t>& port() const noexcept { return port_; }
  [[nodiscard]] const std::optional<std::string>& service() const noexcept { return service_; }
  [[nodiscard]] const std::optional<ip_address>& address() const noexcept { return address_; }
  /// Name of the interface, or its index as text; for a Remote Endpoint the zone of its address.
  [[nodiscard]] const std::optional<std::string>& interface() const noexcept { return interface_; }
  /// Name of the protocol that the endpoint is restricted to.
  [[nodiscard]] const std::optional<std::string>& protocol() const noexcept { return protocol_; }
  [[nodiscard]] const std::optional<std::uint8_t>& hop_limit() const noexcept { return hop_limit_; }
  [[nodiscard]] const std::optional<ip_address>& multicast_group() const noexcept { return group_; }

  /// Returns the first error that a qualifier raised.
  [[nodiscard]] result<void> check() const;

  friend bool operator==(const endpoint&, const endpoint&) = default;

  template<class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, endpoint& x) {
    return f(x.hostname_, x.port_, x.service_, x.address_, x.interface_, x.protocol_, x.hop_limit_,
             x.group_, x.failure_);
  }

protected:
  void set_hostname(std::string_view name);
  void set_service(std::string_view name);
  void set_address(std::string_view text);
  void set_protocol(std::string_view name);
  void set_interface(std::string_view name);
  void set_group(std::string_view text);
  void set_group(const ip_address& group);
  void fail(std::string text);

  /// Reads an address with or without zone; the zone becomes the interface.
  std::optional<ip_address> parse_scoped(std::string_view text);

  std::optional<std::string> hostname_;
  std::optional<std::uint16_t> port_;
  std::optional<std::string> service_;
  std::optional<ip_address> address_;
  std::optional<std::string> interface_;
  std::optional<std::string> protocol_;
  std::optional<std::uint8_t> hop_limit_;
  std::optional<ip_address> group_;
  error failure_;
};

/// Adds the qualifiers that both kinds share, so that calls can be chained on the derived type.
template<class Derived>
class basic_endpoint : public endpoint {
public:
  /// A DNS name, resolved when the endpoint is used; an IP address in text form is taken as one.
  Derived& with_hostname(std::string_view name) { return set_hostname(name), self(); }

  /// Absent or 0 on a Local Endpoint means ephemeral; 0 on a Remote Endpoint is an error. Wins over
  /// the port of a service.
  Derived& with_port(std::uint16_t port) { return port_ = port, self(); }

  /// An IANA service name, or a name for DNS SRV.
  Derived& with_service(std::string_view name) { return set_service(name), self(); }

  /// `fe80::1%eth0` is the address plus `with_interface("eth0")`; a number is an interface's index.
  Derived& with_ip_address(std::string_view text) { return set_address(text), self(); }
  Derived& with_ip_address(const ip_address& address) { return address_ = address, self(); }

  /// `any` lifts the restriction.
  Derived& with_interface(std::string_view name) { return set_interface(name), self(); }

  /// The endpoint counts only for this protocol.
  Derived& with_protocol(std::string_view name) { return set_protocol(name), self(); }

  /// IPv4 TTL or IPv6 hop limit of what is sent.
  Derived& with_hop_limit(std::uint8_t hops) { return hop_limit_ = hops, self(); }

private:
  Derived& self() noexcept { return static_cast<Derived&>(*this); }
};

/// Where connections come from, or where a Listener waits.
class local_endpoint : public basic_endpoint<local_endpoint> {
public:
  local_endpoint& with_stun_server(stun_server server);

  /// Joins any-source multicast.
  local_endpoint& with_any_source_multicast_group_ip(std::string_view group);

  /// Joins source-specific multicast.
  local_endpoint& with_single_source_multicast_group_ip(std::string_view group,
                                                        std::string_view source);

  [[nodiscard]] const std::optional<stun_server>& stun() const noexcept { return stun_; }
  [[nodiscard]] const std::optional<ip_address>& multicast_source() const noexcept {
    return source_;
  }

  friend bool operator==(const local_endpoint&, const local_endpoint&) = default;

  template<class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, local_endpoint& x) {
    return f(static_cast<endpoint&>(x), x.stun_, x.source_);
  }

private:
  std::optional<stun_server> stun_;
  std::optional<ip_address> source_;
};

/// Where connections go, or, on a Listener, whom it accepts.
class remote_endpoint : public basic_endpoint<remote_endpoint> {
public:
  /// A port other than 0; wins over the port of a service.
  remote_endpoint& with_port(std::uint16_t port);

  /// Sends to a multicast group.
  remote_endpoint& with_multicast_group_ip(std::string_view group);
};

[[nodiscard]] std::string to_string(const endpoint& x);

}  // namespace taps
