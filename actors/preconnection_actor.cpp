#include "taps/actors/preconnection_actor.hpp"

#include "taps/actors/connection_actor.hpp"
#include "taps/actors/listener_actor.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace taps {

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
        const auto before = config_->locals;
        edit.apply(*config_);
        if (config_->locals != before)
          config_->known.reset();
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
        handed_out_ = true;
        auto& job = *jobs_.emplace_back(std::make_unique<resolve_job>(answer, home(), config_));
        job.start([this] { enter([this] { finish_jobs(); }); });
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

void preconnection_actor::finish_jobs() {
  for (auto& x : jobs_) {
    if (!x->done())
      continue;
    // As long as the Local Endpoints are those that were resolved.
    if (x->known() && x->config().locals == config_->locals) {
      if (std::exchange(handed_out_, false))
        config_ = std::make_shared<preconnection_config>(*config_);
      config_->known = x->known();
    }
    x->finish();
  }
  // Whoever called is still running: it goes at the end of the turn.
  home().post([finished = take_finished(), keep = caf::strong_actor_ptr{ctrl()}] {});
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
