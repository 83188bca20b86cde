// The server of NEATPy's manual: answers the first data of each connection with a greeting and
// closes once that is sent.

#include "examples/command_line.hpp"
#include "taps/taps.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>

#include <atomic>
#include <csignal>
#include <iostream>
#include <unistd.h>

namespace {

std::atomic<int> exit_code{0};

/// Has `main` end, as Ctrl-C does.
void end_program(int code) {
  exit_code = code;
  ::kill(::getpid(), SIGTERM);
}

// --(begin server)--
caf::behavior server(caf::event_based_actor* self, taps::transport_services net,
                     std::uint16_t port) {
  using taps::property_id;
  auto wanted = taps::transport_properties{}
                    .require(property_id::reliability)
                    .prohibit(property_id::preserve_msg_boundaries);
  auto pre = net.preconnection(taps::local_endpoint{}.with_port(port), wanted,
                               taps::security_parameters::disabled());
  auto listener = taps::listen(pre, self);
  self->request(listener, caf::infinite, taps::get_properties_command{})
      .then(
          [](const taps::property_list& x) {
            std::cout << "listening on port " << to_string(x.get("_tapline.localPort"))
                      << std::endl;
          },
          [](const caf::error&) { /* told as establishment_error */ });
  return {
      [](const taps::connection_received& ev) { taps::receive(ev.connection); },
      [](const taps::received_partial& ev) {
        if (ev.message.empty())
          taps::close(ev.connection);
        else
          taps::send(ev.connection, "Hello from server", {}, {.notify = true});
      },
      [](const taps::sent& ev) { taps::close(ev.connection); },
      [](const taps::closed&) { std::cout << "greeted a client" << std::endl; },
      [](const taps::connection_error& ev) { std::cerr << to_string(ev.reason) << std::endl; },
      [](const taps::receive_error&) { /* the end follows as an event of its own */ },
      [](const taps::send_error&) { /* likewise */ },
      [](const taps::stopped&) {},
      [](const taps::establishment_error& ev) {
        std::cerr << "hello_server: " << to_string(ev.reason) << std::endl;
        end_program(1);
      },
  };
}
// --(end server)--

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app{"Answers \"Hello from server\" to the first data of each connection."};
  std::uint16_t port = 5000;
  app.add_option("--port", port, "port to listen on; 0 picks one")
      ->capture_default_str()
      ->check(number_from(0, 65'535));
  parse_or_exit(app, argc, argv);
  // All threads inherit this, so that the signals wait for `sigwait`.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  caf::actor_system_config config;
  taps::add_messages(config);
  caf::actor_system system{config};
  taps::transport_services net{system};
  net.spawn(server, net, port);
  int received = 0;
  sigwait(&signals, &received);
  return exit_code;
} catch (const std::exception& problem) {
  return give_up(problem);
}
