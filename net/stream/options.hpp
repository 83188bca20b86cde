#pragma once

#include "taps/core/endpoint/ip_address.hpp"
#include "taps/core/properties/transport_properties.hpp"
#include "taps/net/sys/kernel.hpp"

#include <memory>
#include <optional>

namespace taps {

/// What properties ask of one byte stream, as far as somebody has asked.
struct stream_wishes {
  /// `connTimeout`; 0 for Disabled.
  duration timeout{0};
  /// `keepAliveTimeout`; 0 for the kernel's period.
  duration idle{0};
  /// Bits per second; 0 for Unlimited.
  std::int64_t max_send_rate = 0;
  std::int64_t min_send_rate = 0;
  std::int64_t max_recv_rate = 0;
  /// Retransmissions of the same data that are excessive; 0 for none.
  std::int64_t retransmissions = 0;
  capacity_profile profile = capacity_profile::default_profile;
  preference temporary_address = preference::no_preference;
  bool keep_alive = false;
  /// Keep-alives were switched off by an explicit timeout of Disabled.
  bool idle_disabled = false;
  bool soft_errors = false;
  preference fast_open = preference::no_preference;
  /// Which rows of the table of options are to be set, a bit for each.
  std::uint32_t rows = 0;

  [[nodiscard]] bool keeps_alive() const noexcept {
    // A probe that comes after the Connection has timed out anyway is of no use.
    const auto too_late = timeout > duration::zero() && idle > timeout;
    return keep_alive && !idle_disabled && !too_late;
  }
};

/// How properties become socket options: a table, in options.cpp. Without such properties this is
/// one null pointer, and no option is set.
class stream_options {
public:
  stream_options() noexcept = default;
  /// Takes the initial values; null for all defaults.
  explicit stream_options(const transport_properties* properties);

  /// Sets on a new socket what goes before the handshake; false if the kernel refused some of it.
  /// Accepted sockets inherit it from the listening one.
  bool apply_all(sys::kernel& os, int fd, ip_family family) const;

  /// Sets what would disturb the handshake if it were set earlier. As above.
  bool apply_established(sys::kernel& os, int fd, ip_family family) const;

  /// Changes a running socket. Properties without effect here are accepted, and so are those that
  /// the kernel does not know for sockets of this kind; a value it refuses is an error.
  result<void> change(sys::kernel& os, int fd, ip_family family, property_id id,
                      const property_value& value);

  /// Null when nothing was asked for.
  [[nodiscard]] const stream_wishes* wishes() const noexcept { return wishes_.get(); }

  /// `connTimeout`; absent for Disabled.
  [[nodiscard]] std::optional<duration> timeout() const noexcept {
    return wishes_ && wishes_->timeout > duration::zero() ? std::optional{wishes_->timeout}
                                                          : std::nullopt;
  }

private:
  /// Shared by all Connections of one origin until one of them changes something.
  std::shared_ptr<const stream_wishes> wishes_;
};

}  // namespace taps
