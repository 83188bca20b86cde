#pragma once

#include "taps/actors/listener_actor.hpp"

#include <caf/event_based_actor.hpp>

#include <span>

namespace taps {

/// One shard's part of a Listener: accepts, and spawns the Connections on its own shard. Reports to
/// the Listener what it could make of each order; ends when told to.
class acceptor_actor final : public pinned<caf::event_based_actor, caf_clock::unused>,
                             acceptor_sink,
                             resident {
public:
  acceptor_actor(caf::actor_config& cfg, shard_ptr home, std::shared_ptr<const listening> state,
                 port_sharing sharing);
  ~acceptor_actor() override;

  const char* name() const override { return "taps.acceptor"; }

  /// Listens there and nowhere else, and reports.
  void follow(const place_order& order);

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  struct open_place {
    listening_place where;
    std::unique_ptr<acceptor> socket;
  };

  [[nodiscard]] acceptor_news carry_out(const place_order& order);
  void keep_only(const std::vector<listening_place>& places);
  [[nodiscard]] result<void> bind(const std::vector<listening_place>& places);
  [[nodiscard]] result<void> open(std::span<const listening_place> places);
  [[nodiscard]] result<std::unique_ptr<acceptor>> open_one(const listening_place& place);
  [[nodiscard]] bool accepts(const socket_address& from) const;

  void on_accepted(std::unique_ptr<protocol> instance) override;
  void on_soft_error(error reason) override;
  void on_shutdown(bool at_once) override;

  std::shared_ptr<const listening> state_;
  port_sharing sharing_;
  std::vector<open_place> open_;
  /// The port that the kernel chose.
  std::uint16_t chosen_ = 0;
};

}  // namespace taps
