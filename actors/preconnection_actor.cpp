#include "taps/actors/preconnection_actor.hpp"

#include "taps/actors/connection_actor.hpp"
#include "taps/actors/listener_actor.hpp"
#include "taps/core/candidate/gather.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace taps {

// -- resolve_job --------------------------------------------------------------------------

/// One running Resolve.
class preconnection_actor::resolve_job {
public:
  using promise = caf::typed_response_promise<resolved_endpoints>;

  resolve_job(promise answer, resolver& names, const preconnection_config& config)
      : answer_(std::move(answer)) {
    found_.locals = config.locals;
    for (const auto& x : config.remotes)
      add(x, names);
  }

  [[nodiscard]] bool done() const noexcept { return pending_ == 0; }

  /// Calls `wake` when the last name is resolved.
  void start(std::function<void()> wake) {
    wake_ = std::move(wake);
    if (done())
      wake_();
  }

  void give_up(const error& why) { answer_.deliver(to_caf_error(why)); }

  void finish() {
    if (found_.remotes.empty() && failure_)
      answer_.deliver(to_caf_error(failure_));
    else
      answer_.deliver(std::move(found_));
  }

private:
  void add(const remote_endpoint& x, resolver& names) {
    if (auto fine = x.check(); !fine) {
      failure_ = fine.failure();
      return;
    }
    auto where = x;
    if (!x.port() && x.service()) {
      auto port = names.port_of(*x.service(), "");
      if (!port) {
        failure_ = port.failure();
        return;
      }
      where.with_port(*port);
    }
    if (!needs_resolution(x)) {
      found_.remotes.push_back(where);
      return;
    }
    for (auto family : {ip_family::v6, ip_family::v4}) {
      ++pending_;
      queries_.push_back(names.resolve(
          *x.hostname(), family, [this, where](auto answer) { take(where, std::move(answer)); }));
    }
  }

  void take(const remote_endpoint& where, result<resolved_addresses> answer) {
    if (!answer)
      failure_ = answer.failure();
    else
      for (const auto& entry : answer->entries)
        found_.remotes.push_back(remote_endpoint{where}.with_ip_address(entry.address));
    if (--pending_ == 0 && wake_)
      wake_();
  }

  promise answer_;
  resolved_endpoints found_;
  error failure_;
  int pending_ = 0;
  std::vector<std::unique_ptr<resolver_query>> queries_;
  std::function<void()> wake_;
};

// -- preconnection_actor ------------------------------------------------------------------------

preconnection_actor::preconnection_actor(caf::actor_config& cfg, shard_ptr home,
                                         preconnection_config initial)
    : pinned(cfg, std::move(home)),
      config_(std::make_shared<preconnection_config>(std::move(initial))) {}

preconnection_actor::~preconnection_actor() = default;

preconnection_actor::behavior_type preconnection_actor::make_behavior() {
  return {
      [this](const preconnection_edit& edit) {
        if (std::exchange(handed_out_, false))
          config_ = std::make_shared<preconnection_config>(*config_);
        edit.apply(*config_);
      },
      [this](const preconnection_order& order) {
        if (order.listens)
          caf::anon_send(caf::actor_cast<listener_interface>(order.child), equip_order{hand_out()});
        else
          caf::anon_send(caf::actor_cast<connection_interface>(order.child),
                         equip_order{hand_out()});
      },
      [this](const resolve_command&) -> caf::result<resolved_endpoints> {
        auto answer = make_response_promise<resolved_endpoints>();
        auto& job =
            *jobs_.emplace_back(std::make_unique<resolve_job>(answer, home().names(), *config_));
        job.start([this] {
          enter([this] {
            for (auto& x : jobs_)
              if (x->done())
                x->finish();
            // The query that called is still running: it goes at the end of the turn.
            home().post([finished = take_finished(), keep = caf::strong_actor_ptr{ctrl()}] {});
          });
        });
        return caf::delegated<resolved_endpoints>{};
      },
  };
}

preconnection_actor* preconnection_actor::local(const preconnection_interface& handle) noexcept {
  auto* self = static_cast<preconnection_actor*>(caf::actor_cast<caf::abstract_actor*>(handle));
  return self->home().is_current() && self->idle() ? self : nullptr;
}

config_ptr preconnection_actor::hand_out() noexcept {
  handed_out_ = true;
  return config_;
}

void preconnection_actor::on_exit() {
  for (auto& x : jobs_)
    x->give_up({errc::connection_closed, "the transport services were shut down"});
  jobs_.clear();
}

std::shared_ptr<void> preconnection_actor::take_finished() {
  auto finished = std::make_shared<std::vector<std::unique_ptr<resolve_job>>>();
  for (auto& x : jobs_)
    if (x->done())
      finished->push_back(std::move(x));
  std::erase(jobs_, nullptr);
  return finished;
}

}  // namespace taps
