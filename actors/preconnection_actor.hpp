#pragma once

#include "taps/actors/internal_messages.hpp"
#include "taps/actors/pinned.hpp"
#include "taps/actors/resolve_job.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <functional>

namespace taps {

/// Asks a Preconnection for Resolve (RFC 9622, section 6).
struct resolve_command {};

/// A change to a Preconnection.
struct preconnection_edit {
  std::function<void(preconnection_config&)> apply;
};

/// An order to equip a Connection or Listener that was just spawned.
struct preconnection_order {
  caf::strong_actor_ptr child;
  bool listens = false;
};

}  // namespace taps

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(taps::resolve_command)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(taps::preconnection_edit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(taps::preconnection_order)

namespace taps {

using preconnection_interface =
    caf::typed_actor<caf::reacts_to<preconnection_edit>, caf::reacts_to<preconnection_order>,
                     caf::replies_to<resolve_command>::with<resolved_endpoints>>;

/// The actor behind a `preconnection`: holds what was asked for and hands out frozen copies. The
/// order of its mailbox decides what a Connection still sees of later changes.
class preconnection_actor final : public pinned<preconnection_interface::base, caf_clock::unused> {
public:
  preconnection_actor(caf::actor_config& cfg, shard_ptr home, preconnection_config initial);
  ~preconnection_actor() override;

  const char* name() const override { return "taps.preconnection"; }

  /// The actor behind a handle if it lives on this thread's shard and no edit waits in its mailbox;
  /// null otherwise.
  [[nodiscard]] static preconnection_actor* local(const preconnection_interface& handle) noexcept;

  /// Returns the configuration, which will not change any more.
  [[nodiscard]] config_ptr hand_out() noexcept;

protected:
  behavior_type make_behavior() override;
  void on_exit() override;

private:
  /// Answers what is resolved.
  void finish_jobs();

  /// Takes the jobs that are done out of the list; they live as long as the result.
  [[nodiscard]] std::shared_ptr<void> take_finished();

  /// Shared with all that were equipped with it; replaced, never changed, once it was handed out.
  std::shared_ptr<preconnection_config> config_;
  bool handed_out_ = false;
  std::vector<std::unique_ptr<resolve_job>> jobs_;
};

}  // namespace taps
