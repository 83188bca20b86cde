#pragma once

#include "taps/core/endpoint/ip_address.hpp"
#include "taps/core/properties/transport_properties.hpp"
#include "taps/net/sys/kernel.hpp"

#include <optional>

namespace taps {

/// How properties become socket options. Remembers what several options depend on.
class stream_options {
public:
  stream_options() noexcept = default;
  /// Takes the initial values; null for all defaults.
  explicit stream_options(const transport_properties* properties);

  /// Sets everything on a new socket; false if the kernel refused some of it. Accepted sockets
  /// inherit it from the listening one.
  bool apply_all(sys::kernel& os, int fd, ip_family family,
                 const transport_properties* properties) const;

  /// Sets what would disturb the handshake if it were set earlier.
  bool apply_established(sys::kernel& os, int fd) const;

  /// Changes a running socket. Properties without effect here, or on sockets of this kind, are
  /// accepted.
  result<void> change(sys::kernel& os, int fd, ip_family family, property_id id,
                      const property_value& value);

  /// `connTimeout`; absent for Disabled.
  [[nodiscard]] std::optional<duration> timeout() const noexcept {
    return timeout_ > duration::zero() ? std::optional{timeout_} : std::nullopt;
  }

private:
  int apply_timeout(sys::kernel& os, int fd) const;
  int apply_keep_alive(sys::kernel& os, int fd) const;

  duration timeout_{0};
  duration idle_{0};
  bool keep_alive_ = false;
  /// Keep-alives were switched off by an explicit timeout of Disabled.
  bool idle_disabled_ = false;
};

}  // namespace taps
