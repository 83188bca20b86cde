#include "taps/actors/admission.hpp"

#include "taps/actors/connection_actor.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace taps {

namespace {

/// Without the lock: on a shard that has ended, sending ends the Connection, which leaves.
void call(const std::vector<caf::strong_actor_ptr>& all) {
  for (const auto& x : all)
    caf::anon_send(caf::actor_cast<connection_interface>(x), admitted{});
}

}  // namespace

admission::verdict admission::ask(const caf::strong_actor_ptr& who) {
  if (unlimited_.load(std::memory_order_acquire))
    return verdict::enter;
  std::lock_guard guard{mutex_};
  if (!left_ || *left_ > 0) {
    if (left_)
      --*left_;
    return verdict::enter;
  }
  if (waiting_.size() >= max_waiting)
    return verdict::turned_away;
  waiting_.push_back(who);
  return verdict::wait;
}

void admission::leave(const caf::strong_actor_ptr& who) {
  std::vector<caf::strong_actor_ptr> called;
  {
    std::lock_guard guard{mutex_};
    const auto i = std::ranges::find(waiting_, who);
    if (i != waiting_.end())
      waiting_.erase(i);
    else if (left_)
      ++*left_;
    called = next();
  }
  call(called);
}

void admission::set_limit(std::optional<std::uint64_t> limit) {
  std::vector<caf::strong_actor_ptr> called;
  {
    std::lock_guard guard{mutex_};
    left_ = limit;
    unlimited_.store(!limit, std::memory_order_release);
    called = next();
  }
  call(called);
}

std::vector<caf::strong_actor_ptr> admission::next() {
  std::vector<caf::strong_actor_ptr> result;
  while (!waiting_.empty() && (!left_ || *left_ > 0)) {
    if (left_)
      --*left_;
    result.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return result;
}

}  // namespace taps
