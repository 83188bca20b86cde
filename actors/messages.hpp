#pragma once

#include "taps/actors/handles.hpp"
#include "taps/core/base/error.hpp"
#include "taps/core/racing/establishment_report.hpp"

#include <caf/actor_system_config.hpp>

namespace taps {

// -- events ---------------------------------------------------------------------------------
//
// What the owner of a Connection or Listener gets, as ordinary messages (RFC 9622, sections 7 to
// 10). Each names what it is about, so one owner serves thousands. `state` is the Connection's
// state when the event was told. Events have no sender: an unhandled one does no harm.

/// Initiate or Clone succeeded.
struct ready {
  taps::connection connection;
  connection_state state = connection_state::established;
  /// How it came about: every candidate, its times and its fate.
  establishment_report report;
};

/// Rendezvous succeeded: the peer is there, and was heard. Over datagrams that may have been by
/// its first Message, which is to be received.
struct rendezvous_done {
  taps::connection connection;
  connection_state state = connection_state::established;
  /// How it came about: every pair of addresses, its times and its fate.
  establishment_report report;
};

/// Initiate, Clone, Listen or Rendezvous failed. Terminal.
struct establishment_error {
  /// What failed to come about: one of the two is set.
  taps::connection connection;
  taps::listener listener;
  error reason;
  establishment_report report;
};

/// A Listener has a new Connection, established and usable at once.
struct connection_received {
  taps::listener listener;
  taps::connection connection;
  connection_state state = connection_state::established;
};

/// The Listener stopped: its last event.
struct stopped {
  taps::listener listener;
};

/// The Connection could not be cloned; it lives on itself.
struct clone_error {
  taps::connection connection;
  connection_state state = connection_state::established;
  error reason;
};

/// A Message, or the part of it given to one Send, has left for the kernel. Optional.
struct sent {
  taps::connection connection;
  connection_state state = connection_state::established;
  message_context context;
};

/// The lifetime of a Message passed before it was sent.
struct expired {
  taps::connection connection;
  connection_state state = connection_state::established;
  message_context context;
};

/// A Message was not sent.
struct send_error {
  taps::connection connection;
  connection_state state = connection_state::established;
  message_context context;
  error reason;
};

/// A complete Message: answers one Receive.
struct received {
  taps::connection connection;
  connection_state state = connection_state::established;
  slice message;
  message_context context;
};

/// A part of a Message: answers one Receive. What a byte stream without framer yields.
struct received_partial {
  taps::connection connection;
  connection_state state = connection_state::established;
  slice message;
  message_context context;
  bool end_of_message = false;
};

/// Nothing more can be received, or not as asked: answers one Receive.
struct receive_error {
  taps::connection connection;
  connection_state state = connection_state::established;
  message_context context;
  error reason;
};

/// Trouble that ends nothing. Optional.
struct soft_error {
  taps::connection connection;
  connection_state state = connection_state::established;
  error reason;
};

/// A path of the Connection changed. Optional.
struct path_change {
  taps::connection connection;
  connection_state state = connection_state::established;
};

/// The Connection ended without error. Terminal.
struct closed {
  taps::connection connection;
  connection_state state = connection_state::closed;
  property_list properties;
};

/// The Connection ended with an error. Terminal.
struct connection_error {
  taps::connection connection;
  connection_state state = connection_state::closed;
  error reason;
  property_list properties;
};

// -- inspection -------------------------------------------------------------------------------

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, ready& x) {
  return f(caf::meta::type_name("ready"), x.connection, x.state, x.report);
}

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, rendezvous_done& x) {
  return f(caf::meta::type_name("rendezvous_done"), x.connection, x.state, x.report);
}

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, establishment_error& x) {
  return f(caf::meta::type_name("establishment_error"), x.connection, x.listener, x.reason,
           x.report);
}

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, connection_received& x) {
  return f(caf::meta::type_name("connection_received"), x.listener, x.connection, x.state);
}

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, stopped& x) {
  return f(caf::meta::type_name("stopped"), x.listener);
}

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, clone_error& x) {
  return f(caf::meta::type_name("clone_error"), x.connection, x.state, x.reason);
}

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, sent& x) {
  return f(caf::meta::type_name("sent"), x.connection, x.state, x.context);
}

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, expired& x) {
  return f(caf::meta::type_name("expired"), x.connection, x.state, x.context);
}

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, send_error& x) {
  return f(caf::meta::type_name("send_error"), x.connection, x.state, x.context, x.reason);
}

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, received& x) {
  return f(caf::meta::type_name("received"), x.connection, x.state, x.message, x.context);
}

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, received_partial& x) {
  return f(caf::meta::type_name("received_partial"), x.connection, x.state, x.message, x.context,
           x.end_of_message);
}

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, receive_error& x) {
  return f(caf::meta::type_name("receive_error"), x.connection, x.state, x.context, x.reason);
}

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, soft_error& x) {
  return f(caf::meta::type_name("soft_error"), x.connection, x.state, x.reason);
}

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, path_change& x) {
  return f(caf::meta::type_name("path_change"), x.connection, x.state);
}

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, closed& x) {
  return f(caf::meta::type_name("closed"), x.connection, x.state, x.properties);
}

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, connection_error& x) {
  return f(caf::meta::type_name("connection_error"), x.connection, x.state, x.reason, x.properties);
}

/// Registers all events, commands and handles, so that they can travel to other nodes. Call it
/// before the actor system starts.
void add_messages(caf::actor_system_config& config);

/// Returns the error with the category `taps`: what exit reasons and failed requests carry.
[[nodiscard]] caf::error to_caf_error(const error& reason);

/// The reverse; errors of other categories become `ProtocolFailed` with their text.
[[nodiscard]] error from_caf_error(const caf::error& reason);

}  // namespace taps
