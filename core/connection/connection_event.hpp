#pragma once

#include "taps/core/base/error.hpp"
#include "taps/core/base/slice.hpp"
#include "taps/core/message/message_context.hpp"

#include <cstdint>
#include <memory>

namespace taps {

/// What happened on a Connection, in the order in which its owner hears of it (RFC 9622, sections
/// 7 to 11).
struct connection_event {
  enum class kind_type : std::uint8_t {
    ready,
    establishment_error,
    sent,
    expired,
    send_error,
    received,
    received_partial,
    receive_error,
    soft_error,
    path_change,
    closed,
    connection_error,
  };

  kind_type kind = kind_type::ready;
  /// The state of the Connection once the event is told.
  connection_state state = connection_state::establishing;
  bool end_of_message = true;
  message_context context;
  slice data;
  /// Of the error events; null otherwise.
  std::shared_ptr<const error> failure;
};

/// True for the events after which nothing follows.
constexpr bool is_terminal(connection_event::kind_type x) noexcept {
  using kind = connection_event::kind_type;
  return x == kind::establishment_error || x == kind::closed || x == kind::connection_error;
}

}  // namespace taps
