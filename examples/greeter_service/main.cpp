#include "greeter.hpp"

#include <CLI/CLI.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <exception>

int main(int argc, char** argv) try {
  CLI::App app{"Greets by name whoever sends one, with a length in front of both."};
  std::uint16_t port = 5001;
  app.add_option("--port", port, "where to listen")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  caf::actor_system_config config;
  taps::add_messages(config);
  caf::actor_system system{config};
  taps::transport_services net{system};
  taps::listen(greeting_place(net, port), net.spawn(greeter));
  net.run();  // until the greeter gives up
  return 1;
} catch (const std::exception& problem) {
  std::cerr << "greeter: " << problem.what() << std::endl;
  return 1;
}
