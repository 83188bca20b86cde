// A server and a client in one program: what was resolved, how the race went, what was said.

#include "examples/command_line.hpp"
#include "taps/taps.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <iostream>

namespace {

// --(begin server)--
caf::behavior server(caf::event_based_actor* self) {
  self->set_default_handler(caf::drop);  // of the other events, such as `closed`
  return {
      [](const taps::connection_received& ev) { taps::receive(ev.connection); },
      [](const taps::received& ev) {
        std::cout << "server: got \"" << ev.message.view() << "\"" << std::endl;
        taps::send(ev.connection, "Hello client");
        taps::close(ev.connection);
      },
      [](const taps::establishment_error& ev) {
        std::cerr << "cannot listen: " << to_string(ev.reason) << std::endl;
      },
  };
}
// --(end server)--

// --(begin client)--
caf::behavior client(caf::event_based_actor* self, taps::preconnection pre, bool* done) {
  self->set_default_handler(caf::drop);
  auto connection = taps::initiate(pre, self);  // a handle at once, still establishing
  taps::send(connection, "Hello server");
  taps::receive(connection);
  return {
      [](const taps::ready& ev) {
        std::cout << to_string(ev.report) << "\n" << timeline(ev.report) << "\n";
      },
      [=](const taps::received& ev) {
        std::cout << "client: got \"" << ev.message.view() << "\"" << std::endl;
        *done = true;
        taps::close(ev.connection);
      },
      [=](const taps::closed&) { self->quit(); },
      [=](const taps::establishment_error& ev) {
        std::cerr << "cannot connect: " << to_string(ev.reason) << std::endl;
        self->quit();
      },
      [=](const taps::connection_error& ev) {
        std::cerr << "connection lost: " << to_string(ev.reason) << std::endl;
        self->quit();
      },
  };
}
// --(end client)--

// --(begin program)--
/// Returns whether client and server understood each other.
bool talk() {
  caf::actor_system_config config;
  taps::add_messages(config);
  caf::actor_system system{config};
  taps::transport_services net{system};
  caf::scoped_actor self{system};

  // What both ends want of the network. Security is on unless one says otherwise.
  const auto wanted = taps::reliable_inorder_stream();
  const auto plain = taps::security_parameters::disabled();

  auto here = net.preconnection(taps::local_endpoint{}, wanted, plain);
  here.add_framer(taps::length_prefix());
  auto listener = taps::listen(here, net.spawn(server));
  std::uint16_t port = 0;  // the server did not ask for one, so it is told
  self->request(listener, caf::infinite, taps::get_properties_command{})
      .receive(
          [&](const taps::property_list& x) {
            port = static_cast<std::uint16_t>(x.get("_tapline.localPort").get_or<std::int64_t>(0));
          },
          [](const caf::error&) { /* the server says why */ });
  if (port == 0)
    return false;

  auto there = net.preconnection(taps::remote_endpoint{}.with_hostname("localhost").with_port(port),
                                 wanted, plain);
  there.add_framer(taps::length_prefix());
  bool done = false;
  self->wait_for(net.spawn(client, there, &done));
  return done;
}
// --(end program)--

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app{"A server and a client in one program, over the loopback interface."};
  parse_or_exit(app, argc, argv);
  return talk() ? 0 : 1;
} catch (const std::exception& problem) {
  return give_up(problem);
}
