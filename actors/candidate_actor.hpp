#pragma once

#include "taps/actors/internal_messages.hpp"
#include "taps/actors/recipient.hpp"
#include "taps/core/candidate/candidate.hpp"
#include "taps/core/connection/handshake.hpp"

#include <caf/event_based_actor.hpp>

namespace taps {

/// One attempt: connects, lets the framers shake hands and reports to the racing supervisor as
/// `candidate_news`. Fails when that takes too long. Ends when it has reported how it went, or when
/// told to, and takes its protocol instance along unless that was handed over.
class candidate_actor final : public pinned<caf::event_based_actor, caf_clock::unused>,
                              handshake_sink,
                              serviced,
                              resident {
public:
  candidate_actor(caf::actor_config& cfg, shard_ptr home, candidate what, config_ptr config,
                  std::shared_ptr<const early_message> early, recipient supervisor);
  ~candidate_actor() override;

  const char* name() const override { return "taps.candidate"; }

  /// Right after it was spawned, lazily, on the calling thread's shard.
  void begin();

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  void connect();
  void finish(std::shared_ptr<std::unique_ptr<channel>> ready, error failure);

  /// From now on there is `limit` for what the attempt does.
  void limit(duration limit);
  void on_timer();

  void on_handshake_begun() override;
  void on_handshake_done() override { home().request_service(*this); }
  void on_service() override;
  void on_shutdown(bool at_once) override;
  void on_links_changed(const network& before, const network& after) override;

  candidate what_;
  config_ptr config_;
  std::shared_ptr<const early_message> early_;
  recipient supervisor_;
  std::unique_ptr<handshake> handshake_;
  timer timer_;
  duration limit_{};
};

}  // namespace taps
