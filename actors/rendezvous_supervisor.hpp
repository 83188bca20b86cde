#pragma once

#include "taps/actors/internal_messages.hpp"
#include "taps/actors/recipient.hpp"
#include "taps/actors/shard.hpp"

#include <caf/actor.hpp>

#include <optional>

namespace taps {

/// Returns numbers that nobody can guess.
[[nodiscard]] std::function<std::uint64_t()> unguessable_numbers();

/// Spawns the supervisor of one Rendezvous on its Connection's shard: looks up names, opens the
/// local ends, runs the check list or opening list, has the framers of what was met shake hands,
/// and sends one `race_outcome` to `parent`; an exit message cancels it.
caf::actor spawn_rendezvous_supervisor(const shard_ptr& home, config_ptr config, recipient parent,
                                       std::optional<duration> timeout);

}  // namespace taps
