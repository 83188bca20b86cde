#pragma once

#include "taps/actors/shard.hpp"
#include "taps/net/path/path_monitor.hpp"
#include "taps/net/reactor/reactor.hpp"
#include "taps/net/resolver/dns_resolver.hpp"
#include "taps/net/transports/registry.hpp"

#include <thread>

namespace taps {

/// A shard with a thread and a reactor of its own.
class reactor_shard final : public shard {
public:
  /// Fails when the reactor or resolver cannot be set up.
  static result<std::shared_ptr<reactor_shard>>
  make(caf::actor_system& system, const std::vector<transport_factory>& transports,
       const dns_options& dns);

  reactor_shard(caf::actor_system& system);
  ~reactor_shard() override;

  /// Has this shard watch the host's links. `changed` is called on its thread; what there is now is
  /// returned. Before `start`.
  network_ptr watch_links(path_monitor_options options, path_monitor::observer changed);

  /// Starts the thread.
  void start();
  /// Ends the loop, joins the thread, and closes the shard.
  void halt();

  // -- what the environment supplies -------------------------------------------------------

  [[nodiscard]] time_point now() const override { return reactor_.now(); }
  [[nodiscard]] timer_queue& timers() override { return reactor_.timers(); }
  [[nodiscard]] arena& memory() override { return outbound_; }
  [[nodiscard]] resolver& names() override { return *resolver_; }
  [[nodiscard]] const std::vector<std::unique_ptr<transport>>& transports() const override {
    return transports_;
  }

protected:
  void wake() noexcept override { reactor_.wake(); }

private:
  void loop();
  /// Returns whether work is left.
  [[nodiscard]] bool run_turns();

  reactor reactor_;
  arena outbound_{reactor_.buffers()};
  std::unique_ptr<resolver> resolver_;
  std::unique_ptr<path_monitor> monitor_;
  std::vector<std::unique_ptr<transport>> transports_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace taps
