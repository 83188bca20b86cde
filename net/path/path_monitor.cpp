#include "taps/net/path/path_monitor.hpp"

#include "taps/net/path/netlink_dump.hpp"
#include "taps/net/path/resolver_domains.hpp"

#include <array>
#include <cerrno>

namespace taps {

namespace {

/// A host whose routes change all the time is not looked at more often.
constexpr auto pause_between_looks = std::chrono::milliseconds{50};
constexpr auto pause_after_failure = std::chrono::seconds{1};

}  // namespace

path_monitor::path_monitor(reactor& loop, path_monitor_options options, observer changed)
    : loop_(&loop), options_(std::move(options)), changed_(std::move(changed)),
      timer_([](void* self) { static_cast<path_monitor*>(self)->on_timer(); }, this) {}

path_monitor::~path_monitor() { loop_->remove(*this); }

result<void> path_monitor::start() {
  auto outcome = catch_up();
  if (!outcome && is_shortage(outcome.failure()))
    loop_->timers().schedule(timer_, loop_->now() + pause_after_failure);
  return outcome;
}

result<void> path_monitor::subscribe() {
  if (socket_)
    return {};
  auto events = open_network_events(loop_->os());
  if (!events)
    return events.failure();
  if (auto added = loop_->add(events->get(), EPOLLIN | EPOLLET, *this); !added)
    return added;
  socket_ = std::move(*events);
  return {};
}

/// Looks, after the subscription, so that no change falls in between.
result<void> path_monitor::catch_up() {
  if (auto watching = subscribe(); !watching)
    return watching;
  auto seen = look();
  if (!seen)
    return seen.failure();
  if (*seen != *current_)
    current_ = std::make_shared<const network>(std::move(*seen));
  return {};
}

void path_monitor::on_io(std::uint32_t) {
  // What exactly changed does not matter, nor whether the kernel had to drop some news (ENOBUFS):
  // all is read anew.
  std::array<std::byte, 8192> news;
  for (;;) {
    iovec piece{news.data(), news.size()};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    const auto n = loop_->os().recvmsg(socket_.get(), &message, 0);
    if (n == -EAGAIN || n == 0 || (n < 0 && n != -ENOBUFS))
      break;
  }
  look_soon();
}

void path_monitor::look_soon() {
  if (timer_.scheduled())
    return;
  if (loop_->now() >= next_look_)
    loop_->run_later(*this);
  else
    loop_->timers().schedule(timer_, next_look_);
}

void path_monitor::on_timer() { loop_->run_later(*this); }

void path_monitor::on_later() {
  next_look_ = loop_->now() + pause_between_looks;
  const auto before = current_;
  // Out of descriptors or memory, perhaps: the next look may do better.
  if (!catch_up())
    loop_->timers().schedule(timer_, loop_->now() + pause_after_failure);
  else if (current_ != before)
    changed_(current_);
}

result<network> path_monitor::look() const {
  auto facts = dump_network(loop_->os(), options_.sysfs);
  if (!facts)
    return facts.failure();
  auto domains = options_.domains;
  add_derived_domains(facts->interfaces, options_.resolver_folders, domains);
  return network{std::move(facts->interfaces), std::move(facts->routes), std::move(domains)};
}

}  // namespace taps
