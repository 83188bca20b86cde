#pragma once

#include "taps/core/endpoint/ip_address.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taps {

/// What DNS is asked for.
enum class dns_record : std::uint8_t { aaaa, a, srv, https };

/// Returns e.g. "AAAA".
[[nodiscard]] std::string_view to_string(dns_record x) noexcept;

/// Returns the number of the type on the wire.
[[nodiscard]] std::uint16_t number_of(dns_record x) noexcept;

[[nodiscard]] constexpr dns_record record_of(ip_family family) noexcept {
  return family == ip_family::v6 ? dns_record::aaaa : dns_record::a;
}

/// One place of a service.
struct service_record {
  /// Places of a lower number go first.
  std::uint16_t priority = 0;
  /// Its share among places of one priority.
  std::uint16_t weight = 0;
  /// Absent for the one that the service has anyway.
  std::optional<std::uint16_t> port{};
  /// The host; empty says that the service is not to be had.
  std::string target{};
  /// No place, but another name to ask for places (AliasMode, RFC 9460, section 2.4.2).
  bool alias = false;
  /// What is spoken there, by ALPN ids; empty for what the service speaks anyway, which
  /// `default_alpn` says is spoken besides.
  std::vector<std::string> alpn{};
  bool default_alpn = true;
  /// Addresses to use until those of the host are known.
  std::vector<ip_address> hints{};

  friend bool operator==(const service_record&, const service_record&) = default;
};

/// Who offers a service.
struct service_records {
  std::vector<service_record> entries;
  /// How long that may be used.
  std::chrono::seconds ttl{0};
};

}  // namespace taps
