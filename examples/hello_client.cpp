// The client of NEATPy's manual: sends a message, waits for the answer, prints it and closes.

#include "examples/command_line.hpp"
#include "taps/taps.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>

#include <iostream>
#include <string>

namespace {

struct order {
  std::string host = "localhost";
  std::uint16_t port = 5000;
  std::string message = "Hello server";
  double timeout = 10;
};

// --(begin client)--
caf::behavior client(caf::event_based_actor* self, taps::transport_services net, order what,
                     bool* greeted) {
  using taps::property_id;
  auto wanted = taps::transport_properties{}
                    .require(property_id::reliability)
                    .prohibit(property_id::preserve_msg_boundaries);
  auto there = taps::remote_endpoint{}.with_hostname(what.host).with_port(what.port);
  auto pre = net.preconnection(there, wanted, taps::security_parameters::disabled());
  auto limit =
      std::chrono::duration_cast<taps::duration>(std::chrono::duration<double>{what.timeout});
  // The connection is still establishing, and yet it takes messages.
  auto connection = taps::initiate(pre, self, {.timeout = limit});
  taps::send(connection, what.message);
  taps::receive(connection);
  return {
      [](const taps::ready&) {},
      [=](const taps::received_partial& ev) {
        *greeted = !ev.message.empty();
        if (*greeted)
          std::cout << "Got message " << ev.message.size() << ": " << ev.message.view()
                    << std::endl;
        else
          std::cerr << "hello_client: the server closed without an answer" << std::endl;
        taps::close(ev.connection);
      },
      [=](const taps::closed&) { self->quit(); },
      [](const taps::receive_error&) { /* the end follows as an event of its own */ },
      [](const taps::send_error&) { /* likewise */ },
      [=](const taps::establishment_error& ev) {
        std::cerr << "hello_client: " << to_string(ev.reason) << std::endl;
        self->quit();
      },
      [=](const taps::connection_error& ev) {
        std::cerr << "hello_client: " << to_string(ev.reason) << std::endl;
        self->quit();
      },
      caf::after(limit) >>
          [=] {
            std::cerr << "hello_client: nothing came in time" << std::endl;
            taps::abort(connection);
            self->quit();
          },
  };
}
// --(end client)--

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app{"Sends a message to hello_server and prints the answer."};
  order what;
  app.add_option("host", what.host, "name or address of the server")->capture_default_str();
  app.add_option("--port", what.port, "port of the server")
      ->capture_default_str()
      ->check(number_from(1, 65'535));
  app.add_option("--message", what.message, "what to send")
      ->capture_default_str()
      ->check([](const std::string& text) { return text.empty() ? "has no text" : ""; });
  app.add_option("--timeout", what.timeout,
                 "seconds to wait for the connection, and for the answer")
      ->capture_default_str()
      ->check(number_from(0.001, 86'400));
  parse_or_exit(app, argc, argv);
  caf::actor_system_config config;
  taps::add_messages(config);
  caf::actor_system system{config};
  taps::transport_services net{system};
  bool greeted = false;
  net.spawn(client, net, what, &greeted);
  net.run();
  return greeted ? 0 : 1;
} catch (const std::exception& problem) {
  return give_up(problem);
}
