#pragma once

#include "taps/core/base/result.hpp"
#include "taps/core/transport/service_record.hpp"

#include <cstddef>
#include <string_view>

namespace taps {

/// Records read of one answer, whatever their types: a message of 64 KiB has room for thousands.
inline constexpr std::size_t max_answer_records = 128;
/// Aliases followed within one answer.
inline constexpr std::size_t max_answer_aliases = 8;

/// Values of one list in a record that are kept: protocols, addresses of one family.
inline constexpr std::size_t max_record_values = 16;

/// Reads the records of `type` from a DNS message that answers the question for them, following
/// aliases (CNAME) from the name of the question. No records are an empty answer; left out are
/// those that nobody can use: with port 0, a target that is no host name, or mandatory parameters
/// that are not known (RFC 9460, section 8). A message that is malformed, answers another question,
/// or whose aliases go in circles is `ResolutionFailed`: one bad record spoils all (section 2.2).
///
/// Nothing in `message` is trusted. Time is bounded by its size: pointers only lead backwards.
[[nodiscard]] result<service_records> read_service_answer(std::string_view message,
                                                          dns_record type);

}  // namespace taps
