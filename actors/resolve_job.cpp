#include "taps/actors/resolve_job.hpp"

#include "taps/core/candidate/gather.hpp"

#include <utility>

namespace taps {

resolve_job::resolve_job(promise answer, shard& home, config_ptr config)
    : answer_(std::move(answer)), home_(home), config_(std::move(config)),
      locals_(home, config_, [this] { wake_(); }) {}

void resolve_job::start(std::function<void()> wake) {
  wake_ = std::move(wake);
  for (const auto& x : config_->remotes)
    add(x);
  for (const auto& x : config_->locals)
    if (needs_resolution(x))
      ask(*x.hostname(),
          [this, name = *x.hostname()](const ip_address& found) { names_[name].push_back(found); });
  if (pending_ == 0)
    locals_.start({});
}

void resolve_job::add(const remote_endpoint& x) {
  if (auto fine = x.check(); !fine) {
    failure_ = fine.failure();
    return;
  }
  auto where = x;
  if (!x.port() && x.service()) {
    auto port = home_.names().port_of(*x.service(), "");
    if (!port) {
      failure_ = port.failure();
      return;
    }
    where.with_port(*port);
  }
  if (needs_resolution(x))
    ask(*x.hostname(), [this, where](const ip_address& found) {
      remotes_.push_back(remote_endpoint{where}.with_ip_address(found));
    });
  else
    remotes_.push_back(where);
}

void resolve_job::ask(const std::string& name, taker take) {
  for (auto family : {ip_family::v6, ip_family::v4}) {
    ++pending_;
    queries_.push_back(
        home_.names().resolve(name, family, [this, take](const result<resolved_addresses>& answer) {
          if (!answer)
            failure_ = answer.failure();
          else
            for (const auto& entry : answer->entries)
              take(entry.address);
          if (--pending_ == 0)
            locals_.start(std::move(names_));
        }));
  }
}

void resolve_job::finish() {
  if (remotes_.empty() && failure_)
    answer_.deliver(to_caf_error(failure_));
  else if (!locals_.found())
    answer_.deliver(to_caf_error(locals_.found().failure()));
  else
    answer_.deliver(resolved_endpoints{*locals_.found(), std::move(remotes_)});
}

}  // namespace taps
