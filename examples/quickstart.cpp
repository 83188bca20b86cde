// A server and a client in one program: what was resolved, how the race went, what was said.

#include "examples/command_line.hpp"
#include "taps/taps.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <iostream>

namespace {

// --(begin quickstart)--
caf::behavior server() {
  return {
      [](const taps::connection_received& ev) { taps::receive(ev.connection); },
      [](const taps::received& ev) {
        std::cout << "server: got \"" << ev.message.view() << "\"" << std::endl;
        taps::send(ev.connection, "Hello client");
        taps::close(ev.connection);
      },
      [](const taps::closed&) {},
      [](const taps::stopped&) {},
  };
}

caf::behavior client(caf::event_based_actor* self, taps::preconnection pre, bool* done) {
  auto connection = taps::initiate(pre, self);
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
        std::cerr << "quickstart: " << to_string(ev.reason) << std::endl;
        self->quit();
      },
      [=](const taps::connection_error& ev) {
        std::cerr << "quickstart: " << to_string(ev.reason) << std::endl;
        self->quit();
      },
  };
}
// --(end quickstart)--

/// Asks a Listener where it listens; 0 when it could not.
std::uint16_t port_of(caf::actor_system& system, const taps::listener& listener) {
  caf::scoped_actor self{system};
  std::uint16_t port = 0;
  self->request(listener, std::chrono::seconds{10}, taps::get_properties_command{})
      .receive(
          [&](const taps::property_list& x) {
            port = static_cast<std::uint16_t>(x.get("_tapline.localPort").get_or<std::int64_t>(0));
          },
          [&](const caf::error& x) {
            std::cerr << "quickstart: cannot listen: " << system.render(x) << std::endl;
          });
  return port;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"A server and a client in one program, over the loopback interface."};
  parse_or_exit(app, argc, argv);
  caf::actor_system_config config;
  taps::add_messages(config);
  caf::actor_system system{config};
  taps::transport_services net{system};
  const auto wanted = taps::reliable_inorder_stream();
  const auto plain = taps::security_parameters::disabled();

  auto listening = net.preconnection(taps::local_endpoint{}, wanted, plain);
  listening.add_framer(taps::length_prefix());
  auto owner = net.spawn(server);
  const auto port = port_of(system, taps::listen(listening, owner));
  if (port == 0)
    return 1;

  auto connecting = net.preconnection(
      taps::remote_endpoint{}.with_hostname("localhost").with_port(port), wanted, plain);
  connecting.add_framer(taps::length_prefix());
  bool done = false;
  caf::scoped_actor self{system};
  self->wait_for(net.spawn(client, connecting, &done));
  return done ? 0 : 1;
}
