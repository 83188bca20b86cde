#pragma once

#include "taps/core/dns/message_reader.hpp"
#include "taps/core/transport/service_record.hpp"

namespace taps::detail {

/// What the parameters of a record come to.
enum class parameters_verdict : std::uint8_t {
  usable,
  /// Well-formed, but for those who know more.
  incompatible,
  malformed,
};

/// Reads the parameters of an HTTPS or SVCB record up to its end (RFC 9460, sections 2.2 and 7).
[[nodiscard]] parameters_verdict read_parameters(message_reader& in, service_record& to);

}  // namespace taps::detail
