#include "taps/actors/candidate_actor.hpp"

#include "taps/core/racing/duration_text.hpp"

namespace taps {

candidate_actor::candidate_actor(caf::actor_config& cfg, shard_ptr home, candidate what,
                                 config_ptr config, std::shared_ptr<const early_message> early,
                                 recipient supervisor)
    : pinned(cfg, std::move(home)), what_(std::move(what)), config_(std::move(config)),
      early_(std::move(early)), supervisor_(std::move(supervisor)),
      timer_([](void* self) { static_cast<candidate_actor*>(self)->on_timer(); }, this) {}

candidate_actor::~candidate_actor() = default;

caf::behavior candidate_actor::make_behavior() {
  // Everything comes from the protocol, but for an exit message.
  return {[](caf::unit_t) {}};
}

void candidate_actor::begin() {
  enter([this] {
    home().adopt(caf::strong_actor_ptr{ctrl()}, *this);
    connect();
  });
}

void candidate_actor::connect() {
  connect_request request{what_.remote,   what_.local,         what_.path.interface,
                          what_.hostname, config_->properties, what_.hop_limit};
  auto shell = std::make_unique<channel>(config_->framers, what_.stack->unit, home().memory());
  auto& stack = *shell;
  if (early_ && what_.stack->features.get(feature::zero_rtt_msg) != support::never)
    request.early = stack.offer_early(*early_);
  handshake_ = std::make_unique<handshake>(std::move(shell), static_cast<handshake_sink&>(*this));
  auto instance = home().transport_of(*what_.stack).connect(request, stack.as_protocol_sink());
  if (!instance) {
    finish(nullptr, instance.failure());
    return;
  }
  stack.attach(std::move(*instance));
  if (config_->racing.mode == racing_mode::failover)
    limit(clamped(config_->racing).attempt_limit);
}

void candidate_actor::limit(duration limit) {
  limit_ = limit;
  home().timers().schedule(timer_, home().now() + limit);
}

void candidate_actor::on_handshake_begun() {
  limit(handshake::limit);
  if (!config_->framers.empty())
    supervisor_.tell(candidate_news{what_.id, attempt_stage::framing, nullptr, {}});
}

void candidate_actor::on_timer() {
  enter([this] {
    if (!handshake_ || handshake_->done())
      return;
    const auto* what = handshake_->get().connected() ? "the Message Framers were not ready within "
                                                     : "not connected within ";
    finish(nullptr, {errc::establishment_failed, what + duration_text(limit_)});
  });
}

void candidate_actor::on_service() {
  enter([this] {
    if (!handshake_ || !handshake_->done())
      return;
    if (auto outcome = handshake_->take())
      finish(std::make_shared<std::unique_ptr<channel>>(std::move(*outcome)), {});
    else
      finish(nullptr, outcome.failure());
  });
}

void candidate_actor::on_links_changed(const network& before, const network& after) {
  const auto& name = what_.path.interface;
  const auto up = [&name](const network& x) {
    const auto* found = x.find(name);
    return found && found->up;
  };
  if (name.empty() || !up(before) || up(after))
    return;
  enter([&] {
    // No answer can come any more, and the kernel would wait for one for minutes.
    if (handshake_ && !handshake_->done() && !handshake_->get().connected())
      finish(nullptr, {errc::establishment_failed,
                       "interface " + name + (after.find(name) ? " went down" : " is gone")});
  });
}

void candidate_actor::finish(std::shared_ptr<std::unique_ptr<channel>> ready, error failure) {
  // A failed channel goes first: the attempt that takes its turn may want the same port.
  handshake_.reset();
  supervisor_.tell(
      candidate_news{what_.id, attempt_stage::ready, std::move(ready), std::move(failure)});
  quit();
}

void candidate_actor::on_shutdown(bool at_once) {
  if (at_once)
    enter([this] { quit(caf::exit_reason::user_shutdown); });
}

void candidate_actor::on_exit() {
  timer_.cancel();
  home().cancel_service(*this);
  handshake_.reset();
  supervisor_ = {};
  home().release(ctrl());
}

}  // namespace taps
