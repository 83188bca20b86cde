#include "taps/actors/local_gathering.hpp"

#include "taps/actors/rendezvous_supervisor.hpp"

#include <algorithm>

namespace taps {

/// A base, and what is asked about it.
struct local_gathering::end final : meeting_sink {
  explicit end(local_gathering& to) noexcept : owner(to) {}

  void on_check(const socket_address& from, std::span<const std::byte> data) override {
    if (!query)
      return;
    send(query->on_datagram(owner.home_.now(), from, data));
    owner.advance();
  }
  // Who comes too early tries again.
  void on_called(std::unique_ptr<protocol>) override {}

  void send(const std::vector<std::byte>& request) {
    if (!request.empty())
      place->send_check(query->server(), request);
  }
  [[nodiscard]] bool waits() const { return query && !query->done(); }

  local_gathering& owner;
  meeting_base base;
  std::unique_ptr<meeting> place;
  std::optional<reflexive_query> query;
};

local_gathering::local_gathering(shard& home, config_ptr config, std::function<void()> done)
    : home_(home), config_(std::move(config)), tell_(std::move(done)), links_(home.links()),
      timer_([](void* self) { static_cast<local_gathering*>(self)->on_timer(); }, this),
      found_(config_->locals) {}

local_gathering::~local_gathering() = default;

void local_gathering::start(std::map<std::string, std::vector<ip_address>> names) {
  const rendezvous_request request{config_->locals,
                                   config_->remotes,
                                   *config_->properties,
                                   config_->security.mode(),
                                   config_->framing_preserves_boundaries(),
                                   *links_,
                                   config_->policy.get(),
                                   std::move(names)};
  const auto groups = std::ranges::any_of(
      config_->locals, [](const local_endpoint& x) { return x.multicast_group().has_value(); });
  const auto selected = config_->locals.empty() || groups
                            ? result<selection>{error{}}
                            : rank_for_rendezvous(request, home_.stacks());
  if (selected) {
    const auto& stack = *selected->ranked.front().stack;
    auto bases = find_bases(request, stack, home_.names());
    auto opened = bases ? open(stack, std::move(*bases)) : result<void>{bases.failure()};
    if (!opened)
      found_ = opened.failure();
  }
  advance();
}

result<void> local_gathering::open(const protocol_stack& stack, std::vector<meeting_base> bases) {
  auto known = std::make_shared<known_bases>();
  known->stack = stack.name;
  error why;
  for (auto& x : bases)
    if (auto opened = open_end(stack, std::move(x)); opened)
      known->bases.push_back(ends_.back()->base);
    else
      why = opened.failure();
  if (ends_.empty())
    return why;
  known_ = std::move(known);
  return {};
}

result<void> local_gathering::open_end(const protocol_stack& stack, meeting_base base) {
  const auto& server = config_->locals[base.local_index].stun();
  const auto asks = server && stack.unit == data_unit::datagram &&
                    server->address.family() == base.address.address.family();
  auto made = std::make_unique<end>(*this);
  made->base = std::move(base);
  auto& where = made->base.address;
  if (where.port == 0 || asks) {
    auto place = home_.transport_of(stack).meet(
        {where, made->base.interface, config_->properties, {}}, *made);
    if (place) {
      made->place = std::move(*place);
      where = made->place->local();
    } else if (where.port == 0 && place.failure().reason() != errc::not_supported) {
      return place.failure();
    }
  }
  if (asks && made->place) {
    made->query.emplace(socket_address{server->address, server->port}, server->user,
                        server->password, unguessable_numbers());
    made->send(made->query->on_start(home_.now()));
  }
  ends_.push_back(std::move(made));
  return {};
}

// -- asking -----------------------------------------------------------------------

void local_gathering::on_timer() {
  for (auto& x : ends_)
    if (x->waits())
      x->send(x->query->on_timer(home_.now()));
  advance();
  if (std::ranges::any_of(ends_, [](const auto& x) { return x->waits(); }))
    return;
  if (found_ && known_)
    found_ = list();
  // The ports are free before anybody hears of them.
  ends_.clear();
  done_ = true;
  timer_.cancel();
  tell_();
}

/// Has `on_timer` called when something is due, and when all is known: from inside the calls of an
/// end nothing could end.
void local_gathering::advance() {
  deadline next;
  for (const auto& x : ends_)
    if (x->waits())
      next = sooner(next, x->query->next_deadline());
  home_.timers().schedule(timer_, next ? next : home_.now());
}

std::vector<local_endpoint> local_gathering::list() const {
  std::vector<local_endpoint> result;
  const auto add = [&](const end& x, const socket_address& where) {
    auto made = config_->locals[x.base.local_index];
    made.with_ip_address(where.address);
    if (where.port != 0)
      made.with_port(where.port);
    if (std::ranges::find(result, made) == result.end())
      result.push_back(std::move(made));
  };
  for (const auto& x : ends_)
    add(*x, x->base.address);
  for (const auto& x : ends_)
    if (x->query && x->query->outcome() && !same_place(*x->query->outcome(), x->base.address))
      add(*x, *x->query->outcome());
  return result;
}

}  // namespace taps
