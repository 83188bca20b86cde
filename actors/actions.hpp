#pragma once

#include "taps/actors/config.hpp"
#include "taps/actors/messages.hpp"

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/local_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <functional>
#include <memory>
#include <string_view>

namespace taps {

/// Who gets the events of a Connection or Listener: any actor, by `self` pointer or handle. When it
/// ends, its Connections are aborted.
class owner_ref {
public:
  owner_ref(caf::local_actor* self)
      : actor_(caf::actor_cast<caf::actor>(caf::strong_actor_ptr{self->ctrl()})) {}
  owner_ref(const caf::scoped_actor& self)
      : actor_(caf::actor_cast<caf::actor>(caf::strong_actor_ptr{self.ptr()->ctrl()})) {}
  owner_ref(caf::actor who) : actor_(std::move(who)) {}
  template<class... Sigs>
  owner_ref(const caf::typed_actor<Sigs...>& who) : actor_(caf::actor_cast<caf::actor>(who)) {}

  [[nodiscard]] const caf::actor& actor() const noexcept { return actor_; }

private:
  caf::actor actor_;
};

// -- Preconnections ------------------------------------------------------------------------

/// What is to be connected or listened on (RFC 9622, section 6): endpoints, properties, security,
/// framers. A handle to an actor; reusable any number of times. Changes reach the Connections and
/// Listeners made afterwards, never earlier ones. Thread-safe as CAF handles are: one handle per
/// thread.
class preconnection {
public:
  class impl;
  explicit preconnection(std::shared_ptr<impl> what) noexcept : impl_(std::move(what)) {}

  /// Puts a framer on top of the ones added before: it is nearest the application.
  preconnection& add_framer(framer_factory make);
  preconnection& add_remote(remote_endpoint where);
  preconnection& add_local(local_endpoint where);
  preconnection& remove_remote(remote_endpoint where);
  preconnection& remove_local(local_endpoint where);
  preconnection& set_properties(transport_properties properties);
  preconnection& set_security(security_parameters security);
  preconnection& set_racing(racing_options options);

  [[nodiscard]] const impl& get_impl() const noexcept { return *impl_; }

private:
  preconnection& edit(std::function<void(preconnection_config&)> change);

  std::shared_ptr<impl> impl_;
};

/// Options of Initiate, Clone and Listen that are not properties.
struct action_options {
  /// How long the establishment may take; absent for as long as its attempts take.
  std::optional<duration> timeout{};
  /// The optional events that the owner wants.
  event_set events = event_set::none;
};

/// Initiate (RFC 9622, section 7.1). Returns at once a Connection that is Establishing: Send,
/// Receive, Clone, Close and Abort are all possible. `ready` or `establishment_error` follows.
connection initiate(const preconnection& what, const owner_ref& owner,
                    const action_options& options = {});

/// InitiateWithSend (RFC 9622, section 7.1): the Message goes first, as early as its properties
/// allow. If establishment fails there is no `send_error` for it.
connection initiate_with_send(const preconnection& what, const owner_ref& owner, slice data,
                              message_context context = {}, const action_options& options = {});

/// Listen (RFC 9622, section 7.2): on all Local Endpoints with every protocol that fits.
listener listen(const preconnection& what, const owner_ref& owner,
                const action_options& options = {});

/// Rendezvous (RFC 9622, section 7.3): the peer does the same, and both call each other until they
/// meet, through NATs that allow it. Returns at once a Connection that is Establishing, as Initiate
/// does; `rendezvous_done` or `establishment_error` follows. Before that, tell the peer by some
/// other way what `resolve` says of the Local Endpoints, and add what it tells as Remote Endpoints.
/// Without a timeout a peer that does not come is given up after some 40 seconds.
connection rendezvous(const preconnection& what, const owner_ref& owner,
                      const action_options& options = {});

/// What Resolve finds: concrete endpoints.
struct resolved_endpoints {
  /// The addresses of this host by which the Local Endpoints may be reached, those first that its
  /// interfaces have, then those that STUN servers see (server-reflexive ones). Each has the port
  /// that a Rendezvous of the same Preconnection uses. Where no protocol fits, and without Local
  /// Endpoints, these are the Local Endpoints themselves.
  std::vector<local_endpoint> locals;
  /// The Remote Endpoints, with addresses in place of names.
  std::vector<remote_endpoint> remotes;
};

/// Resolve (RFC 9622, section 6). Blocks the caller. A STUN server that does not answer costs some
/// seconds, and is no error.
[[nodiscard]] result<resolved_endpoints> resolve(const preconnection& what,
                                                 caf::scoped_actor& self);

// -- Listeners ----------------------------------------------------------------------------------

/// SetNewConnectionLimit (RFC 9622, section 7.2): the Listener announces this many Connections
/// more, absent for any number, as at first. Those beyond wait, up to 128 of them, for a higher
/// limit; further ones are turned away. Before the Listener listens as well.
void set_new_connection_limit(const listener& what, std::optional<std::uint64_t> limit);

/// Stop (RFC 9622, section 7.2): `stopped` follows; Connections live on.
void stop(const listener& what);

// -- Connections ----------------------------------------------------------------------------------

/// Options of Send that are not Message Properties.
struct send_options {
  /// Part of a Message when false; the parts of a Message are sent one after the other.
  bool end_of_message = true;
  /// Tell the owner when it has left: `sent`. Also on when the owner wants all of them.
  bool notify = false;
};

/// Send (RFC 9622, section 9.2). Never refused and never blocks; `send_error` tells what failed,
/// also of each Send that waited for an establishment in vain, before the `establishment_error`.
/// Who waits for `sent` before sending more runs in constant memory.
void send(const connection& to, slice data, message_context context = {},
          send_options options = {});

/// As above; copies `text`.
void send(const connection& to, std::string_view text, message_context context = {},
          send_options options = {});

/// Receive (RFC 9622, section 9.3): `received`, `received_partial` or `receive_error` follows, once
/// per `count`. Without such requests nothing is read and the peer is held back.
void receive(const connection& from, const receive_request& request = {});

/// Clone (RFC 9622, section 7.4): another Connection of the same kind; `ready` or
/// `establishment_error` follows, and on failure `clone_error` on `parent`.
/// @pre `parent` lives on this node
connection clone(const connection& parent, const owner_ref& owner,
                 const action_options& options = {});

/// Close (RFC 9622, section 10): what was sent is delivered, then `closed` follows.
void close(const connection& what);

/// Abort (RFC 9622, section 10): drops everything; `connection_error` follows.
void abort(const connection& what);

/// SetProperty (RFC 9622, section 8.1). To learn of failure, `request` a `set_property_command`.
void set_property(const connection& what, std::string_view name, property_value value);

/// Chooses the optional events from now on.
void observe(const connection& what, event_set events);

}  // namespace taps
