#pragma once

#include "taps/core/base/result.hpp"

#include <cstdint>
#include <string_view>

namespace taps {

/// Returns the port of an IANA service name: from the system's table for `carrier`, then for any
/// carrier (the registry keeps a number for one service on all of them, RFC 6335, section 7.2),
/// then from a short table of our own, because a bare machine has none. An unknown name is
/// `ResolutionFailed`.
[[nodiscard]] result<std::uint16_t> port_of_service(std::string_view service,
                                                    std::string_view carrier);

namespace detail {

/// The short table alone; 0 for a name it does not have.
[[nodiscard]] std::uint16_t well_known_port(std::string_view service) noexcept;

}  // namespace detail

}  // namespace taps
