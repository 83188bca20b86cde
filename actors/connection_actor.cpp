#include "taps/actors/connection_actor.hpp"

#include "taps/actors/racing_supervisor.hpp"
#include "taps/actors/rendezvous_supervisor.hpp"

#include <caf/send.hpp>

#include <utility>

namespace taps {

namespace {

using kind = connection_event::kind_type;

/// How often in a row one Connection is served.
constexpr int service_rounds = 4;

}  // namespace

connection_actor::connection_actor(caf::actor_config& cfg, shard_ptr home, connection_origin origin)
    : pinned(cfg, std::move(home)), origin_(std::move(origin)),
      owner_(caf::actor_cast<caf::strong_actor_ptr>(origin_.owner), nullptr), machine_(*this),
      timer_([](void* self) { static_cast<connection_actor*>(self)->on_service(); }, this) {}

connection_actor::~connection_actor() = default;

connection_actor* connection_actor::local(const connection& handle) noexcept {
  auto* here = shard::current();
  if (!here)
    return nullptr;
  auto* found = here->find_resident(caf::actor_cast<caf::actor_control_block*>(handle));
  auto* self = found ? found->as_connection() : nullptr;
  return self && self->idle() ? self : nullptr;
}

connection connection_actor::handle() {
  return caf::actor_cast<connection>(caf::strong_actor_ptr{ctrl()});
}

// -- actor --------------------------------------------------------------------------------------

connection_actor::behavior_type connection_actor::make_behavior() {
  begin();
  set_exit_handler([this](const caf::exit_msg& x) {
    // As with any actor of CAF's, a link passes on failures, not normal ends: what was closed
    // finishes alone.
    if (!x.reason)
      return;
    machine_.abort({errc::local_abort, "linked actor ended: " + to_string(x.reason)});
  });
  set_down_handler([this](const caf::down_msg& x) {
    if (x.source == origin_.parent && !config_)
      finish_race({nullptr, {errc::not_cloneable, "the Connection to clone has ended"}, {}});
    if (x.source == supervisor_)
      finish_race({nullptr,
                   {errc::establishment_failed, "the race broke off: " + to_string(x.reason)},
                   {}});
  });
  return {
      // In the order in which they are tried: first what every Connection gets.
      [this](race_outcome& outcome) { finish_race(std::move(outcome)); },
      [this](const equip_order& order) { equip(order); },
      [this](send_command& what) { return answer(send(std::move(what), false)); },
      [this](const receive_command& what) { return answer(machine_.receive(what.request)); },
      [this](const close_command&) { machine_.close(); },
      [this](const abort_command&) { abort_now(); },
      [this](const observe_command& what) { origin_.events = what.events; },
      [this](const clone_command& what) {
        clones_.push_back(what.child);
        equip_clones();
      },
      [this](set_property_command& what) {
        return answer(machine_.set_property(what.name, std::move(what.value)));
      },
      [this](const get_properties_command&) { return list_properties(); },
      [this](const get_report_command&) { return report(); },
      [this](const grouped_connections_command&) { return list_group(); },
      [this](first_send& what) { static_cast<void>(send(std::move(what.command), true)); },
      [this](const admitted&) {
        admission_ = admission_state::admitted;
        request_service();
      },
      [this](const clone_failure& what) {
        owner_.tell(clone_error{handle(), machine_.state(), what.reason});
      },
  };
}

void connection_actor::begin() {
  if (!owner_ || home().find_resident(ctrl()))
    return;
  home().adopt(caf::strong_actor_ptr{ctrl()}, *this);
  owner_ = home().owners().add(origin_.owner, *this);
  if (origin_.parent)
    monitor(caf::actor_cast<caf::actor>(origin_.parent));
}

void connection_actor::on_exit() {
  // Whoever ended this actor from outside: the owner still hears how it ended.
  if (!told_terminal_ && !unannounced()) {
    machine_.abort({errc::local_abort, "the Connection's actor was ended"});
    while (!machine_.events().empty()) {
      auto event = machine_.events().pop_front();
      tell(event);
    }
  }
  if (admission_ != admission_state::unasked && unannounced())
    origin_.accepted_by->gate.leave(caf::strong_actor_ptr{ctrl()});
  join(nullptr);
  cancel_establishment();
  timer_.cancel();
  handshake_.reset();
  home().cancel_service(*this);
  owner_watch::remove(*this);
  machine_.release();
  home().release(ctrl());
}

bool connection_actor::cleanup(caf::error&& reason, caf::execution_unit* host) {
  const auto first = pinned::cleanup(std::move(reason), host);
  // Not before monitors and links were told: the owner may be one of them, and kept alive by
  // nothing but this handle.
  origin_ = {};
  owner_ = {};
  return first;
}

// -- direct commands -----------------------------------------------------------------------------

void connection_actor::send_now(send_command what) {
  // A failure is an event, too, and nobody waits for this answer.
  static_cast<void>(send(std::move(what), false));
}

result<void> connection_actor::send(send_command what, bool with_initiate) {
  return machine_.send({std::move(what.data), std::move(what.context), what.end_of_message,
                        what.wants_sent || has(origin_.events, event_set::sent), with_initiate});
}

void connection_actor::receive_now(const receive_request& what) {
  static_cast<void>(machine_.receive(what));
}

void connection_actor::close_now() { machine_.close(); }

void connection_actor::abort_now() {
  machine_.abort({errc::local_abort, "the application aborted the Connection"});
}

// -- other callers -------------------------------------------------------------------------------

void connection_actor::on_service() {
  enter([this] {
    serving_ = true;
    // What the owner asks for while it is told of events is done at once; others wait, so that has
    // an end.
    int rounds = 0;
    do
      serve();
    while (asked_ && !told_terminal_ && ++rounds < service_rounds);
    serving_ = false;
    if (told_terminal_) {
      end();
      return;
    }
    if (asked_)
      request_service();
    schedule_timer();
  });
}

void connection_actor::serve() {
  asked_ = false;
  if (handshake_)
    advance_handshake();
  machine_.service(home().now());
  // Not those that handlers bring about meanwhile, or an owner who answers each error with one more
  // Receive would keep the shard for himself.
  for (auto left = machine_.events().size(); left > 0 && !told_terminal_; --left) {
    auto event = machine_.events().pop_front();
    tell(event);
  }
}

void connection_actor::schedule_timer() {
  const auto next = handshake_ ? handshake_deadline_ : machine_.next_deadline();
  if (next || timer_.scheduled())
    home().timers().schedule(timer_, next);
}

void connection_actor::on_owner_down() {
  // What was promised before the owner left is kept: Close finishes alone.
  if (!machine_.closing())
    machine_.abort({errc::local_abort, "the owner of the Connection ended"});
}

void connection_actor::on_shutdown(bool at_once) {
  if (at_once || !machine_.closing())
    machine_.abort({errc::local_abort, "the transport services shut down"});
}

void connection_actor::on_links_changed(const network& before, const network& after) {
  machine_.on_links_changed(before, after);
}

// -- establishment -------------------------------------------------------------------------------

void connection_actor::accept(std::unique_ptr<protocol> instance) {
  begin();
  config_ = origin_.accepted_by->config;
  machine_.configure(config_->properties, establishment::listen);
  const auto unit = instance->descriptor().unit;
  handshake_ = std::make_unique<handshake>(
      std::make_unique<channel>(config_->framers, unit, home().memory()),
      static_cast<handshake_sink&>(*this));
  handshake_deadline_ = later(home().now(), handshake::limit);
  handshake_->get().attach_ready(std::move(instance));
  request_service();
}

void connection_actor::initiate(const config_ptr& config, std::optional<first_send> first) {
  enter([&] {
    begin();
    if (first)
      static_cast<void>(send(std::move(first->command), true));
    equip({config});
  });
}

void connection_actor::advance_handshake() {
  if (!handshake_->done()) {
    // Nobody was told of this Connection, so nobody hears of its end.
    told_terminal_ = origin_.accepted_by->stopped || handshake_deadline_ <= home().now();
    return;
  }
  // What failed is never announced, and does not count.
  if (handshake_->ready() && !origin_.accepted_by->stopped && !may_enter())
    return;
  auto outcome = handshake_->take();
  if (outcome && !origin_.accepted_by->stopped) {
    machine_.establish(std::move(*outcome));
    handshake_.reset();
    join(origin_.accepted_by->senders);
  } else {
    told_terminal_ = true;
  }
}

bool connection_actor::may_enter() {
  if (admission_ != admission_state::unasked)
    return admission_ == admission_state::admitted;
  switch (origin_.accepted_by->gate.ask(caf::strong_actor_ptr{ctrl()})) {
  case admission::verdict::enter:
    return true;
  case admission::verdict::wait:
    // For as long as it takes; what arrives meanwhile stays with the protocol.
    admission_ = admission_state::waiting;
    handshake_deadline_.reset();
    return false;
  default:
    told_terminal_ = true;
    return false;
  }
}

void connection_actor::equip(const equip_order& order) {
  if (!order.config) {
    finish_race({nullptr, {errc::not_cloneable, "the Connection cannot be cloned"}, {}});
    return;
  }
  config_ = origin_.parent ? order.config : isolated(order.config);
  if (origin_.parent)
    demonitor(origin_.parent->address());
  join(order.group);
  equip_clones();
  machine_.configure(config_->properties, origin_.how);
  if (machine_.ended())
    return;
  const recipient self{caf::strong_actor_ptr{ctrl()}, this};
  auto supervisor =
      origin_.how == establishment::rendezvous
          ? spawn_rendezvous_supervisor(home_ptr(), config_, self, origin_.timeout)
          : spawn_racing_supervisor(home_ptr(), config_, self, origin_.timeout, machine_.early());
  supervisor_ = caf::actor_cast<caf::strong_actor_ptr>(supervisor);
  // Also hears of one that has ended already.
  monitor(supervisor);
}

void connection_actor::equip_clones() {
  // An accepted Connection knows no Remote Endpoint to connect to, and where a Rendezvous was held
  // nobody waits any more; one that still waits for its own order keeps its clones waiting.
  if (!config_)
    return;
  const auto cloneable = !origin_.accepted_by && origin_.how == establishment::initiate;
  for (const auto& child : std::exchange(clones_, {})) {
    if (!group_ && cloneable)
      join(std::make_shared<connection_group>());
    caf::anon_send(caf::actor_cast<connection_interface>(child),
                   equip_order{cloneable ? config_ : nullptr, group_});
  }
}

void connection_actor::finish_race(race_outcome outcome) {
  if (machine_.state() != connection_state::establishing)
    return;
  if (supervisor_)
    demonitor(std::exchange(supervisor_, nullptr)->address());
  report_ = std::make_unique<establishment_report>(std::move(outcome.report));
  if (outcome.winner)
    machine_.establish(std::move(*outcome.winner));
  else
    machine_.establishment_failed(std::move(outcome.failure));
}

void connection_actor::cancel_establishment() {
  if (auto supervisor = std::exchange(supervisor_, nullptr)) {
    demonitor(supervisor->address());
    caf::anon_send_exit(supervisor, caf::exit_reason::user_shutdown);
  }
}

void connection_actor::on_stream(std::unique_ptr<protocol>) {
  // No protocol here carries several streams; the ones that will bring an association actor.
}

// -- events --------------------------------------------------------------------------------------

void connection_actor::tell(connection_event& event) {
  const auto optional = [this](event_set what) { return has(origin_.events, what); };
  const auto reason = [&event] { return event.failure ? *event.failure : error{}; };
  told_terminal_ = is_terminal(event.kind);
  if (unannounced())
    return;
  switch (event.kind) {
  case kind::ready:
    tell_ready();
    break;
  case kind::establishment_error:
    tell_establishment_error(event);
    break;
  case kind::sent:
    owner_.tell(sent{handle(), event.state, std::move(event.context)});
    break;
  case kind::expired:
    owner_.tell(expired{handle(), event.state, std::move(event.context)});
    break;
  case kind::send_error:
    owner_.tell(send_error{handle(), event.state, std::move(event.context), reason()});
    break;
  case kind::received:
    owner_.tell(received{handle(), event.state, std::move(event.data), std::move(event.context)});
    break;
  case kind::received_partial:
    owner_.tell(received_partial{handle(), event.state, std::move(event.data),
                                 std::move(event.context), event.end_of_message});
    break;
  case kind::receive_error:
    owner_.tell(receive_error{handle(), event.state, std::move(event.context), reason()});
    break;
  case kind::soft_error:
    if (optional(event_set::soft_error))
      owner_.tell(soft_error{handle(), event.state, reason()});
    break;
  case kind::path_change:
    if (optional(event_set::path_change))
      owner_.tell(path_change{handle(), event.state});
    break;
  case kind::closed:
    owner_.tell(closed{handle(), event.state, list_properties()});
    break;
  case kind::connection_error:
    owner_.tell(connection_error{handle(), event.state, reason(), list_properties()});
    break;
  }
}

void connection_actor::tell_ready() {
  const auto up = connection_state::established;
  if (origin_.accepted_by)
    owner_.tell(connection_received{origin_.accepted_by->handle, handle(), up});
  else if (origin_.how == establishment::rendezvous)
    owner_.tell(rendezvous_done{handle(), up, report()});
  else
    owner_.tell(ready{handle(), up, report()});
}

void connection_actor::tell_establishment_error(const connection_event& event) {
  owner_.tell(
      establishment_error{handle(), {}, event.failure ? *event.failure : error{}, report()});
  if (origin_.parent)
    caf::anon_send(caf::actor_cast<connection_interface>(origin_.parent),
                   clone_failure{event.failure ? *event.failure : error{}});
}

void connection_actor::end() {
  const auto& failure = machine_.failure();
  quit(failure ? to_caf_error(*failure) : caf::error{});
}

establishment_report connection_actor::report() const {
  return report_ ? *report_ : establishment_report{};
}

property_list connection_actor::list_properties() const {
  // Before the preconnection's order came, there are only defaults to tell.
  return {machine_.configured() ? machine_.properties() : connection_properties{nullptr},
          machine_.facts(home().links().get())};
}

caf::result<void> connection_actor::answer(const result<void>& outcome) {
  // An error answered to a plain message would end its sender.
  auto* element = current_mailbox_element();
  if (outcome || !element || !element->mid.is_request())
    return caf::unit;
  return to_caf_error(outcome.failure());
}

}  // namespace taps
