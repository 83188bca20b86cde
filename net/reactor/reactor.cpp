#include "taps/net/reactor/reactor.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <limits>

namespace taps {

// -- io_source --------------------------------------------------------------------

io_source::~io_source() {
  if (reactor_)
    reactor_->forget(*this);
}

// -- construction -----------------------------------------------------------------

reactor::reactor(sys::kernel& os) : os_(&os), now_(os.now()), events_(max_events) {
  const auto epoll = os.epoll_create();
  const auto wakeup = epoll < 0 ? epoll : os.eventfd();
  epoll_ = {os, epoll};
  wakeup_ = {os, wakeup};
  // Edge-triggered, so that the counter need not be read: each write is an edge.
  failure_ =
      wakeup < 0 ? -wakeup : -os.epoll_ctl(epoll, EPOLL_CTL_ADD, wakeup, EPOLLIN | EPOLLET, this);
}

reactor::~reactor() {
  assert(num_sources_ == 0);
  for (auto* source : later_) {
    if (source) {
      source->later_ = 0;
      source->reactor_ = nullptr;
    }
  }
}

result<void> reactor::check() const {
  if (failure_ != 0)
    return os_error(errc::protocol_failed, "cannot set up the reactor", failure_);
  return {};
}

// -- descriptors -------------------------------------------------------------------

result<void> reactor::add(int fd, std::uint32_t events, io_source& source) {
  assert(source.reactor_ == nullptr || source.reactor_ == this);
  const auto failed =
      source.fd_ >= 0 ? -EEXIST : os_->epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, events, &source);
  if (failed < 0)
    return os_error(errc::protocol_failed, "cannot watch descriptor " + std::to_string(fd),
                    -failed);
  source.reactor_ = this;
  source.fd_ = fd;
  ++num_sources_;
  return {};
}

result<void> reactor::modify(io_source& source, std::uint32_t events) {
  const auto failed =
      source.fd_ < 0 ? -ENOENT
                     : os_->epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, source.fd_, events, &source);
  if (failed < 0)
    return os_error(errc::protocol_failed,
                    "cannot change how descriptor " + std::to_string(source.fd_) + " is watched",
                    -failed);
  return {};
}

void reactor::remove(io_source& source) noexcept {
  if (source.fd_ < 0)
    return;
  // Fails only when the descriptor was closed too early, and then epoll has forgotten it already.
  os_->epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, source.fd_, 0, nullptr);
  retire(source);
}

void reactor::retire(io_source& source) noexcept {
  if (source.fd_ < 0)
    return;
  source.fd_ = -1;
  if (source.later_ == 0)
    source.reactor_ = nullptr;
  --num_sources_;
  for (auto i = next_event_; i < num_events_; ++i) {
    if (events_[i].data.ptr == &source)
      events_[i].data.ptr = nullptr;
  }
}

void reactor::forget(io_source& source) noexcept {
  if (source.later_ != 0)
    later_[std::exchange(source.later_, 0) - 1] = nullptr;
  remove(source);
}

// -- the loop ------------------------------------------------------------------------

bool reactor::poll(bool block) {
  assert(next_event_ == num_events_);
  const auto limit = block && later_.empty() ? wait_limit() : 0;
  const auto count = os_->epoll_wait(epoll_.get(), events_, limit);
  now_ = os_->now();
  ++round_;
  next_event_ = 0;
  num_events_ = count > 0 ? static_cast<std::size_t>(count) : 0;
  while (next_event_ < num_events_)
    dispatch(events_[next_event_++]);
  return timers_.run(now_) > 0 || count > 0;
}

void reactor::dispatch(epoll_event event) {
  // Only now may others send again: what they left for us before is seen after this turn.
  if (event.data.ptr == this)
    woken_.exchange(false, std::memory_order_acq_rel);
  else if (event.data.ptr)
    static_cast<io_source*>(event.data.ptr)->on_io(event.events);
}

int reactor::wait_limit() const {
  const auto next = timers_.next();
  if (!next)
    return -1;
  // The turn took time: `now_` would wait too long. Rounded up, for a timer is never early.
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - os_->now()).count();
  return static_cast<int>(std::clamp<decltype(left)>(left, 0, std::numeric_limits<int>::max()));
}

void reactor::run_later(io_source& source) {
  assert(source.reactor_ == nullptr || source.reactor_ == this);
  if (source.later_ != 0)
    return;
  later_.push_back(&source);
  source.later_ = later_.size();
  source.reactor_ = this;
}

bool reactor::run_deferred() {
  const auto size = later_.size();
  bool called = false;
  for (std::size_t i = 0; i < size; ++i) {
    auto* source = std::exchange(later_[i], nullptr);
    if (!source)
      continue;
    source->later_ = 0;
    if (source->fd_ < 0)
      source->reactor_ = nullptr;
    called = true;
    source->on_later();
  }
  later_.erase(later_.begin(), later_.begin() + static_cast<std::ptrdiff_t>(size));
  for (std::size_t i = 0; i < later_.size(); ++i) {
    if (later_[i])
      later_[i]->later_ = i + 1;
  }
  return called;
}

void reactor::wake() noexcept {
  if (woken_.exchange(true, std::memory_order_acq_rel))
    return;
  const std::uint64_t one = 1;
  os_->write(wakeup_.get(), &one, sizeof one);
}

}  // namespace taps
