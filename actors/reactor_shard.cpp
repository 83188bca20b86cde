#include "taps/actors/reactor_shard.hpp"

namespace taps {

namespace {

/// How many turns may follow each other before sockets are looked at again. A chain of messages
/// between actors, such as a race, then costs one look.
constexpr int turns_per_poll = 8;

}  // namespace

result<std::shared_ptr<reactor_shard>>
reactor_shard::make(caf::actor_system& system, const std::vector<transport_factory>& transports,
                    const dns_options& dns) {
  auto made = std::make_shared<reactor_shard>(system);
  if (auto ready = made->reactor_.check(); !ready)
    return ready.failure();
  auto names = make_dns_resolver(made->reactor_, dns);
  if (!names)
    return names.failure();
  made->resolver_ = std::move(*names);
  for (const auto& make_transport : transports)
    if (auto way = make_transport(made->reactor_))
      made->transports_.push_back(std::move(way));
  return made;
}

reactor_shard::reactor_shard(caf::actor_system& system) : shard(system) {}

reactor_shard::~reactor_shard() { halt(); }

network_ptr reactor_shard::watch_links(path_monitor_options options,
                                       path_monitor::observer changed) {
  monitor_ = std::make_unique<path_monitor>(reactor_, std::move(options), std::move(changed));
  // A host that does not tell (a strict sandbox, say) has no links that anyone could ask for; all
  // else works.
  static_cast<void>(monitor_->start());
  return monitor_->current();
}

void reactor_shard::start() {
  thread_ = std::thread([this] { loop(); });
}

void reactor_shard::halt() {
  stop_ = true;
  reactor_.wake();
  if (thread_.joinable())
    thread_.join();
  drop_queued();
}

void reactor_shard::loop() {
  enter_thread();
  reactor_.buffers().bind_to_this_thread();
  bool more = false;
  while (!stop_) {
    reactor_.poll(!more);
    more = run_turns();
    if (reactor_.run_deferred())
      more = run_turns();
  }
  leave_thread();
}

bool reactor_shard::run_turns() {
  for (int turns = 0; turns < turns_per_poll; ++turns)
    if (!run_turn())
      return false;
  return true;
}

}  // namespace taps
