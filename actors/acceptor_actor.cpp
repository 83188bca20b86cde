#include "taps/actors/acceptor_actor.hpp"

#include "taps/actors/connection_actor.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace taps {

acceptor_actor::acceptor_actor(caf::actor_config& cfg, shard_ptr home,
                               std::shared_ptr<const listening> state,
                               std::vector<listening_place> places, bool shared)
    : pinned(cfg, std::move(home)), state_(std::move(state)), places_(std::move(places)),
      shared_(shared) {}

acceptor_actor::~acceptor_actor() = default;

caf::behavior acceptor_actor::make_behavior() {
  home().adopt(caf::strong_actor_ptr{ctrl()}, *this);
  const auto outcome = bind();
  send(caf::actor_cast<listener_interface>(state_->handle),
       acceptor_news{outcome ? error{} : outcome.failure()});
  return {[](caf::unit_t) {}};
}

void acceptor_actor::on_exit() {
  acceptors_.clear();
  home().release(ctrl());
}

result<void> acceptor_actor::bind() {
  for (const auto& place : places_) {
    auto& way = home().transport_of(home().stacks()[place.stack]);
    auto bound = way.listen({place.address, place.interface, state_->config->properties, shared_},
                            static_cast<acceptor_sink&>(*this));
    if (!bound)
      return bound.failure();
    acceptors_.push_back(std::move(*bound));
  }
  return {};
}

bool acceptor_actor::accepts(const socket_address& from) const {
  const auto& filter = state_->config->remotes;
  return filter.empty() || std::any_of(filter.begin(), filter.end(), [&](const auto& x) {
           return (!x.address() || *x.address() == from.address) &&
                  (!x.port() || *x.port() == from.port);
         });
}

void acceptor_actor::on_accepted(std::unique_ptr<protocol> instance) {
  if (state_->stopped || !accepts(instance->remote()))
    return;
  connection_origin origin;
  origin.owner = state_->owner;
  origin.events = state_->events;
  origin.accepted_by = state_;
  // Lazy: its first messages are commands of its owner, and until then it needs no turn.
  auto handle = system().spawn<connection_actor, caf::lazy_init>(home_ptr(), std::move(origin));
  static_cast<connection_actor*>(caf::actor_cast<caf::abstract_actor*>(handle))
      ->accept(std::move(instance));
}

void acceptor_actor::on_soft_error(error) {
  // Accepting goes on by itself, and a Listener has no event for it (RFC 9622, section 7.2).
}

void acceptor_actor::on_shutdown(bool) {
  // The Listener ends its acceptors.
}

}  // namespace taps
