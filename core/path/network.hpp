#pragma once

#include "taps/core/endpoint/ip_address.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taps {

/// What kind of link an interface is. Their names stand in `interface` preferences for all
/// interfaces of the kind, present or not (RFC 9622, section 6.2.11).
enum class interface_type : std::uint8_t { other, loopback, wired, wifi, cellular, tunnel };

/// Returns e.g. "wifi".
[[nodiscard]] std::string_view to_string(interface_type x) noexcept;

/// Returns the kind of that name; absent for other names.
[[nodiscard]] std::optional<interface_type> find_interface_type(std::string_view name) noexcept;

/// An address of an interface.
struct interface_address {
  ip_address address;
  /// Length of the prefix that is on the link.
  std::uint8_t prefix_length = 0;
  /// A temporary address (RFC 8981).
  bool temporary = false;
  /// Not for new Connections: deprecated, or not yet known to be unique.
  bool unusable = false;

  friend bool operator==(const interface_address&, const interface_address&) = default;
};

struct network_interface {
  std::string name;
  /// The kernel's index.
  std::uint32_t index = 0;
  interface_type type = interface_type::other;
  /// It is switched on and has a carrier.
  bool up = false;
  /// Largest packet in bytes, headers included.
  std::uint32_t mtu = 0;
  std::vector<interface_address> addresses;

  [[nodiscard]] bool has_temporary_address() const noexcept;

  friend bool operator==(const network_interface&, const network_interface&) = default;
};

/// Where packets for a prefix go.
struct network_route {
  ip_address destination;
  std::uint8_t prefix_length = 0;
  /// Index of the interface they leave by.
  std::uint32_t interface = 0;
  /// Absent for what is on the link.
  std::optional<ip_address> gateway;
  /// Lower is better.
  std::uint32_t metric = 0;

  [[nodiscard]] bool covers(const ip_address& x) const noexcept;

  friend bool operator==(const network_route&, const network_route&) = default;
};

/// A provisioning domain (RFC 7556): interfaces that belong together because one network provides
/// their configuration.
struct provisioning_domain {
  std::string name;
  /// Names of its interfaces.
  std::vector<std::string> interfaces;
  /// Who resolves names there; empty for the system's choice.
  std::vector<ip_address> name_servers;

  friend bool operator==(const provisioning_domain&, const provisioning_domain&) = default;
};

/// What the host knew of its links at one moment. A value; never changed once handed out.
class network {
public:
  network() = default;
  network(std::vector<network_interface> interfaces, std::vector<network_route> routes,
          std::vector<provisioning_domain> domains = {});

  /// False for a default-made one: nobody has looked.
  [[nodiscard]] bool known() const noexcept { return known_; }

  /// In the order of their indices.
  [[nodiscard]] const std::vector<network_interface>& interfaces() const noexcept {
    return interfaces_;
  }
  /// Longest prefix first, then by metric.
  [[nodiscard]] const std::vector<network_route>& routes() const noexcept { return routes_; }
  [[nodiscard]] const std::vector<provisioning_domain>& domains() const noexcept {
    return domains_;
  }

  /// A zone may be a name, or an index in decimal (RFC 4007, section 11.2).
  [[nodiscard]] const network_interface* find(std::string_view zone) const noexcept;
  [[nodiscard]] const network_interface* find(std::uint32_t index) const noexcept;
  /// Returns the interface that has this address; null for addresses of others.
  [[nodiscard]] const network_interface* owner_of(const ip_address& x) const noexcept;

  /// Tells whether one of the interfaces has this address, as a temporary one.
  [[nodiscard]] bool is_temporary(const ip_address& x) const noexcept;

  /// Tells whether packets that must leave by `by` can get to `destination`: over a link or a
  /// route of its own, or within the host.
  [[nodiscard]] bool reaches(const network_interface& by, const ip_address& destination) const;

  /// Returns the interface that the routes choose for a destination; null without a route.
  [[nodiscard]] const network_interface* way_to(const ip_address& destination) const;

  /// Returns the interfaces with a default route, the kernel's favourite first.
  [[nodiscard]] std::vector<const network_interface*> default_ways() const;

  [[nodiscard]] bool in_domain(const network_interface& x, std::string_view domain) const;

  /// Returns a name for where the host is attached, the same whenever it is there again: by
  /// default gateways and their interfaces. Empty when it is nowhere.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  friend bool operator==(const network& x, const network& y) noexcept {
    return x.known_ == y.known_ && x.interfaces_ == y.interfaces_ && x.routes_ == y.routes_ &&
           x.domains_ == y.domains_;
  }

private:
  void find_default_ways();

  std::vector<network_interface> interfaces_;
  std::vector<network_route> routes_;
  std::vector<provisioning_domain> domains_;
  /// Positions of the interfaces with a default route, the kernel's favourite first.
  std::vector<std::size_t> default_ways_;
  std::string name_;
  bool known_ = false;
};

using network_ptr = std::shared_ptr<const network>;

/// Returns the names of interfaces that differ: that came, went, or changed.
[[nodiscard]] std::vector<std::string> changed_interfaces(const network& before,
                                                          const network& after);

/// Returns one line per interface, then the routes.
[[nodiscard]] std::string to_string(const network& x);

}  // namespace taps
