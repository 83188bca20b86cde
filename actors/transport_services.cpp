#include "taps/actors/transport_services.hpp"

#include "taps/actors/owner_watch.hpp"
#include "taps/actors/services_impl.hpp"
#include "taps/net/files/text_file.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace taps {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

/// Returns the time `wait` from now; the end of time rather than beyond it.
steady_clock::time_point limit_after(milliseconds wait) {
  const auto now = steady_clock::now();
  const auto most = std::chrono::duration_cast<milliseconds>(steady_clock::time_point::max() - now);
  return now + std::clamp(wait, milliseconds{0}, most);
}

}  // namespace

// -- transport_services::impl ---------------------------------------------------------------

transport_services::impl::impl(caf::actor_system& system, transport_services_options options)
    : system_(system), options_(std::move(options)), history_(make_history()),
      policy_(make_policy()) {
  auto number = options_.shards;
  if (number == 0)
    number = std::max(1u, std::thread::hardware_concurrency());
  for (std::size_t i = 0; i < number; ++i) {
    auto made = reactor_shard::make(system_, options_.transports, options_.dns);
    // Without its threads there is nothing that could report an error as an event.
    if (!made)
      throw std::runtime_error{"transport_services: " + to_string(made.failure())};
    threads_.push_back(*made);
    shards_.push_back(*made);
  }
  watch_links();
  for (auto& x : threads_)
    x->start();
}

/// One shard watches for all.
void transport_services::impl::watch_links() {
  const std::vector<std::weak_ptr<reactor_shard>> all{threads_.begin(), threads_.end()};
  const auto links =
      threads_.front()->watch_links(options_.paths, [all, last = links_](const network_ptr& now) {
        last->set(now);
        for (const auto& x : all)
          if (const auto where = x.lock())
            where->post([where = where.get(), now] { where->set_links(now); });
      });
  links_->set(links);
  for (const auto& x : threads_)
    x->set_links(links);
}

transport_services::impl::impl(caf::actor_system& system, std::vector<shard_ptr> shards,
                               transport_services_options options)
    : system_(system), options_(std::move(options)), shards_(std::move(shards)),
      history_(make_history()), policy_(make_policy()) {}

transport_services::impl::~impl() = default;

const shard_ptr& transport_services::impl::shard_for(const caf::actor& owner) const {
  const auto mine = [this](const shard* x) {
    return std::find_if(shards_.begin(), shards_.end(),
                        [x](const auto& y) { return y.get() == x; });
  };
  auto* const here = shard::current();
  auto i = here && here->owners().is_local(owner.address()) ? mine(here) : shards_.end();
  if (i == shards_.end())
    if (auto* pinned = pinned_base::of(caf::actor_cast<caf::actor_control_block*>(owner)))
      i = mine(&pinned->home());
  if (i == shards_.end() && here)
    i = mine(here);
  return i != shards_.end() ? *i : shards_[next()];
}

taps::preconnection transport_services::impl::make(preconnection_config config) {
  config.racing = options_.racing;
  config.history = history_;
  config.policy = policy_;
  // Without threads nothing can run: the handle leads nowhere, and every action says so.
  if (stopped_)
    return taps::preconnection{
        std::make_shared<taps::preconnection::impl>(shared_from_this(), preconnection_interface{})};
  auto* here = shard::current();
  const auto i = std::find_if(shards_.begin(), shards_.end(),
                              [here](const auto& x) { return x.get() == here; });
  auto handle = system_.spawn<preconnection_actor>(i != shards_.end() ? *i : shards_[next()],
                                                   std::move(config));
  auto as_interface = caf::actor_cast<preconnection_interface>(handle);
  remember(caf::actor_cast<caf::strong_actor_ptr>(handle));
  return taps::preconnection{
      std::make_shared<taps::preconnection::impl>(shared_from_this(), std::move(as_interface))};
}

void transport_services::impl::remember(const caf::strong_actor_ptr& who) {
  std::lock_guard guard{mutex_};
  remembered_.push_back(caf::actor_cast<caf::actor_addr>(who));
  if (remembered_.size() < prune_at_)
    return;
  std::erase_if(remembered_,
                [](const auto& x) { return !caf::actor_cast<caf::strong_actor_ptr>(x); });
  prune_at_ = std::max<std::size_t>(64, remembered_.size() * 2);
}

void transport_services::impl::count_owner(const caf::strong_actor_ptr& who) {
  remember(who);
  {
    std::lock_guard guard{mutex_};
    ++owners_;
  }
  caf::actor_cast<caf::abstract_actor*>(who)->attach_functor(
      [self = shared_from_this()](const caf::error&) {
        std::lock_guard guard{self->mutex_};
        --self->owners_;
        self->changed_.notify_all();
      });
}

void transport_services::impl::run() {
  std::unique_lock guard{mutex_};
  changed_.wait(guard, [this] { return owners_ == 0 || stopped_; });
}

std::size_t transport_services::impl::residents() const noexcept {
  std::size_t result = 0;
  for (const auto& x : threads_)
    result += x->num_residents();
  return result;
}

two_clocks transport_services::impl::clocks() const {
  return {threads_.empty() ? shards_.front()->now() : steady_clock::now(),
          std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())};
}

history_ptr transport_services::impl::make_history() const {
  return options_.history.enabled ? std::make_shared<shared_history>(options_.history) : nullptr;
}

std::shared_ptr<const system_policy> transport_services::impl::make_policy() const {
  std::vector<policy_rule> rules;
  const auto* of_environment = std::getenv("TAPLINE_POLICY");
  for (const auto& path :
       {std::string{of_environment ? of_environment : ""}, options_.policy_file}) {
    if (path.empty())
      continue;
    const auto text = read_text_file(path);
    auto read = text ? parse_policy(*text, path) : text.failure();
    if (!read)
      return std::make_shared<const system_policy>(read.failure());
    rules.insert(rules.end(), read->begin(), read->end());
  }
  if (rules.empty() && !options_.policy)
    return nullptr;
  return std::make_shared<const system_policy>(std::move(rules), options_.policy);
}

bool transport_services::impl::wait_until(steady_clock::time_point limit,
                                          const std::function<bool()>& done) const {
  while (!done()) {
    if (steady_clock::now() >= limit)
      return false;
    std::this_thread::sleep_for(milliseconds{1});
  }
  return true;
}

void transport_services::impl::end_remembered() {
  std::vector<caf::actor_addr> all;
  {
    std::lock_guard guard{mutex_};
    all.swap(remembered_);
  }
  for (const auto& x : all)
    if (auto who = caf::actor_cast<caf::strong_actor_ptr>(x))
      caf::anon_send_exit(caf::actor_cast<caf::actor>(who), caf::exit_reason::kill);
}

void transport_services::impl::tell_residents(bool at_once,
                                              const std::function<void()>& told) const {
  for (const auto& x : threads_)
    x->post([where = x.get(), at_once, told] {
      where->for_each_resident([at_once](resident& y) { y.on_shutdown(at_once); });
      // What was spawned before has had its first turn, and is a resident, when the next begins.
      where->post(told);
    });
}

void transport_services::impl::shutdown(milliseconds grace) {
  const auto on_own_thread = [this] {
    return std::any_of(threads_.begin(), threads_.end(),
                       [](const auto& x) { return x->is_current(); });
  };
  if (on_own_thread())
    return;
  std::lock_guard only_one{shutdown_};
  if (stopped_.exchange(true))
    return;
  {
    std::lock_guard guard{mutex_};
    changed_.notify_all();
  }
  auto left = std::make_shared<std::atomic<std::size_t>>(threads_.size());
  tell_residents(false, [left] { --*left; });
  wait_until(limit_after(grace), [&] { return *left == 0 && residents() == 0; });
  // Ending takes a few turns at most, unless a handler of the application never returns. Told
  // again and again, since others may have been about to initiate or spawn.
  left = std::make_shared<std::atomic<std::size_t>>(0);
  wait_until(limit_after(std::chrono::seconds{5}), [&] {
    if (*left == 0) {
      *left = threads_.size();
      tell_residents(true, [left] { --*left; });
    }
    end_remembered();
    return std::all_of(threads_.begin(), threads_.end(),
                       [](const auto& x) { return x->num_actors() == 0; });
  });
  for (auto& x : threads_)
    x->halt();
}

// -- transport_services ---------------------------------------------------------------------

transport_services::transport_services(caf::actor_system& system,
                                       transport_services_options options)
    : impl_(std::make_shared<impl>(system, std::move(options))) {}

transport_services::transport_services(std::shared_ptr<impl> made) : impl_(std::move(made)) {}

transport_services::transport_services(const transport_services& other)
    : impl_(other.impl_), owner_(false) {}

transport_services::transport_services(transport_services&& other) noexcept
    : impl_(other.impl_), owner_(std::exchange(other.owner_, false)) {}

transport_services& transport_services::operator=(transport_services other) noexcept {
  std::swap(impl_, other.impl_);
  std::swap(owner_, other.owner_);
  return *this;
}

transport_services::~transport_services() {
  if (owner_)
    shutdown(std::chrono::seconds{2});
}

taps::preconnection transport_services::preconnection(std::vector<local_endpoint> locals,
                                                      std::vector<remote_endpoint> remotes,
                                                      transport_properties properties,
                                                      security_parameters security) const {
  return impl_->make({std::move(locals),
                      std::move(remotes),
                      std::make_shared<transport_properties>(std::move(properties)),
                      security,
                      {},
                      {}});
}

taps::preconnection transport_services::preconnection(remote_endpoint remote,
                                                      transport_properties properties,
                                                      security_parameters security) const {
  return preconnection(std::vector<local_endpoint>{}, std::vector{std::move(remote)},
                       std::move(properties), security);
}

taps::preconnection transport_services::preconnection(local_endpoint local,
                                                      transport_properties properties,
                                                      security_parameters security) const {
  return preconnection(std::vector{std::move(local)}, std::vector<remote_endpoint>{},
                       std::move(properties), security);
}

history_snapshot transport_services::history() const {
  history_snapshot result{impl_->clocks().now, {}};
  if (const auto& known = impl_->history())
    result.entries = known->entries(result.taken);
  return result;
}

result<void> transport_services::save_history(const std::string& path) const {
  const auto at = impl_->clocks();
  return write_text_file(path, write_history(history().entries, at));
}

result<void> transport_services::load_history(const std::string& path) {
  if (!impl_->history())
    return {errc::not_supported, "load_history: the transport services remember nothing"};
  const auto text = read_text_file(path);
  if (!text)
    return text.failure();
  const auto at = impl_->clocks();
  auto found = read_history(*text, path, at);
  impl_->history()->restore(at.now, found.entries);
  return found.complete;
}

std::string to_string(const history_snapshot& x) { return to_string(x.entries, x.taken); }

void transport_services::run() { impl_->run(); }

void transport_services::shutdown(milliseconds grace) { impl_->shutdown(grace); }

std::size_t transport_services::num_shards() const noexcept { return impl_->shards().size(); }

caf::actor_system& transport_services::system() const noexcept { return impl_->system(); }

network_ptr transport_services::host_network() const { return impl_->links(); }

std::size_t transport_services::num_residents() const { return impl_->residents(); }

std::size_t transport_services::next_shard() const noexcept { return impl_->next(); }

const shard_ptr& transport_services::shard_at(std::size_t number) const {
  return impl_->shards()[number % impl_->shards().size()];
}

void transport_services::count_owner(const caf::strong_actor_ptr& who) { impl_->count_owner(who); }

}  // namespace taps
