#include "taps/actors/acceptor_actor.hpp"

#include "taps/actors/connection_actor.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <cerrno>

namespace taps {

namespace {

/// How often a port that the kernel chose for one place may be taken at another.
constexpr int port_tries = 16;

/// Whether the host lacks means, not the place itself: half a Listener would go unnoticed.
bool is_shortage(int code) noexcept {
  return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM || code == ENOSPC;
}

}  // namespace

acceptor_actor::acceptor_actor(caf::actor_config& cfg, shard_ptr home,
                               std::shared_ptr<const listening> state,
                               std::vector<listening_place> places, port_sharing sharing)
    : pinned(cfg, std::move(home)), state_(std::move(state)), places_(std::move(places)),
      sharing_(sharing) {}

acceptor_actor::~acceptor_actor() = default;

caf::behavior acceptor_actor::make_behavior() {
  begin();
  return {[](caf::unit_t) {}};
}

void acceptor_actor::begin() {
  enter([this] {
    if (home().find_resident(ctrl()))
      return;
    home().adopt(caf::strong_actor_ptr{ctrl()}, *this);
    const auto outcome = bind();
    caf::anon_send(caf::actor_cast<listener_interface>(state_->handle),
                   acceptor_news{outcome ? error{} : outcome.failure(), places_});
  });
}

void acceptor_actor::on_exit() {
  acceptors_.clear();
  places_.clear();
  home().release(ctrl());
}

result<std::unique_ptr<acceptor>> acceptor_actor::open(const listening_place& place) {
  return home()
      .transport_of(home().stacks()[place.stack])
      .listen({place.address, place.interface, state_->config->properties, sharing_, place.shared},
              static_cast<acceptor_sink&>(*this));
}

result<void> acceptor_actor::bind() {
  error last;
  for (int i = 0; i < port_tries; ++i) {
    auto opened = open_all();
    if (opened) {
      places_ = std::move(*opened);
      return {};
    }
    last = opened.failure();
    acceptors_.clear();
    const auto chosen = std::any_of(places_.begin(), places_.end(),
                                    [](const auto& x) { return x.address.port == 0; });
    if (!chosen || last.os_code() != EADDRINUSE)
      break;
  }
  return last;
}

/// Opens the places there are. One port, which the kernel chooses for the first, is for all those
/// without.
result<std::vector<listening_place>> acceptor_actor::open_all() {
  std::vector<listening_place> result;
  std::uint16_t chosen = 0;
  error last;
  for (auto place : places_) {
    const auto ephemeral = place.address.port == 0;
    if (ephemeral)
      place.address.port = chosen;
    auto opened = open(place);
    if (!opened) {
      last = opened.failure();
      // A family that the host lacks is no obstacle; a port in use is (RFC 9623, section 4.7).
      if (last.os_code() == EADDRINUSE || is_shortage(last.os_code()) ||
          sharing_ == port_sharing::further)
        return last;
      continue;
    }
    place.address.port = (*opened)->local().port;
    place.shared = (*opened)->shared();
    if (ephemeral)
      chosen = place.address.port;
    acceptors_.push_back(std::move(*opened));
    result.push_back(place);
  }
  if (result.empty())
    return last;
  return result;
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
  spawn_here<connection_actor>(home_ptr(), std::move(origin)).second->accept(std::move(instance));
}

void acceptor_actor::on_soft_error(error) {
  // Accepting goes on by itself, and a Listener has no event for it (RFC 9622, section 7.2).
}

void acceptor_actor::on_shutdown(bool) {
  // The Listener ends its acceptors.
}

}  // namespace taps
