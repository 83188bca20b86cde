#include "taps/core/connection/connection_machine.hpp"

#include "taps/core/connection/stack_facts.hpp"

namespace taps {

namespace {

using kind = connection_event::kind_type;

/// No more is framed while this much waits for the kernel, so that what waits can still be
/// reordered and expire.
constexpr std::size_t framed_limit = 256 * 1024;

error closed_error(std::string_view action) {
  return {errc::connection_closed, std::string{action} + " after the Connection began to close"};
}

error only_sends() { return {errc::not_supported, "Receive on a Connection that only sends"}; }

}  // namespace

connection_machine::~connection_machine() = default;

// -- establishment ------------------------------------------------------------------------

void connection_machine::configure(std::shared_ptr<const transport_properties> asked,
                                   establishment how) {
  properties_.emplace(std::move(asked), how);
  for (auto& [name, value] : std::exchange(early_settings_, {}))
    static_cast<void>(properties_->set(name, std::move(value)));
  const auto flow = properties_->initial()->direction();
  may_send_ = flow != direction::unidirectional_receive;
  may_receive_ = flow != direction::unidirectional_send;
}

void connection_machine::establish(std::unique_ptr<channel> winner) {
  channel_ = std::move(winner);
  channel_->set_sink(*this);
  const auto& carrier = channel_->instance().descriptor();
  if (carrier.multicast) {
    const auto listens = properties_->how() == establishment::listen;
    may_send_ = may_send_ && !listens;
    may_receive_ = may_receive_ && listens;
  }
  receives_.set_endless(may_receive_ && !channel_->has_framers() &&
                        carrier.unit == data_unit::byte_stream);
  // Those that were asked for before it was known.
  if (!may_receive_)
    receives_.end(only_sends());
  const auto refused = hand_over_changes();
  if (channel_->adopt_early())
    launch(sends_.take());
  apply(lifecycle_input::ready);
  for (const auto& x : refused)
    emit_failure(kind::soft_error, {}, std::make_shared<error>(x));
  channel_->tell_kept();
}

std::vector<error> connection_machine::hand_over_changes() {
  std::vector<error> refused;
  if (properties_->changes() == nullptr)
    return refused;
  for (const auto& x : std::vector{properties_->changes()->entries()}) {
    auto done = check_specific(channel_->instance().spoken(), info_of(x.id).name);
    if (done)
      done = channel_->instance().set_property(x.id, x.value);
    if (done)
      continue;
    properties_->take_back(x.id);
    refused.push_back(done.failure());
  }
  return refused;
}

std::shared_ptr<const early_message> connection_machine::early() {
  const auto* first = sends_.next();
  if (first == nullptr || !first->with_initiate)
    return nullptr;
  const auto& asked = first->context.properties();
  const auto replayable = asked.safely_replayable.value_or(
      properties_->get(property_id::safely_replayable).get_or(false));
  // What servers remember of clients, for the sake of the next handshake, is the whole host's.
  const auto isolated = properties_->get(property_id::isolate_session).get_or(false);
  const auto wanted = properties_->initial()->preference_of(property_id::zero_rtt_msg);
  if (!replayable || isolated || wanted < preference::no_preference ||
      asked.final.value_or(false) || !may_send_)
    return nullptr;
  return std::make_shared<const early_message>(early_message{first->data, first->context});
}

void connection_machine::establishment_failed(error reason) {
  failure_ = std::make_shared<error>(std::move(reason));
  apply(lifecycle_input::establishment_failed);
}

// -- commands -----------------------------------------------------------------------------

result<void> connection_machine::send(send_request what) {
  if (state() >= connection_state::closing || state_ == lifecycle_state::closing_early) {
    auto reason = closed_error("Send");
    if (!ended())
      emit_failure(kind::send_error, what.context, std::make_shared<error>(reason));
    return reason;
  }
  if (final_sent_) {
    error reason{errc::invalid_message_properties, "Send after a final Message"};
    emit_failure(kind::send_error, what.context, std::make_shared<error>(reason));
    return reason;
  }
  final_sent_ = what.end_of_message && what.context.properties().final.value_or(false);
  sends_.push(std::move(what));
  host_.request_service();
  return {};
}

result<void> connection_machine::receive(const receive_request& what) {
  if (what.max_length == 0 || what.count == 0) {
    error reason{errc::invalid_configuration, what.count == 0
                                                  ? "Receive: count is 0: must be 1 or more"
                                                  : "Receive: maxLength is 0: must be 1 or more"};
    if (!ended())
      emit_failure(kind::receive_error, {}, std::make_shared<error>(reason));
    return reason;
  }
  if (ended())
    return closed_error("Receive");
  if (state() == connection_state::closing || state_ == lifecycle_state::closing_early) {
    emit_failure(kind::receive_error, {}, std::make_shared<error>(closed_error("Receive")));
    return closed_error("Receive");
  }
  if (!may_receive_) {
    emit_failure(kind::receive_error, {}, std::make_shared<error>(only_sends()));
    return only_sends();
  }
  receives_.request(what);
  host_.request_service();
  return {};
}

result<void> connection_machine::set_property(std::string_view name, property_value value) {
  if (ended())
    return closed_error("SetProperty");
  if (!configured()) {
    auto fine = connection_properties{nullptr}.set(name, value);
    if (fine)
      early_settings_.emplace_back(name, std::move(value));
    return fine;
  }
  if (channel_)
    if (auto fine = check_specific(channel_->instance().spoken(), name); !fine)
      return fine;
  auto before = *properties_;
  if (auto done = properties_->set(name, value); !done)
    return done;
  const auto match = find_property(name);
  if (!match || !channel_)
    return {};
  auto done = channel_->instance().set_property(match.info->id, properties_->get(match.info->id));
  if (!done)
    properties_ = std::move(before);
  return done;
}

void connection_machine::close() {
  apply(sends_.empty() ? lifecycle_input::close_empty : lifecycle_input::close_queued);
}

void connection_machine::abort(error reason) {
  if (ended())
    return;
  failure_ = std::make_shared<error>(std::move(reason));
  apply(lifecycle_input::abort);
}

// -- the turn ---------------------------------------------------------------------------------

void connection_machine::service(time_point now) {
  if (channel_ && !ended()) {
    send_some();
    if (!ended())
      answer_receives();
    if (!ended())
      move_close_on(now);
    if (!ended())
      update_demand();
  }
  if (ended())
    deadline_.reset();
}

void connection_machine::on_links_changed(const network& before, const network& after) {
  if (!channel_ || ended())
    return;
  // The interface itself (its MTU, its addresses, whether it is up), or another way.
  const auto same = [](const network_interface* x, const network_interface* y) {
    return x && y ? *x == *y : x == y;
  };
  const auto local = channel_->instance().local().address;
  const auto remote = channel_->instance().remote().address;
  if (!same(before.owner_of(local), after.owner_of(local)) ||
      !same(before.way_to(remote), after.way_to(remote)))
    emit(kind::path_change);
}

void connection_machine::release() noexcept {
  channel_.reset();
  events_.clear();
  sends_ = {};
  receives_ = {};
}

void connection_machine::send_some() {
  auto& queue = channel_->queue();
  if (sends_.empty() && queue.empty())
    return;
  do {
    while (sends_.has_waiting() && queue.bytes() < framed_limit && !ended())
      frame(sends_.take());
    channel_->flush();
    collect_completions();
    // What stays in the queue waits for the kernel; what waits for framing need not.
  } while (sends_.has_waiting() && queue.bytes() < framed_limit && !ended());
}

void connection_machine::frame(send_request what) {
  if (auto fine = check_message(what); !fine) {
    emit_failure(kind::send_error, what.context, std::make_shared<error>(fine.failure()));
    return;
  }
  framing_ = &what.context;
  auto done = channel_->send(std::move(what.data), what.context, what.end_of_message);
  framing_ = nullptr;
  if (ended())
    return;
  if (!done) {
    emit_failure(kind::send_error, what.context, std::make_shared<error>(done.failure()));
    return;
  }
  launch(std::move(what));
}

/// Notes a Send whose pieces are all in the queue, or have left it already.
void connection_machine::launch(send_request&& what) {
  auto& queue = channel_->queue();
  queue.mark(sends_.launch({std::move(what.context), what.wants_sent}));
  if (queue.empty())
    queue.consume(0);
}

result<void> connection_machine::check_message(const send_request& what) const {
  if (!can_send() && !final_sent_)
    return error{errc::invalid_message_properties, "Send on a Connection that only receives"};
  return check_against(channel_->instance().descriptor(), what.context.properties(), *properties_);
}

void connection_machine::collect_completions() {
  auto& done = channel_->queue().completions();
  for (auto& x : done) {
    auto record = sends_.land();
    if (x.failure)
      emit_failure(kind::send_error, record.context, std::move(x.failure));
    else if (record.wants_sent)
      emit(kind::sent).context = std::move(record.context);
  }
  done.clear();
}

void connection_machine::answer_receives() {
  while (receives_.ready()) {
    auto& answer = events_.push_empty();
    receives_.take(answer);
    answer.state = state();
    host_.request_service();
  }
}

void connection_machine::move_close_on(time_point now) {
  if (state_ < lifecycle_state::flushing)
    return;
  const auto left = queued_bytes();
  if (state_ == lifecycle_state::flushing && sends_.empty()) {
    deadline_ = now + stop_limit;
    apply(lifecycle_input::drained);
  } else if (state_ == lifecycle_state::flushing) {
    if (!deadline_ || left != left_at_deadline_)
      deadline_ = later(now, patience());
    left_at_deadline_ = left;
  }
  if (state_ == lifecycle_state::stopping && framers_stopped_) {
    channel_->flush();
    if (channel_->queue().empty()) {
      // From here the protocol watches the clock itself.
      deadline_.reset();
      apply(lifecycle_input::stopped);
    }
  }
  if (!deadline_ || *deadline_ > now)
    return;
  const auto silent = state_ == lifecycle_state::stopping && !framers_stopped_;
  failure_ = std::make_shared<error>(
      errc::timeout, silent ? std::string{"closing: a Message Framer did not finish in time"}
                            : "closing: the peer took no data for too long, " +
                                  std::to_string(left) + " bytes left");
  apply(lifecycle_input::failed);
}

duration connection_machine::patience() const {
  return properties_->get(property_id::conn_timeout).get_or(flush_limit);
}

void connection_machine::update_demand() {
  // Framers that have not said good-bye yet may wait for the peer's.
  const auto waiting = state_ == lifecycle_state::stopping && !framers_stopped_;
  channel_->set_demand(waiting || receives_.wants_data());
}

// -- properties -------------------------------------------------------------------------------

connection_state connection_machine::state() const noexcept {
  switch (state_) {
  case lifecycle_state::establishing:
  case lifecycle_state::closing_early:
    return connection_state::establishing;
  case lifecycle_state::established:
    return connection_state::established;
  case lifecycle_state::ended:
    return connection_state::closed;
  default:
    return connection_state::closing;
  }
}

std::size_t connection_machine::queued_bytes() const noexcept {
  return sends_.waiting_bytes() + (channel_ ? channel_->queue().bytes() : 0);
}

bool connection_machine::can_send() const noexcept {
  return state_ <= lifecycle_state::flushing && !final_sent_ && may_send_;
}

bool connection_machine::can_receive() const noexcept {
  return state_ <= lifecycle_state::established && !receives_.ended() && may_receive_;
}

connection_facts connection_machine::facts(const network* links) const {
  connection_facts result;
  result.state = state();
  result.established = established_;
  result.can_send = can_send() && state() <= connection_state::established;
  result.can_receive = can_receive();
  result.queued_bytes = queued_bytes();
  if (!channel_)
    return result;
  tell_facts(*channel_, *properties_->initial(), result);
  result.provides(property_id::use_temporary_local_address,
                  links && links->is_temporary(channel_->instance().local().address));
  return result;
}

// -- channel_sink -------------------------------------------------------------------------------

void connection_machine::on_channel_data(const message_context& context, slice data,
                                         bool end_of_message) {
  if (state_ > lifecycle_state::established)
    return;
  receives_.push(context, std::move(data), end_of_message);
  host_.request_service();
}

void connection_machine::on_channel_broken_message(error reason) {
  if (state_ > lifecycle_state::established)
    return;
  receives_.push_broken(std::move(reason));
  host_.request_service();
}

void connection_machine::on_channel_end(error failure) {
  receives_.end(std::move(failure));
  host_.request_service();
}

void connection_machine::on_channel_stopped() {
  framers_stopped_ = true;
  host_.request_service();
}

void connection_machine::on_channel_stream(std::unique_ptr<protocol> stream) {
  host_.on_stream(std::move(stream));
}

void connection_machine::on_channel_soft_error(error reason) {
  emit_failure(kind::soft_error, {}, std::make_shared<error>(std::move(reason)));
}

void connection_machine::on_channel_path_change() { emit(kind::path_change); }

void connection_machine::on_channel_failed(error reason) {
  if (ended())
    return;
  failure_ = std::make_shared<error>(std::move(reason));
  apply(lifecycle_input::failed);
}

// -- lifecycle ------------------------------------------------------------------------------------

void connection_machine::apply(lifecycle_input input) {
  const auto [next, actions] = step(state_, input);
  // Data that came before the end belongs to the Receives that wait for it.
  if (next == lifecycle_state::ended && channel_)
    answer_receives();
  state_ = next;
  perform(actions);
  host_.request_service();
}

void connection_machine::perform(lifecycle_action actions) {
  using action = lifecycle_action;
  if (has(actions, action::announce_ready)) {
    established_ = true;
    emit(kind::ready).state = connection_state::established;
  }
  if (has(actions, action::cancel_establishment))
    host_.cancel_establishment();
  if (has(actions, action::abort_protocol))
    channel_->abort();
  if (has(actions, action::fail_sends))
    fail_sends();
  if (has(actions, action::end_receives))
    end_receives();
  if (has(actions, action::stop_framers))
    channel_->stop_framers();
  if (has(actions, action::close_protocol))
    channel_->close();
  if (has(actions, action::announce_establishment_error))
    announce(kind::establishment_error);
  if (has(actions, action::announce_connection_error))
    announce(kind::connection_error);
  if (has(actions, action::announce_closed))
    announce(kind::closed);
}

void connection_machine::fail_sends() {
  const auto reason =
      failure_ ? failure_ : std::make_shared<error>(errc::connection_aborted, "the peer closed");
  if (channel_) {
    collect_completions();
    while (sends_.num_in_flight() > 0)
      emit_failure(kind::send_error, sends_.land().context, reason);
  }
  // A framer failed over it.
  if (framing_)
    emit_failure(kind::send_error, *framing_, reason);
  while (sends_.has_waiting()) {
    auto request = sends_.take();
    if (established_ || !request.with_initiate)
      emit_failure(kind::send_error, request.context, reason);
  }
}

void connection_machine::end_receives() {
  receives_.terminate(failure_ ? *failure_ : closed_error("Receive"));
  answer_receives();
}

void connection_machine::announce(connection_event::kind_type what) {
  auto& event = emit(what);
  event.failure = failure_;
}

connection_event& connection_machine::emit(connection_event::kind_type what) {
  auto& event = events_.push_empty();
  event.kind = what;
  event.state = state();
  host_.request_service();
  return event;
}

void connection_machine::emit_failure(connection_event::kind_type what,
                                      const message_context& context,
                                      std::shared_ptr<const error> failure) {
  auto& event = emit(what);
  event.context = context;
  event.failure = std::move(failure);
}

}  // namespace taps
