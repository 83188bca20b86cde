#include "taps/actors/shard.hpp"

#include "taps/actors/owner_watch.hpp"
#include "taps/actors/pinned.hpp"

#include <caf/actor_cast.hpp>
#include <caf/config.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

namespace taps {

namespace {

thread_local shard* shard_of_this_thread = nullptr;

/// Messages that one actor may handle before the next one gets its turn.
constexpr std::size_t messages_per_resume = 50;

/// How often handlers may cause new services in one turn before sockets are looked at again.
constexpr std::size_t service_rounds = 16;

}  // namespace

void shard::departures_unit::exec_later(caf::resumable* what) {
  system().scheduler().enqueue(what);
}

pinned_base* pinned_base::of(const caf::actor_control_block* who) noexcept {
  return who ? dynamic_cast<pinned_base*>(caf::actor_cast<caf::abstract_actor*>(
                   const_cast<caf::actor_control_block*>(who)))
             : nullptr;
}

shard::shard(caf::actor_system& system)
    : system_(system), arrivals_(system, *this), departures_(&system),
      owners_(std::make_unique<owner_watch>(*this)) {}

shard::~shard() { drop_queued(); }

shard* shard::current() noexcept { return shard_of_this_thread; }

// -- what the environment supplies ----------------------------------------------------------------

const std::vector<protocol_stack>& shard::stacks() {
  if (stacks_.empty()) {
    std::vector<const transport_descriptor*> protocols;
    for (const auto& x : transports())
      protocols.push_back(&x->descriptor());
    stacks_ = compose_stacks(protocols);
  }
  return stacks_;
}

transport& shard::transport_of(const protocol_stack& stack) const {
  for (const auto& x : transports())
    if (&x->descriptor() == &stack.top())
      return *x;
  CAF_CRITICAL("a stack without its transport");
}

void resident::on_links_changed(const network&, const network&) {}

void shard::set_links(network_ptr links) {
  const auto before = std::exchange(links_, std::move(links));
  for_each_resident([&](resident& x) { x.on_links_changed(*before, *links_); });
}

// -- scheduling --------------------------------------------------------------------------------

void shard::enqueue(caf::resumable* what) {
  if (is_current()) {
    queue_.push_back(what);
    return;
  }
  std::unique_lock guard{mutex_};
  const auto first = remote_.empty() && tasks_.empty();
  remote_.push_back(what);
  has_remote_.store(true, std::memory_order_release);
  if (closed_) {
    end_queued(std::move(guard));
    return;
  }
  guard.unlock();
  if (first)
    wake();
}

void shard::post(std::function<void()> task) {
  std::unique_lock guard{mutex_};
  const auto first = remote_.empty() && tasks_.empty();
  tasks_.push_back(std::move(task));
  has_remote_.store(true, std::memory_order_release);
  if (closed_) {
    end_queued(std::move(guard));
    return;
  }
  guard.unlock();
  if (first)
    wake();
}

void shard::request_service(serviced& who) {
  if (who.position_ != 0)
    return;
  services_.push_back(&who);
  who.position_ = services_.size();
}

void shard::cancel_service(serviced& who) noexcept {
  if (who.position_ != 0)
    services_[std::exchange(who.position_, 0) - 1] = nullptr;
}

void shard::enter_thread() noexcept { shard_of_this_thread = this; }

void shard::leave_thread() noexcept { shard_of_this_thread = nullptr; }

bool shard::run_turn() {
  take_remote();
  run_services();
  run_mailboxes();
  run_services();
  return !queue_.empty() || !services_.empty() || has_remote_.load(std::memory_order_acquire);
}

void shard::take_remote() {
  if (!has_remote_.load(std::memory_order_acquire))
    return;
  std::vector<std::function<void()>> tasks;
  {
    std::lock_guard guard{mutex_};
    queue_.insert(queue_.end(), remote_.begin(), remote_.end());
    remote_.clear();
    tasks.swap(tasks_);
    has_remote_.store(false, std::memory_order_release);
  }
  for (auto& task : tasks)
    task();
}

void shard::run_services() {
  // Handlers ask for more services, and may end those that wait; positions stay valid meanwhile.
  const auto limit = services_.size() * service_rounds;
  std::size_t next = 0;
  for (; next < services_.size() && next < limit; ++next) {
    if (auto* who = std::exchange(services_[next], nullptr)) {
      who->position_ = 0;
      who->on_service();
    }
  }
  services_.erase(services_.begin(), services_.begin() + static_cast<std::ptrdiff_t>(next));
  for (std::size_t i = 0; i < services_.size(); ++i)
    if (services_[i])
      services_[i]->position_ = i + 1;
}

void shard::run_mailboxes() {
  for (auto left = queue_.size(); left > 0; --left) {
    auto* next = queue_.front();
    queue_.pop_front();
    // The queue owns a reference: kept when the actor wants to go on, else given back.
    if (next->resume(&departures_, messages_per_resume) == caf::resumable::resume_later)
      queue_.push_back(next);
    else
      caf::intrusive_ptr_release(next);
  }
}

// -- the end ---------------------------------------------------------------------------------

void shard::drop_queued() {
  std::unique_lock guard{mutex_};
  closed_ = true;
  remote_.insert(remote_.begin(), queue_.begin(), queue_.end());
  queue_.clear();
  for (const auto& entry : residents_)
    if (auto* who = dynamic_cast<caf::scheduled_actor*>(
            caf::actor_cast<caf::abstract_actor*>(entry.second.handle))) {
      caf::intrusive_ptr_add_ref(static_cast<caf::resumable*>(who));
      remote_.push_back(who);
    }
  end_queued(std::move(guard));
}

void shard::end_queued(std::unique_lock<std::mutex> guard) {
  // One thread at a time, since ending touches the shard; and without the lock, since the end of
  // an actor is a message to others, here and on shards that are closed as well.
  if (ending_)
    return;
  ending_ = true;
  while (!remote_.empty() || !tasks_.empty()) {
    const auto actors = std::exchange(remote_, {});
    auto tasks = std::exchange(tasks_, {});
    guard.unlock();
    tasks.clear();
    for (auto* next : actors) {
      if (auto* who = dynamic_cast<caf::scheduled_actor*>(next);
          who && !who->getf(caf::abstract_actor::is_cleaned_up_flag)) {
        who->context(&departures_);
        who->quit(caf::exit_reason::user_shutdown);
        who->finalize();
      }
      caf::intrusive_ptr_release(next);
    }
    guard.lock();
  }
  has_remote_.store(false, std::memory_order_release);
  ending_ = false;
}

// -- who lives here ------------------------------------------------------------------------------

void shard::adopt(caf::strong_actor_ptr who, resident& implementation) {
  const auto* key = who.get();
  residents_.insert_or_assign(key, tenancy{std::move(who), &implementation});
  num_residents_.store(residents_.size(), std::memory_order_release);
}

void shard::release(const caf::actor_control_block* who) {
  last_found_ = nullptr;
  last_resident_ = nullptr;
  // The handle goes last: dropping it may destroy the actor.
  if (auto i = residents_.find(who); i != residents_.end()) {
    auto handle = std::move(i->second.handle);
    residents_.erase(i);
    num_residents_.store(residents_.size(), std::memory_order_release);
  }
}

void shard::for_each_resident(const std::function<void(resident&)>& f) const {
  std::vector<caf::strong_actor_ptr> all;
  all.reserve(residents_.size());
  for (const auto& entry : residents_)
    all.push_back(entry.second.handle);
  for (const auto& who : all)
    if (auto* found = find_resident(who.get()))
      f(*found);
}

}  // namespace taps
