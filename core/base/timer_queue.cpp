#include "taps/core/base/timer_queue.hpp"

namespace taps {

// -- timer --------------------------------------------------------------------

timer::~timer() { cancel(); }

void timer::cancel() noexcept {
  if (queue_)
    queue_->remove(*this);
}

// -- timer_queue --------------------------------------------------------------

timer_queue::~timer_queue() {
  for (auto* x : heap_)
    x->queue_ = nullptr;
}

void timer_queue::schedule(timer& what, time_point when) {
  what.cancel();
  what.queue_ = this;
  what.when_ = when;
  what.order_ = next_order_++;
  heap_.push_back(&what);
  what.index_ = heap_.size() - 1;
  sift_up(what.index_);
}

void timer_queue::schedule(timer& what, deadline when) {
  if (when)
    schedule(what, *when);
  else
    what.cancel();
}

deadline timer_queue::next() const noexcept {
  return heap_.empty() ? deadline{} : deadline{heap_.front()->when_};
}

std::size_t timer_queue::run(time_point now) {
  std::size_t fired = 0;
  const auto limit = next_order_;
  while (!heap_.empty()) {
    auto& first = *heap_.front();
    if (first.when_ > now || first.order_ >= limit)
      break;
    remove(first);
    ++fired;
    first.fun_(first.context_);
  }
  return fired;
}

void timer_queue::remove(timer& what) noexcept {
  const auto index = what.index_;
  auto* last = heap_.back();
  heap_.pop_back();
  what.queue_ = nullptr;
  if (last == &what)
    return;
  place(index, last);
  sift_up(index);
  sift_down(last->index_);
}

void timer_queue::place(std::size_t index, timer* what) noexcept {
  heap_[index] = what;
  what->index_ = index;
}

void timer_queue::sift_up(std::size_t index) noexcept {
  auto* moving = heap_[index];
  while (index > 0) {
    const auto parent = (index - 1) / 2;
    if (!before(*moving, *heap_[parent]))
      break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, moving);
}

void timer_queue::sift_down(std::size_t index) noexcept {
  auto* moving = heap_[index];
  for (auto child = 2 * index + 1; child < heap_.size(); child = 2 * index + 1) {
    if (child + 1 < heap_.size() && before(*heap_[child + 1], *heap_[child]))
      ++child;
    if (!before(*heap_[child], *moving))
      break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, moving);
}

bool timer_queue::before(const timer& x, const timer& y) noexcept {
  return x.when_ != y.when_ ? x.when_ < y.when_ : x.order_ < y.order_;
}

}  // namespace taps
