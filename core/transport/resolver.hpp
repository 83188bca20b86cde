#pragma once

#include "taps/core/base/result.hpp"
#include "taps/core/base/time.hpp"
#include "taps/core/endpoint/ip_address.hpp"
#include "taps/core/transport/service_record.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace taps {

/// The answer to one address query of one name.
struct resolved_addresses {
  struct entry {
    ip_address address;
    /// How long the answer may be used.
    std::chrono::seconds ttl{0};
  };
  std::vector<entry> entries;
};

/// Where names are asked: by which interface, and which servers instead of the system's. Empty for
/// as the system does it.
struct name_scope {
  std::string interface {};
  std::vector<ip_address> servers{};

  [[nodiscard]] bool empty() const noexcept { return servers.empty(); }

  friend auto operator<=>(const name_scope&, const name_scope&) = default;
};

/// A running query; destroying it cancels the query and the callback is not called any more.
class resolver_query {
public:
  virtual ~resolver_query() = default;
};

/// Looks up names on one shard. A name that is an address in text form is not its business.
class resolver {
public:
  /// Called once, from the shard's loop, never from inside `resolve`. A name without addresses of
  /// the family is an empty answer; a name that does not exist, or servers that do not answer, are
  /// errors with reason `ResolutionFailed`.
  using callback = std::function<void(result<resolved_addresses>)>;

  using service_callback = std::function<void(result<service_records>)>;

  virtual ~resolver() = default;

  /// Asks for the addresses of one family; callers start both families one after the other, IPv6
  /// first (RFC 8305, section 3). Knows the hosts file.
  [[nodiscard]] virtual std::unique_ptr<resolver_query>
  resolve(std::string_view hostname, ip_family family, callback done) = 0;

  /// Asks who offers a service, by SRV or HTTPS records; `name` is what they belong to, such as
  /// `_service._carrier.host`. Calls back as `resolve` does; a name that does not exist has none.
  [[nodiscard]] virtual std::unique_ptr<resolver_query>
  find_service(std::string_view name, dns_record type, service_callback done) = 0;

  /// Returns the resolver for a scope: this one for the empty scope, otherwise one that asks these
  /// servers, whose packets leave by the interface unless the server is on this host. To be used at
  /// once: it may be gone after the next call.
  [[nodiscard]] virtual resolver& within(const name_scope&) { return *this; }

  /// Returns the port of an IANA service name for the given carrier (name of the base
  /// protocol, or empty for any).
  [[nodiscard]] virtual result<std::uint16_t> port_of(std::string_view service,
                                                      std::string_view carrier) const = 0;

  /// Returns the address the kernel would use to reach `destination`, or absent without a route:
  /// input to RFC 6724.
  [[nodiscard]] virtual std::optional<ip_address>
  source_for(const ip_address& destination) const = 0;
};

}  // namespace taps
