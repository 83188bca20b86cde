#pragma once

#include "taps/actors/transport_services.hpp"
#include "taps/tests/support/simulation/recorder.hpp"
#include "taps/tests/support/simulation/simulated_loop.hpp"
#include "taps/tests/support/simulation/simulated_names.hpp"
#include "taps/tests/support/simulation/simulated_network.hpp"
#include "taps/tests/support/simulation/simulated_transport.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <memory>
#include <vector>

namespace taps::testing {

/// What a simulation is made of.
struct simulation_options {
  /// Decides all that is random; print it where it is not fixed.
  std::uint64_t seed = 1;
  std::size_t shards = 1;
  racing_options racing{};
  history_options history{};
  policy_hook policy{};
  std::string policy_file{};
  std::vector<transport_descriptor> protocols{stream_protocol(), datagram_protocol()};
};

/// All of Tapline and a world around it in the test's thread, under virtual time: the public API on
/// simulated shards, names and network. Nothing happens but in `settle`, `run_...` and `advance`.
/// The same script and seed give the same events at the same times.
///
///     simulation sim;
///     sim.names().add("example.test", {"2001:db8::1", "192.0.2.1"});
///     sim.network().black_hole("[2001:db8::1]:80");
///     sim.network().accept("192.0.2.1:80");
///     auto& owner = sim.owner();
///     auto conn = taps::initiate(sim.to("example.test", 80), owner);
///     sim.run_until_idle();
///     EXPECT_EQ(owner.lines()[0], "0.270 ready c1 1.1.2 sim_stream 192.0.2.1:80");
class simulation {
public:
  explicit simulation(simulation_options options = {});
  simulation(const simulation&) = delete;
  simulation& operator=(const simulation&) = delete;

  /// Ends everything that still lives; aborts the process with a text if some actor does not end,
  /// instead of waiting for it for ever. Actors and `scoped_actor`s of the test's own must have
  /// ended before.
  ~simulation();

  // -- the world ------------------------------------------------------------------------

  [[nodiscard]] simulated_network& network() noexcept { return network_; }
  [[nodiscard]] simulated_names& names() noexcept { return names_; }
  /// Gives the host other links than before; at first nobody knows which there are.
  void set_links(taps::network links);
  [[nodiscard]] caf::actor_system& system() noexcept { return system_; }
  [[nodiscard]] transport_services& services() noexcept { return *services_; }
  [[nodiscard]] simulated_shard& shard_at(std::size_t number) { return *shards_.at(number); }

  // -- actors -----------------------------------------------------------------------------

  /// Makes a recording owner that lives on a shard: events come to it without a mailbox.
  recorder& owner(std::size_t shard = 0);
  /// Makes a recording owner that CAF schedules.
  recorder& unpinned_owner();

  /// Makes Preconnections without security; names and addresses both serve as `host`.
  [[nodiscard]] preconnection to(std::string_view host, std::uint16_t port,
                                 transport_properties properties = reliable_inorder_stream());
  [[nodiscard]] preconnection at(std::uint16_t port,
                                 transport_properties properties = reliable_inorder_stream());

  /// Pinned actors that have not ended, of Tapline and of tests, on all shards.
  [[nodiscard]] int num_actors() const;
  /// Connections, Listeners and attempts, on all shards.
  [[nodiscard]] std::size_t num_residents() const;

  // -- driving (see `simulated_loop`) ---------------------------------------------------------

  [[nodiscard]] duration elapsed() const noexcept { return loop_.elapsed(); }
  bool settle() { return loop_.settle(); }
  bool run_until_idle(duration limit = std::chrono::hours{24}) {
    return loop_.run_until_idle(limit);
  }
  void run_for(duration span) { loop_.run_for(span); }
  void advance(duration span) { loop_.advance(span); }
  bool run_until(const std::function<bool()>& done, duration limit = std::chrono::hours{24}) {
    return loop_.run_until(done, limit);
  }

private:
  struct config : caf::actor_system_config {
    config();
  };

  std::shared_ptr<recorder> make_recorder();

  config config_;
  caf::actor_system system_;
  simulated_loop loop_;
  simulated_names names_;
  simulated_network network_;
  std::vector<std::shared_ptr<simulated_shard>> shards_;
  std::unique_ptr<transport_services> services_;
  std::vector<std::shared_ptr<recorder>> recorders_;
};

}  // namespace taps::testing
