#include "taps/actors/actions.hpp"

#include "taps/actors/connection_actor.hpp"
#include "taps/actors/listener_actor.hpp"
#include "taps/actors/services_impl.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace taps {

namespace {

/// Whether something can come about at all. Tells the owner when the threads are gone; without an
/// owner, as after its death, nothing begins.
bool may_begin(const preconnection& what, const owner_ref& owner) {
  if (!owner.actor())
    return false;
  if (!what.get_impl().services().stopped())
    return true;
  caf::anon_send(
      owner.actor(),
      establishment_error{
          {}, {}, {errc::connection_closed, "the transport services were shut down"}, {}});
  return false;
}

/// Spawns a Connection in Establishing and has the Preconnection equip it: at once where both live
/// on this thread's shard, else by messages.
connection spawn_connection(const preconnection& from, const owner_ref& owner,
                            std::optional<first_send> first, const action_options& options,
                            establishment how = establishment::initiate) {
  const auto& services = from.get_impl().services();
  const auto& source = from.get_impl().handle();
  const auto& home = services.shard_for(owner.actor());
  connection_origin origin;
  origin.how = how;
  origin.owner = owner.actor();
  origin.events = options.events;
  origin.timeout = options.timeout;
  if (auto* here = preconnection_actor::local(source); here && home->is_current()) {
    auto [made, self] = spawn_here<connection_actor>(home, std::move(origin));
    self->initiate(here->hand_out(), std::move(first));
    return caf::actor_cast<connection>(made);
  }
  auto made = home->system().spawn<connection_actor>(home, std::move(origin));
  // Before the order, so that it is the first Message whatever the application sends next.
  if (first)
    caf::anon_send(made, std::move(*first));
  caf::anon_send(source, preconnection_order{caf::actor_cast<caf::strong_actor_ptr>(made), false});
  return caf::actor_cast<connection>(made);
}

}  // namespace

// -- Preconnections -----------------------------------------------------------------------

preconnection& preconnection::edit(std::function<void(preconnection_config&)> change) {
  if (impl_->handle())
    caf::anon_send(impl_->handle(), preconnection_edit{std::move(change)});
  return *this;
}

preconnection& preconnection::add_framer(framer_factory make) {
  return edit([make = std::move(make)](auto& x) { x.framers.push_back(make); });
}

preconnection& preconnection::add_remote(remote_endpoint where) {
  return edit([where = std::move(where)](auto& x) {
    if (std::find(x.remotes.begin(), x.remotes.end(), where) == x.remotes.end())
      x.remotes.push_back(where);
  });
}

preconnection& preconnection::add_local(local_endpoint where) {
  return edit([where = std::move(where)](auto& x) {
    if (std::find(x.locals.begin(), x.locals.end(), where) == x.locals.end())
      x.locals.push_back(where);
  });
}

preconnection& preconnection::remove_remote(remote_endpoint where) {
  return edit([where = std::move(where)](auto& x) { std::erase(x.remotes, where); });
}

preconnection& preconnection::remove_local(local_endpoint where) {
  return edit([where = std::move(where)](auto& x) { std::erase(x.locals, where); });
}

preconnection& preconnection::set_properties(transport_properties properties) {
  return edit([shared = std::make_shared<transport_properties>(std::move(properties))](auto& x) {
    x.properties = shared;
  });
}

preconnection& preconnection::set_security(security_parameters security) {
  return edit([security](auto& x) { x.security = security; });
}

preconnection& preconnection::set_racing(racing_options options) {
  return edit([options](auto& x) { x.racing = options; });
}

connection initiate(const preconnection& what, const owner_ref& owner,
                    const action_options& options) {
  if (!may_begin(what, owner))
    return {};
  return spawn_connection(what, owner, std::nullopt, options);
}

connection initiate_with_send(const preconnection& what, const owner_ref& owner, slice data,
                              message_context context, const action_options& options) {
  if (!may_begin(what, owner))
    return {};
  return spawn_connection(what, owner,
                          first_send{{std::move(data), std::move(context), true, false}}, options);
}

listener listen(const preconnection& what, const owner_ref& owner, const action_options& options) {
  if (!may_begin(what, owner))
    return {};
  const auto& services = what.get_impl().services();
  const auto& source = what.get_impl().handle();
  const auto& home = services.shard_for(owner.actor());
  if (auto* here = preconnection_actor::local(source); here && home->is_current()) {
    auto [made, self] =
        spawn_here<listener_actor>(home, services.shards(), owner.actor(), options.events);
    self->listen(here->hand_out());
    return caf::actor_cast<listener>(made);
  }
  auto made =
      home->system().spawn<listener_actor>(home, services.shards(), owner.actor(), options.events);
  caf::anon_send(source, preconnection_order{caf::actor_cast<caf::strong_actor_ptr>(made), true});
  return caf::actor_cast<listener>(made);
}

connection rendezvous(const preconnection& what, const owner_ref& owner,
                      const action_options& options) {
  if (!may_begin(what, owner))
    return {};
  return spawn_connection(what, owner, std::nullopt, options, establishment::rendezvous);
}

result<resolved_endpoints> resolve(const preconnection& what, caf::scoped_actor& self) {
  const error stopped{errc::connection_closed, "the transport services were shut down"};
  const auto& services = what.get_impl().services();
  if (services.stopped())
    return stopped;
  result<resolved_endpoints> answer = stopped;
  self->request(what.get_impl().handle(), caf::infinite, resolve_command{})
      .receive([&](resolved_endpoints& x) { answer = std::move(x); },
               [&](caf::error& x) { answer = services.stopped() ? stopped : from_caf_error(x); });
  return answer;
}

// -- Listeners ---------------------------------------------------------------------------------

void set_new_connection_limit(const listener& what, std::optional<std::uint64_t> limit) {
  caf::anon_send(what, new_connection_limit_command{limit});
}

void stop(const listener& what) { caf::anon_send(what, stop_command{}); }

// -- Connections -------------------------------------------------------------------------------

void send(const connection& to, slice data, message_context context, send_options options) {
  send_command command{std::move(data), std::move(context), options.end_of_message, options.notify};
  if (auto* here = connection_actor::local(to))
    here->send_now(std::move(command));
  else
    caf::anon_send(to, std::move(command));
}

void send(const connection& to, std::string_view text, message_context context,
          send_options options) {
  if (auto* here = shard::current())
    send(to, here->memory().copy(std::as_bytes(std::span{text.data(), text.size()})),
         std::move(context), options);
  else
    send(to, slice::copy_of(text), std::move(context), options);
}

void receive(const connection& from, const receive_request& request) {
  if (auto* here = connection_actor::local(from))
    here->receive_now(request);
  else
    caf::anon_send(from, receive_command{request});
}

connection clone(const connection& parent, const owner_ref& owner, const action_options& options) {
  if (!owner.actor())
    return {};
  auto* home = pinned_base::of(caf::actor_cast<caf::actor_control_block*>(parent));
  if (!home) {
    caf::anon_send(owner.actor(),
                   establishment_error{
                       {}, {}, {errc::not_cloneable, "Clone: not a Connection of this node"}, {}});
    return {};
  }
  connection_origin origin;
  origin.owner = owner.actor();
  origin.events = options.events;
  origin.timeout = options.timeout;
  origin.parent = caf::actor_cast<caf::strong_actor_ptr>(parent);
  auto made = home->home().system().spawn<connection_actor>(home->home_ptr(), std::move(origin));
  auto child = caf::actor_cast<caf::strong_actor_ptr>(made);
  caf::anon_send(parent, clone_command{child});
  return caf::actor_cast<connection>(child);
}

void close(const connection& what) {
  if (auto* here = connection_actor::local(what))
    here->close_now();
  else
    caf::anon_send(what, close_command{});
}

void abort(const connection& what) {
  if (auto* here = connection_actor::local(what))
    here->abort_now();
  else
    caf::anon_send(what, abort_command{});
}

void set_property(const connection& what, std::string_view name, property_value value) {
  caf::anon_send(what, set_property_command{std::string{name}, std::move(value)});
}

void observe(const connection& what, event_set events) {
  caf::anon_send(what, observe_command{events});
}

}  // namespace taps
