#pragma once

#include "taps/actors/listener_actor.hpp"

#include <caf/event_based_actor.hpp>

namespace taps {

/// One shard's part of a Listener: accepts, and spawns the Connections on its own shard. Reports
/// once to the Listener whether it could bind; ends when told to.
class acceptor_actor final : public pinned<caf::event_based_actor, caf_clock::unused>,
                             acceptor_sink,
                             resident {
public:
  acceptor_actor(caf::actor_config& cfg, shard_ptr home, std::shared_ptr<const listening> state,
                 std::vector<listening_place> places, port_sharing sharing);
  ~acceptor_actor() override;

  const char* name() const override { return "taps.acceptor"; }

  /// Binds, and reports.
  void begin();

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  [[nodiscard]] result<void> bind();
  [[nodiscard]] result<std::vector<listening_place>> open_all();
  [[nodiscard]] result<std::unique_ptr<acceptor>> open(const listening_place& place);
  [[nodiscard]] bool accepts(const socket_address& from) const;

  void on_accepted(std::unique_ptr<protocol> instance) override;
  void on_soft_error(error reason) override;
  void on_shutdown(bool at_once) override;

  std::shared_ptr<const listening> state_;
  std::vector<listening_place> places_;
  port_sharing sharing_;
  std::vector<std::unique_ptr<acceptor>> acceptors_;
};

}  // namespace taps
