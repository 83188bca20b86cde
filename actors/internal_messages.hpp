#pragma once

#include "taps/actors/admission.hpp"
#include "taps/actors/config.hpp"
#include "taps/actors/connection_group.hpp"
#include "taps/core/connection/channel.hpp"
#include "taps/core/establishment/listening.hpp"
#include "taps/core/racing/establishment_report.hpp"
#include "taps/core/racing/race.hpp"

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include <atomic>

namespace taps {

// Messages between Tapline's own actors; they never leave the node.

/// Says what a Connection or Listener is to be: the preconnection's order.
struct equip_order {
  config_ptr config;
  /// Of a Connection that is cloned; else null.
  std::shared_ptr<connection_group> group{};
};

/// The Message of InitiateWithSend.
struct first_send {
  send_command command;
};

/// How a race ended: with a channel, or with an error.
struct race_outcome {
  std::shared_ptr<std::unique_ptr<channel>> winner;
  error failure;
  establishment_report report;
};

/// How far a candidate is: ready (with its channel), at a new stage, or failed.
struct candidate_news {
  leaf_id leaf = 0;
  attempt_stage stage = attempt_stage::connecting;
  std::shared_ptr<std::unique_ptr<channel>> ready;
  error failure;
};

/// What the Connections of a Listener know of it.
struct listening {
  listener handle;
  caf::actor owner;
  config_ptr config;
  /// All that come by it, if they are the senders of multicast groups; else null.
  std::shared_ptr<connection_group> senders;
  event_set events = event_set::none;
  /// Set once Stop was called: Connections not announced by then never are.
  std::atomic<bool> stopped{false};
  /// Who may be announced; for any thread.
  mutable admission gate;
};

/// Tells an accepted Connection that waits that it may be announced.
struct admitted {};

/// Tells an acceptor where to listen from now on.
struct place_order {
  std::vector<listening_place> places;
  /// Without the sockets that this asks for there is no Listener; later ones come and go with the
  /// links.
  bool first = true;
};

/// What an acceptor could make of its order.
struct acceptor_news {
  /// Of the first order, why there can be no Listener.
  error failure;
  /// Where it listens, ports included.
  std::vector<listening_place> places;
  /// The port that the kernel chose, or 0.
  std::uint16_t port = 0;
  /// For want of descriptors or memory there is less than was ordered.
  bool short_of_means = false;
};

/// Tells a Connection that a clone of it failed.
struct clone_failure {
  error reason;
};

}  // namespace taps

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(taps::admitted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(taps::clone_failure)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(taps::acceptor_news)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(taps::place_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(taps::equip_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(taps::first_send)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(taps::race_outcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(taps::candidate_news)
