#include "taps/actors/listener_actor.hpp"

#include "taps/actors/acceptor_actor.hpp"
#include "taps/core/establishment/listening.hpp"
#include "taps/core/establishment/multicast.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace taps {

namespace {

/// How long to wait for descriptors or memory.
constexpr auto pause_after_shortage = std::chrono::seconds{1};

}  // namespace

listener_actor::listener_actor(caf::actor_config& cfg, shard_ptr home,
                               std::vector<shard_ptr> shards, caf::actor owner, event_set events)
    : pinned(cfg, std::move(home)), shards_(std::move(shards)),
      state_(std::make_shared<listening>()),
      timer_([](void* self) { static_cast<listener_actor*>(self)->on_timer(); }, this) {
  state_->owner = std::move(owner);
  state_->events = events;
}

listener_actor::~listener_actor() = default;

listener listener_actor::handle() {
  return caf::actor_cast<listener>(caf::strong_actor_ptr{ctrl()});
}

// -- actor ----------------------------------------------------------------------------------------

listener_actor::behavior_type listener_actor::make_behavior() {
  begin();
  set_exit_handler([this](const caf::exit_msg& x) {
    // As with any actor of CAF's, a link passes on failures, not normal ends.
    if (x.reason)
      quit(x.reason);
  });
  set_down_handler([this](const caf::down_msg& x) { acceptor_down(x); });
  return {
      [this](const stop_command&) { stop(); },
      [this](const new_connection_limit_command& x) { state_->gate.set_limit(x.limit); },
      [this](const get_properties_command&) -> caf::result<property_list> {
        if (listening_)
          return list_properties();
        waiting_.push_back(make_response_promise<property_list>());
        return caf::delegated<property_list>{};
      },
      [this](const equip_order& order) { equip(order); },
      [this](const acceptor_news& news) { take_news(news); },
  };
}

void listener_actor::begin() {
  if (state_->handle)
    return;
  home().adopt(caf::strong_actor_ptr{ctrl()}, *this);
  home().owners().add(state_->owner, *this);
  state_->handle = handle();
}

void listener_actor::listen(const config_ptr& config) {
  enter([&] {
    begin();
    equip({config});
  });
}

void listener_actor::on_exit() {
  // Whoever ended this actor from outside: the owner still hears of it.
  // From here on no shard announces a Connection, so that nothing follows `stopped`.
  state_->stopped = true;
  if (!told_terminal_)
    tell(stopped{handle()});
  timer_.cancel();
  // Those who wait see that it is over.
  state_->gate.set_limit(std::nullopt);
  for (auto& x : acceptors_)
    caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
  acceptors_.clear();
  places_.clear();
  for (auto& x : waiting_)
    x.deliver(to_caf_error({errc::connection_closed, "the Listener has ended"}));
  waiting_.clear();
  owner_watch::remove(*this);
  home().release(ctrl());
}

bool listener_actor::cleanup(caf::error&& reason, caf::execution_unit* host) {
  const auto first = pinned::cleanup(std::move(reason), host);
  // The state names this very actor: holding on to it would keep both for ever. It also holds the
  // owner, who must first have been told if it monitors or is linked.
  state_.reset();
  return first;
}

void listener_actor::on_owner_down() {
  enter([this] { quit(); });
}

void listener_actor::on_shutdown(bool at_once) {
  enter([&] {
    if (at_once)
      quit(caf::exit_reason::user_shutdown);
    else
      stop();
  });
}

// -- binding --------------------------------------------------------------------------------------

void listener_actor::equip(const equip_order& order) {
  state_->config = order.config;
  if (is_multicast(order.config->locals, order.config->remotes))
    state_->senders = std::make_shared<connection_group>();
  auto places = find_listening_places(request(), home().stacks(), home().names());
  if (places)
    order_places(std::move(*places));
  else
    fail(places.failure());
}

listening_request listener_actor::request() const {
  const auto& config = *state_->config;
  return {config.locals,
          config.remotes,
          *config.properties,
          config.security.mode(),
          config.framing_preserves_boundaries(),
          *home().links(),
          config.policy.get()};
}

void listener_actor::order_places(std::vector<listening_place> places) {
  places_ = std::move(places);
  done_ = 0;
  pass_order_to(0);
}

void listener_actor::pass_order_to(std::size_t shard) {
  const place_order order{places_, !listening_};
  if (shard < acceptors_.size())
    caf::anon_send(acceptors_[shard], order);
  else if (const auto& where = shards_[shard]; !where->is_current())
    caf::anon_send(employ(system().spawn<acceptor_actor>(where, state_, sharing_of(shard))), order);
  else {
    // At once, so that who listens and then initiates on one shard finds himself listening.
    auto [who, self] = spawn_here<acceptor_actor>(where, state_, sharing_of(shard));
    employ(std::move(who));
    self->follow(order);
  }
}

const caf::actor& listener_actor::employ(caf::actor acceptor) {
  monitor(acceptor);
  return acceptors_.emplace_back(std::move(acceptor));
}

port_sharing listener_actor::sharing_of(std::size_t shard) const noexcept {
  if (shards_.size() == 1)
    return port_sharing::none;
  return shard == 0 ? port_sharing::first : port_sharing::further;
}

void listener_actor::take_news(const acceptor_news& news) {
  if (news.failure) {
    fail(news.failure);
    return;
  }
  if (stopping_)
    return;
  if (news.short_of_means)
    home().timers().schedule(timer_, home().now() + pause_after_shortage);
  if (++done_ == 1) {
    places_ = news.places;
    chosen_port_ = news.port;
    for (std::size_t i = 1; i < shards_.size(); ++i)
      pass_order_to(i);
  }
  if (done_ == shards_.size())
    finish_order();
}

void listener_actor::finish_order() {
  listening_ = true;
  for (auto& x : places_)
    if (const auto shared = std::exchange(x.shared, nullptr))
      shared->complete();
  for (auto& x : waiting_)
    x.deliver(list_properties());
  waiting_.clear();
  if (std::exchange(links_changed_, false))
    follow_links();
}

void listener_actor::on_timer() {
  enter([this] { follow_links(); });
}

void listener_actor::on_links_changed(const network&, const network&) {
  enter([this] { follow_links(); });
}

void listener_actor::follow_links() {
  if (!state_->config || stopping_)
    return;
  if (done_ < shards_.size()) {
    links_changed_ = true;
    return;
  }
  auto places =
      taps::follow_links(request(), home().stacks(), home().names(), places_, chosen_port_);
  if (places)
    order_places(std::move(*places));
}

void listener_actor::acceptor_down(const caf::down_msg& what) {
  std::erase_if(acceptors_, [&](const auto& x) { return x.address() == what.source; });
  if (!stopping_)
    fail({errc::protocol_failed, "an acceptor broke down: " + to_string(what.reason)});
  else if (acceptors_.empty()) {
    tell(stopped{handle()});
    quit();
  }
}

// -- the end --------------------------------------------------------------------------------------

void listener_actor::stop() {
  if (std::exchange(stopping_, true))
    return;
  state_->stopped = true;
  // Those who wait see that it is over.
  state_->gate.set_limit(std::nullopt);
  for (auto& x : places_)
    x.shared.reset();
  for (auto& x : acceptors_)
    caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
  if (acceptors_.empty()) {
    tell(stopped{handle()});
    quit();
  }
}

void listener_actor::fail(error reason) {
  tell(establishment_error{{}, handle(), reason, {}});
  quit(to_caf_error(reason));
}

template<class Event>
void listener_actor::tell(Event event) {
  told_terminal_ = true;
  state_->owner->enqueue(
      caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, std::move(event)), context());
}

property_list listener_actor::list_properties() const {
  std::string endpoints;
  for (const auto& x : places_) {
    const auto text = to_string(x.address);
    if (endpoints.find(text) == std::string::npos)
      endpoints += (endpoints.empty() ? "" : ", ") + text;
  }
  const auto port = places_.empty() ? 0 : places_.front().address.port;
  return property_list{{{"_tapline.localEndpoint", endpoints},
                        {"_tapline.localPort", static_cast<std::int64_t>(port)}}};
}

}  // namespace taps
