#pragma once

#include "taps/actors/actions.hpp"
#include "taps/actors/pinned.hpp"
#include "taps/net/path/path_monitor.hpp"
#include "taps/net/resolver/dns_resolver.hpp"
#include "taps/net/transports/registry.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>

#include <chrono>
#include <memory>
#include <vector>

namespace taps {

/// How transport services are set up.
struct transport_services_options {
  /// Threads, each with a reactor; 0 for one per core.
  std::size_t shards = 0;
  /// How names are looked up.
  dns_options dns{};
  /// Where interfaces and provisioning domains are found.
  path_monitor_options paths{};
  /// The pace of races.
  racing_options racing{};
  /// What races remember.
  history_options history{};
  /// What the program forbids and prefers; null for nothing.
  policy_hook policy{};
  /// Rules, in the format of `core/candidate/policy.hpp`; empty for none. They add to those of the
  /// file that the environment variable TAPLINE_POLICY names, so a program cannot lift what its
  /// host forbids. With a file that cannot be read, or with a line that is no rule, every Initiate
  /// and Listen fails with `InvalidConfiguration`.
  std::string policy_file{};
  /// The protocols; more can be added to those that come with Tapline.
  std::vector<transport_factory> transports = builtin_transports();
};

/// The history of races at some moment.
struct history_snapshot {
  time_point taken{};
  std::vector<history_entry> entries;
};

/// Returns a line per place and stack, e.g. `"example.com:80 name succeeded 3 times, ..."`.
[[nodiscard]] std::string to_string(const history_snapshot& x);

/// The entry to Tapline: threads that run protocols and actors (RFC 9621, section 4.1). The object
/// made from an actor system owns the threads, and its destructor shuts them down; copies refer to
/// it, may be kept by actors, and make everything fail with `connection_closed` once it is gone. It
/// must be destroyed before the actor system. Thread-safe.
class transport_services {
public:
  /// Throws `std::runtime_error` where descriptors or threads cannot be had.
  explicit transport_services(caf::actor_system& system, transport_services_options options = {});

  class impl;
  /// Over shards made elsewhere, as tests do: whoever made them runs and ends them.
  explicit transport_services(std::shared_ptr<impl> made);

  transport_services(const transport_services& other);
  transport_services(transport_services&& other) noexcept;
  transport_services& operator=(transport_services other) noexcept;

  /// Calls `shutdown` with two seconds if this is the owner.
  ~transport_services();

  // -- making things ------------------------------------------------------------------------

  /// Makes a Preconnection (RFC 9622, section 6); secure unless said otherwise.
  [[nodiscard]] taps::preconnection preconnection(std::vector<local_endpoint> locals,
                                                  std::vector<remote_endpoint> remotes,
                                                  transport_properties properties = {},
                                                  security_parameters security = {}) const;
  [[nodiscard]] taps::preconnection preconnection(remote_endpoint remote,
                                                  transport_properties properties = {},
                                                  security_parameters security = {}) const;
  [[nodiscard]] taps::preconnection preconnection(local_endpoint local,
                                                  transport_properties properties = {},
                                                  security_parameters security = {}) const;

  /// Spawns an actor on one of the threads, as `caf::actor_system::spawn` would: owners that live
  /// beside their Connections get events without a mailbox in between. `fun` takes a pointer to the
  /// actor if it wants, then `xs`.
  template<class F, class... Ts>
  caf::infer_handle_from_fun_t<F> spawn(F fun, Ts&&... xs) {
    return spawn_on(next_shard(), std::move(fun), std::forward<Ts>(xs)...);
  }

  /// As above, on the thread with this number.
  template<class F, class... Ts>
  caf::infer_handle_from_fun_t<F> spawn_on(std::size_t number, F fun, Ts&&... xs) {
    using base = caf::infer_impl_from_fun_t<F>;
    caf::actor_config cfg;
    caf::detail::init_fun_factory<base, F> factory;
    cfg.init_fun = factory(std::move(fun), std::forward<Ts>(xs)...);
    auto result = system().spawn_class<pinned<base>, caf::no_spawn_options>(cfg, shard_at(number));
    count_owner(caf::actor_cast<caf::strong_actor_ptr>(result));
    return result;
  }

  /// Spawns a class-based actor `C`, derived from `taps::pinned<...>`, whose constructor takes an
  /// actor config, a `shard_ptr` and `xs`.
  template<class C, class... Ts>
  caf::infer_handle_from_class_t<C> spawn(Ts&&... xs) {
    auto result = system().spawn<C>(shard_at(next_shard()), std::forward<Ts>(xs)...);
    count_owner(caf::actor_cast<caf::strong_actor_ptr>(result));
    return result;
  }

  // -- history of races -----------------------------------------------------------------------

  /// Returns what races have taught about stacks and addresses (RFC 9623, section 9.2), the place
  /// used last at the end; without sessions that are isolated.
  [[nodiscard]] history_snapshot history() const;

  /// Keeps the history in a file. Replaces the file at once or not at all.
  [[nodiscard]] result<void> save_history(const std::string& path) const;

  /// Adds what a file holds and has not expired, unless something newer is known. An error says
  /// what is wrong with the file and in which line; other lines are taken all the same.
  [[nodiscard]] result<void> load_history(const std::string& path);

  // -- running --------------------------------------------------------------------------------

  /// Blocks until all actors that `spawn` made have ended. Not for actors.
  void run();

  /// Ends everything: aborts Connections, but lets those that are closing finish for up to `grace`;
  /// then ends all actors that live on the threads, and joins these. Waits for a shutdown that is
  /// under way elsewhere. Not for actors: does nothing on a thread that it would have to join.
  void shutdown(std::chrono::milliseconds grace);

  [[nodiscard]] std::size_t num_shards() const noexcept;
  [[nodiscard]] caf::actor_system& system() const noexcept;

  /// Connections, Listeners and attempts that hold descriptors now. Never blocks.
  [[nodiscard]] std::size_t num_residents() const;

  /// What the host's links are as far as is known now: interfaces, addresses, routes and
  /// provisioning domains. Changes are noticed within a tenth of a second.
  [[nodiscard]] network_ptr host_network() const;

  [[nodiscard]] const std::shared_ptr<impl>& get_impl() const noexcept { return impl_; }

private:
  [[nodiscard]] std::size_t next_shard() const noexcept;
  [[nodiscard]] const shard_ptr& shard_at(std::size_t number) const;
  void count_owner(const caf::strong_actor_ptr& who);

  std::shared_ptr<impl> impl_;
  bool owner_ = true;
};

}  // namespace taps
