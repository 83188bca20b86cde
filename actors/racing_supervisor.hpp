#pragma once

#include "taps/actors/internal_messages.hpp"
#include "taps/actors/recipient.hpp"

#include <caf/actor.hpp>

#include <optional>

namespace taps {

/// Spawns the racing supervisor of one establishment on its Connection's shard, which is the
/// calling thread's, and starts it. It runs the establishment machine, spawns a candidate actor
/// when the race says so, and tells `parent` one `race_outcome`; an exit message cancels it.
/// `early` goes to every attempt that can send it with the handshake; null for none.
caf::actor spawn_racing_supervisor(const shard_ptr& home, config_ptr config, recipient parent,
                                   std::optional<duration> timeout,
                                   std::shared_ptr<const early_message> early);

}  // namespace taps
