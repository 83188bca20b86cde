#include "taps/tests/support/simulation/simulated_network.hpp"

#include "taps/tests/support/simulation/simulated_loop.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace taps::testing {

socket_address address_of(std::string_view text) {
  socket_address made;
  const auto colon = text.rfind(':');
  auto host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[')
    host = host.substr(1, host.size() - 2);
  made.address = ip_address::parse(host).value();
  const auto port = text.substr(colon + 1);
  std::from_chars(port.data(), port.data() + port.size(), made.port);
  return made;
}

std::string_view to_string(attempt_outcome what) noexcept {
  constexpr std::string_view names[] = {"pending", "ready", "refused", "unreachable", "cancelled"};
  return names[static_cast<std::size_t>(what)];
}

// -- a listening socket -----------------------------------------------------------------------

class simulated_network::listening_socket final : public acceptor {
public:
  listening_socket(simulated_network& network, simulated_shard& where, std::string protocol,
                   socket_address address, port_sharing how, acceptor_sink& to)
      : network_(network), home(where), name(std::move(protocol)), local_(address), sharing(how),
        sink(to) {
    network_.listeners_.push_back(this);
  }

  ~listening_socket() override {
    *alive = false;
    std::erase(network_.listeners_, this);
  }

  [[nodiscard]] socket_address local() const override { return local_; }

  [[nodiscard]] bool covers(const transport_descriptor& what, const socket_address& x) const {
    return name == what.name && local_.port == x.port &&
           (local_.address == x.address ||
            (local_.address.is_any() && local_.address.family() == x.address.family()));
  }

private:
  simulated_network& network_;

public:
  simulated_shard& home;
  std::string name;

private:
  socket_address local_;

public:
  port_sharing sharing;
  acceptor_sink& sink;
  /// For connections on their way to the sink.
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

// -- script ---------------------------------------------------------------------------------------

void simulated_network::accept(const simulated_place& where, std::optional<duration> after) {
  scripts_.insert_or_assign(where, script{reaction::accept, after});
}

void simulated_network::refuse(const simulated_place& where, std::optional<duration> after) {
  scripts_.insert_or_assign(where, script{reaction::refuse, after});
}

void simulated_network::black_hole(const simulated_place& where) {
  scripts_.insert_or_assign(where, script{reaction::black_hole, {}});
}

void simulated_network::unreachable(const simulated_place& where) {
  scripts_.insert_or_assign(where, script{reaction::unreachable, {}});
}

simulated_network::script simulated_network::script_for(const transport_descriptor& what,
                                                        const socket_address& remote) {
  if (is_cut(remote))
    return {reaction::black_hole, {}};
  auto plain = remote;
  plain.scope = 0;
  auto any_port = plain;
  any_port.port = 0;
  for (const auto& x : {plain, any_port})
    if (auto i = scripts_.find(x); i != scripts_.end())
      return i->second;
  return {find_listener(what, remote) ? reaction::accept : reaction::refuse, {}};
}

// -- connecting -----------------------------------------------------------------------------------

result<std::unique_ptr<protocol>>
simulated_network::connect(simulated_shard& home, descriptor_ptr what, socket_address local,
                           const socket_address& remote, protocol_sink& sink) {
  if (local.port == 0)
    local.port = next_port();
  const auto now = home.loop().elapsed();
  const auto record = attempts_.size();
  attempts_.push_back({std::string{what->name}, local, remote, now, {}, attempt_outcome::pending});
  const auto plan = script_for(*what, remote);
  if (plan.what == reaction::unreachable) {
    finish_attempt(record, now, attempt_outcome::unreachable);
    return os_error(errc::establishment_failed, "connect to " + to_string(remote), ENETUNREACH);
  }
  auto client = std::make_shared<wire_end>(*this, home, std::move(what), local, remote, &sink);
  start(client, plan, record);
  return std::unique_ptr<protocol>{std::make_unique<simulated_connection>(std::move(client))};
}

void simulated_network::start(const std::shared_ptr<wire_end>& client, script plan,
                              std::size_t record) {
  auto& home = client->home();
  const auto round_trip = 2 * options_.latency;
  const auto connectionless = client->descriptor().connectionless;
  event_id pending = 0;
  const auto later = [&](duration delay, auto f) {
    pending = home.after(delay, [weak = std::weak_ptr{client}, f] {
      if (auto self = weak.lock(); self && !self->done())
        f(self);
    });
  };
  if (connectionless) {
    // No packet is involved, so nothing can go wrong yet.
    client->open();
    later({}, [this, record](const auto& self) {
      finish_attempt(record, self->home().loop().elapsed(), attempt_outcome::ready);
      self->tell_ready();
    });
  } else if (plan.what == reaction::accept) {
    const auto trips = std::max(1u, client->descriptor().round_trips);
    later(plan.after.value_or(trips * round_trip), [this, record](const auto& self) {
      finish_attempt(record, self->home().loop().elapsed(), attempt_outcome::ready);
      make_server(self);
      self->tell_ready();
    });
  } else if (plan.what == reaction::refuse) {
    later(plan.after.value_or(round_trip), [this, record](const auto& self) {
      finish_attempt(record, self->home().loop().elapsed(), attempt_outcome::refused);
      self->fail(os_error(errc::establishment_failed, "connect to " + to_string(self->remote()),
                          ECONNREFUSED));
    });
  }
  client->on_cancel([this, record, pending, where = &home] {
    where->cancel(pending);
    finish_attempt(record, where->loop().elapsed(), attempt_outcome::cancelled);
  });
}

std::shared_ptr<wire_end> simulated_network::make_server(const std::shared_ptr<wire_end>& client) {
  auto* listener = find_listener(client->descriptor(), client->remote());
  auto& home = listener ? listener->home : client->home();
  auto server = std::make_shared<wire_end>(*this, home, client->shared_descriptor(),
                                           client->remote(), client->local(), nullptr);
  wire_end::link(client, server);
  auto instance = std::make_unique<simulated_connection>(server);
  if (!listener) {
    peers_.push_back(std::make_unique<simulated_peer>(std::move(instance), client->descriptor()));
    auto* peer = peers_.back().get();
    if (on_peer_)
      on_peer_(*peer);
    home.after({}, [peer] { peer->start(); });
    return server;
  }
  auto shared = std::make_shared<std::unique_ptr<protocol>>(std::move(instance));
  home.after({}, [shared, sink = &listener->sink, alive = listener->alive] {
    if (*alive)
      sink->on_accepted(std::move(*shared));
    else
      shared->reset();
  });
  return server;
}

std::shared_ptr<wire_end> simulated_network::reach(const std::shared_ptr<wire_end>& from) {
  const auto plan = script_for(from->descriptor(), from->remote());
  switch (plan.what) {
  case reaction::accept:
    return make_server(from);
  case reaction::black_hole:
    return nullptr;
  default:
    from->home().after(plan.after.value_or(options_.latency), [from] {
      from->tell_soft_error(
          os_error(errc::protocol_failed, "send to " + to_string(from->remote()), ECONNREFUSED));
    });
    return nullptr;
  }
}

void simulated_network::finish_attempt(std::size_t record, duration now, attempt_outcome outcome) {
  auto& x = attempts_[record];
  if (x.ended)
    return;
  x.ended = now;
  x.outcome = outcome;
}

std::uint16_t simulated_network::next_port() noexcept {
  port_ = port_ == 65535 ? 49152 : static_cast<std::uint16_t>(port_ + 1);
  return port_;
}

// -- listening ------------------------------------------------------------------------------------

bool simulated_network::is_taken(const transport_descriptor& what, const socket_address& where,
                                 port_sharing sharing) const {
  return std::any_of(listeners_.begin(), listeners_.end(), [&](const auto* x) {
    return !(sharing == port_sharing::further && x->sharing != port_sharing::none) &&
           (x->covers(what, where) ||
            (where.address.is_any() && x->name == what.name && x->local().port == where.port &&
             x->local().address.family() == where.address.family()));
  });
}

simulated_network::listening_socket*
simulated_network::find_listener(const transport_descriptor& what, const socket_address& where) {
  std::vector<listening_socket*> found;
  for (auto* x : listeners_)
    if (x->covers(what, where))
      found.push_back(x);
  // Those of other shards take turns, as the kernel spreads them.
  return found.empty() ? nullptr : found[turns_++ % found.size()];
}

result<std::unique_ptr<acceptor>> simulated_network::listen(simulated_shard& home,
                                                            descriptor_ptr what,
                                                            const listen_request& request,
                                                            acceptor_sink& sink) {
  auto where = request.local;
  while (where.port == 0 || (request.local.port == 0 && is_taken(*what, where, request.sharing)))
    where.port = next_port();
  if (is_taken(*what, where, request.sharing))
    return os_error(errc::establishment_failed, "listen on " + to_string(where), EADDRINUSE);
  return std::unique_ptr<acceptor>{std::make_unique<listening_socket>(
      *this, home, std::string{what->name}, where, request.sharing, sink)};
}

// -- wires ----------------------------------------------------------------------------------------

duration simulated_network::travel_time() {
  const auto most = static_cast<std::uint64_t>(options_.jitter.count());
  return options_.latency + duration{most == 0 ? 0 : random_.below(most + 1)};
}

bool simulated_network::loses() {
  return options_.lost_per_mille > 0 && random_.below(1000) < options_.lost_per_mille;
}

}  // namespace taps::testing
