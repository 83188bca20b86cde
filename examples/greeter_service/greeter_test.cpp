#include "greeter.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <gtest/gtest.h>

TEST(greeter, greets_by_name) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  taps::transport_services net{system};
  caf::scoped_actor self{system};
  std::int64_t port = 0;
  auto listener = taps::listen(greeting_place(net, 0), net.spawn(greeter));
  self->request(listener, std::chrono::seconds{10}, taps::get_properties_command{})
      .receive(
          [&](const taps::property_list& x) {
            port = x.get("_tapline.localPort").get_or<std::int64_t>(0);
          },
          [&](const caf::error& x) { FAIL() << system.render(x); });
  auto there = taps::remote_endpoint{}
                   .with_hostname("localhost")
                   .with_port(static_cast<std::uint16_t>(port));
  auto pre = net.preconnection(there, taps::reliable_inorder_stream(),
                               taps::security_parameters::disabled());
  pre.add_framer(taps::length_prefix());
  auto connection = taps::initiate(pre, self);
  taps::send(connection, "Ada");
  taps::receive(connection);
  self->receive([](const taps::ready&) {}, caf::after(std::chrono::seconds{10}) >> [] { FAIL(); });
  self->receive([](const taps::received& ev) { EXPECT_EQ(ev.message.view(), "Hello, Ada!"); },
                caf::after(std::chrono::seconds{10}) >> [] { FAIL(); });
  taps::close(connection);
  self->receive([](const taps::closed&) {}, caf::after(std::chrono::seconds{10}) >> [] { FAIL(); });
}
