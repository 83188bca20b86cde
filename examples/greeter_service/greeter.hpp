#pragma once

#include "taps/taps.hpp"

#include <caf/event_based_actor.hpp>

#include <iostream>
#include <string>

/// Greets by name whoever sends one; names and greetings have a length in front.
inline caf::behavior greeter(caf::event_based_actor* self) {
  self->set_default_handler(caf::drop);  // of the events that change nothing here
  return {
      [](const taps::connection_received& ev) {
        taps::receive(ev.connection, {.count = taps::receive_request::unlimited});
      },
      [](const taps::received& ev) {
        taps::send(ev.connection, "Hello, " + ev.message.str() + "!");
      },
      [](const taps::receive_error& ev) { taps::close(ev.connection); },
      [=](const taps::establishment_error& ev) {
        std::cerr << "greeter: " << to_string(ev.reason) << std::endl;
        self->quit(taps::to_caf_error(ev.reason));
      },
  };
}

/// The place where it greets; port 0 picks one.
inline taps::preconnection greeting_place(taps::transport_services& net, std::uint16_t port) {
  auto place =
      net.preconnection(taps::local_endpoint{}.with_port(port), taps::reliable_inorder_stream(),
                        taps::security_parameters::disabled());
  return place.add_framer(taps::length_prefix());
}
