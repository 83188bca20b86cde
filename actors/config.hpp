#pragma once

#include "taps/actors/handles.hpp"
#include "taps/actors/selection_memo.hpp"
#include "taps/actors/shared_history.hpp"
#include "taps/core/endpoint/endpoint.hpp"
#include "taps/core/message/framer.hpp"
#include "taps/core/properties/transport_properties.hpp"
#include "taps/core/racing/racing_options.hpp"
#include "taps/core/rendezvous/rendezvous_plan.hpp"
#include "taps/core/security/security_parameters.hpp"

#include <memory>
#include <vector>

namespace taps {

/// All that a Preconnection says, frozen for one action (RFC 9622, section 6).
struct preconnection_config {
  std::vector<local_endpoint> locals;
  std::vector<remote_endpoint> remotes;
  std::shared_ptr<const transport_properties> properties;
  security_parameters security;
  std::vector<framer_factory> framers;
  racing_options racing;
  /// What races know and learn; null for nothing.
  history_ptr history{};
  /// What this host and program forbid and prefer; null for nothing.
  std::shared_ptr<const system_policy> policy{};

  /// What Resolve has told of the Local Endpoints; null before.
  std::shared_ptr<const known_bases> known{};

  mutable selection_memo memo{};

  /// Whether some framer keeps message boundaries.
  [[nodiscard]] bool framing_preserves_boundaries() const;
};

using config_ptr = std::shared_ptr<const preconnection_config>;

/// Returns what the first Connection of a group is to be made from. With `isolateSession` the group
/// gets a history of its own, which is empty and seen by nobody else (RFC 9622, section 8.1.10).
[[nodiscard]] config_ptr isolated(const config_ptr& config);

}  // namespace taps
