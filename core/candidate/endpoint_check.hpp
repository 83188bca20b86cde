#pragma once

#include "taps/core/candidate/gather.hpp"

namespace taps {

/// Finds, before anything is resolved, endpoints that are missing, malformed or incomplete, or that
/// contradict each other; all are `InvalidConfiguration`.
/// Contradictions count only when no combination of endpoints is left.
[[nodiscard]] result<void> check_endpoints(std::span<const local_endpoint> locals,
                                           std::span<const remote_endpoint> remotes,
                                           establishment how);

/// Returns the error for an input that yields no leaf although resolution is over; its text says
/// which endpoints do not go together.
[[nodiscard]] error no_leaves(const gather_input& input);

}  // namespace taps
