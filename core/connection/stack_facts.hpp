#pragma once

#include "taps/core/connection/channel.hpp"
#include "taps/core/properties/connection_properties.hpp"

namespace taps {

// What the stack below a Connection means for it: what its properties read as, and which Messages
// it may carry.

/// Fills in what `carrier` tells: its stack, endpoints, features and limits. `asked` decides
/// features on request; `to` says already whether the Connection can send and receive.
void tell_facts(const channel& carrier, const transport_properties& asked, connection_facts& to);

/// Refuses a property of another protocol, whatever its spelling.
[[nodiscard]] result<void> check_specific(const transport_descriptor& stack, std::string_view name);

/// Refuses a Message with properties that `stack` cannot keep; `own` are those of the
/// Connection.
[[nodiscard]] result<void> check_against(const transport_descriptor& stack,
                                         const message_properties& asked,
                                         const connection_properties& own);

}  // namespace taps
