#pragma once

#include "taps/actors/actions.hpp"
#include "taps/actors/preconnection_actor.hpp"
#include "taps/actors/reactor_shard.hpp"
#include "taps/actors/transport_services.hpp"

#include <condition_variable>
#include <mutex>

namespace taps {

/// The last look at the host's links. Thread-safe.
class latest_links {
public:
  [[nodiscard]] network_ptr get() const {
    std::lock_guard guard{mutex_};
    return links_;
  }
  void set(network_ptr links) {
    std::lock_guard guard{mutex_};
    links_ = std::move(links);
  }

private:
  mutable std::mutex mutex_;
  network_ptr links_ = std::make_shared<const network>();
};

/// What all copies of a `transport_services` share. Tests make one over simulated shards.
class transport_services::impl : public std::enable_shared_from_this<impl> {
public:
  impl(caf::actor_system& system, transport_services_options options);
  ~impl();

  /// Over shards made elsewhere, which have no thread to join.
  impl(caf::actor_system& system, std::vector<shard_ptr> shards,
       transport_services_options options);

  [[nodiscard]] caf::actor_system& system() const noexcept { return system_; }
  [[nodiscard]] const transport_services_options& options() const noexcept { return options_; }
  [[nodiscard]] const std::vector<shard_ptr>& shards() const noexcept { return shards_; }

  /// Where something new for `owner` should live: beside the owner, else on the caller's shard,
  /// else anywhere.
  [[nodiscard]] const shard_ptr& shard_for(const caf::actor& owner) const;
  [[nodiscard]] std::size_t next() const noexcept {
    return next_.fetch_add(1, std::memory_order_relaxed) % shards_.size();
  }

  /// Remembers an actor that has to be ended at shutdown; forgets those that ended already now and
  /// then.
  void remember(const caf::strong_actor_ptr& who);
  void count_owner(const caf::strong_actor_ptr& who);
  void run();
  void shutdown(std::chrono::milliseconds grace);
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }

  [[nodiscard]] taps::preconnection make(preconnection_config config);

  [[nodiscard]] std::size_t residents() const noexcept;
  /// Null when nothing is to be remembered.
  [[nodiscard]] const history_ptr& history() const noexcept { return history_; }
  [[nodiscard]] two_clocks clocks() const;

  [[nodiscard]] network_ptr links() const { return links_->get(); }

private:
  void watch_links();
  [[nodiscard]] history_ptr make_history() const;
  [[nodiscard]] std::shared_ptr<const system_policy> make_policy() const;
  void tell_residents(bool at_once, const std::function<void()>& told) const;
  void end_remembered();
  bool wait_until(std::chrono::steady_clock::time_point limit,
                  const std::function<bool()>& done) const;

  caf::actor_system& system_;
  transport_services_options options_;
  std::vector<shard_ptr> shards_;
  std::vector<std::shared_ptr<reactor_shard>> threads_;
  /// The last look at the host's links, for all threads; shared with the shard that looks.
  std::shared_ptr<latest_links> links_ = std::make_shared<latest_links>();
  const history_ptr history_;
  const std::shared_ptr<const system_policy> policy_;
  mutable std::atomic<std::size_t> next_{0};
  std::atomic<bool> stopped_{false};
  /// Held while someone shuts down: whoever comes second waits for the same end.
  std::mutex shutdown_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<caf::actor_addr> remembered_;
  std::size_t prune_at_ = 64;
  std::size_t owners_ = 0;
};

/// What a `preconnection` handle holds.
class preconnection::impl {
public:
  impl(std::shared_ptr<transport_services::impl> services, preconnection_interface handle)
      : services_(std::move(services)), handle_(std::move(handle)) {}

  [[nodiscard]] transport_services::impl& services() const noexcept { return *services_; }
  [[nodiscard]] const preconnection_interface& handle() const noexcept { return handle_; }

private:
  std::shared_ptr<transport_services::impl> services_;
  preconnection_interface handle_;
};

}  // namespace taps
