#include "taps/actors/acceptor_actor.hpp"

#include "taps/actors/connection_actor.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <cerrno>
#include <iterator>

namespace taps {

namespace {

/// How often a port that the kernel chose for one place may be taken at another.
constexpr int port_tries = 16;

}  // namespace

acceptor_actor::acceptor_actor(caf::actor_config& cfg, shard_ptr home,
                               std::shared_ptr<const listening> state, port_sharing sharing)
    : pinned(cfg, std::move(home)), state_(std::move(state)), sharing_(sharing) {}

acceptor_actor::~acceptor_actor() = default;

caf::behavior acceptor_actor::make_behavior() {
  return {[this](const place_order& order) { follow(order); }};
}

void acceptor_actor::follow(const place_order& order) {
  enter([&] {
    if (!home().find_resident(ctrl()))
      home().adopt(caf::strong_actor_ptr{ctrl()}, *this);
    caf::anon_send(caf::actor_cast<listener_interface>(state_->handle), carry_out(order));
  });
}

void acceptor_actor::on_exit() {
  open_.clear();
  home().release(ctrl());
}

// -- places -----------------------------------------------------------------------------

acceptor_news acceptor_actor::carry_out(const place_order& order) {
  keep_only(order.places);
  std::vector<listening_place> missing;
  for (const auto& x : order.places) {
    const auto is_open = [&](const open_place& y) { return same_place(x, y.where); };
    // Every socket of a group hears all of it, so one is enough.
    if (std::ranges::none_of(open_, is_open) && !(x.group && sharing_ == port_sharing::further))
      missing.push_back(x);
  }
  acceptor_news news;
  if (order.first)
    if (const auto bound = bind(missing); !bound)
      news.failure = bound.failure();
  // Later on, each for itself.
  for (std::size_t i = 0; i < missing.size() && !order.first; ++i)
    if (const auto opened = open({&missing[i], 1}); !opened && is_shortage(opened.failure()))
      news.short_of_means = true;
  for (const auto& x : open_)
    news.places.push_back(x.where);
  news.port = chosen_;
  return news;
}

void acceptor_actor::keep_only(const std::vector<listening_place>& places) {
  std::erase_if(open_, [&](open_place& x) {
    const auto same =
        std::ranges::find_if(places, [&](const auto& y) { return same_place(x.where, y); });
    if (same == places.end())
      return true;
    if (same->group && same->group != x.where.group)
      x.socket->join(same->group->interfaces);
    x.where.group = same->group;
    return false;
  });
}

result<void> acceptor_actor::bind(const std::vector<listening_place>& places) {
  const auto chosen =
      std::ranges::any_of(places, [](const auto& x) { return x.address.port == 0; });
  for (int i = 1;; ++i) {
    auto outcome = open(places);
    if (outcome || !chosen || i == port_tries || outcome.failure().os_code() != EADDRINUSE)
      return outcome;
  }
}

/// Opens all places that the host has the families for, or none. One port, which the kernel chooses
/// for the first, is for all those without.
result<void> acceptor_actor::open(std::span<const listening_place> places) {
  std::vector<open_place> opened;
  std::uint16_t chosen = chosen_;
  error last;
  for (auto place : places) {
    const auto ephemeral = place.address.port == 0;
    if (ephemeral)
      place.address.port = chosen;
    auto socket = open_one(place);
    if (!socket) {
      last = socket.failure();
      // A family that the host lacks is no obstacle; a port in use is (RFC 9623, section 4.7), and
      // so is a lack of means: half a Listener would go unnoticed.
      if (last.os_code() == EADDRINUSE || is_shortage(last) || sharing_ == port_sharing::further)
        return last;
      continue;
    }
    place.address.port = (*socket)->local().port;
    place.shared = (*socket)->shared();
    if (ephemeral)
      chosen = place.address.port;
    opened.push_back({std::move(place), std::move(*socket)});
  }
  if (opened.empty() && last)
    return last;
  chosen_ = chosen;
  std::ranges::move(opened, std::back_inserter(open_));
  return {};
}

result<std::unique_ptr<acceptor>> acceptor_actor::open_one(const listening_place& place) {
  return home()
      .transport_of(home().stacks()[place.stack])
      .listen({place.address, place.by.interface, state_->config->properties, sharing_,
               place.shared, place.group},
              static_cast<acceptor_sink&>(*this));
}

// -- accepting --------------------------------------------------------------------------

bool acceptor_actor::accepts(const socket_address& from) const {
  const auto& remotes = state_->config->remotes;
  // A group says what to hear, not from whom.
  const auto is_filter = [](const remote_endpoint& x) { return !x.multicast_group(); };
  return std::ranges::none_of(remotes, is_filter) ||
         std::ranges::any_of(remotes, [&](const remote_endpoint& x) {
           return is_filter(x) && (!x.address() || *x.address() == from.address) &&
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
