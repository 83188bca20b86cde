#include "greeter.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

int main() {
  caf::actor_system_config config;
  taps::add_messages(config);
  caf::actor_system system{config};
  taps::transport_services net{system};
  taps::listen(greeting_place(net, 5001), net.spawn(greeter));
  net.run();
}
