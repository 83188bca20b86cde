#pragma once

#include "taps/actors/internal_messages.hpp"
#include "taps/actors/shard.hpp"

#include <caf/actor.hpp>

#include <optional>

namespace taps {

/// Spawns the racing supervisor of one establishment on its Connection's shard. It runs the
/// establishment machine, spawns a candidate actor when the race says so, and sends one
/// `race_outcome` to `parent`; an exit message cancels it.
caf::actor spawn_racing_supervisor(const shard_ptr& home, config_ptr config,
                                   const connection& parent, std::optional<duration> timeout);

}  // namespace taps
