// A framer of the application's own, and a second connection by Clone.

#include "examples/command_line.hpp"
#include "taps/taps.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <iostream>

namespace {

/// Every message has five bytes, so nothing but bytes travels.
class five_bytes : public taps::framer {
public:
  std::string_view name() const noexcept override { return "five_bytes"; }

  taps::result<void> new_sent_message(taps::framer_context& context, taps::slice data,
                                      const taps::message_context&, bool end) override {
    if (data.size() != 5 || !end)
      return {taps::errc::invalid_message_properties, "five_bytes: a message has five bytes"};
    context.send(std::move(data));
    return {};
  }

  void handle_received_data(taps::framer_context& context) override {
    while (context.parse(5, 5))
      context.deliver_and_advance_receive_cursor(context.inbound_context(), 5, true);
  }
};

caf::behavior echo(caf::event_based_actor* self) {
  self->set_default_handler(caf::drop);  // of the other events, such as `closed`
  return {
      [](const taps::connection_received& ev) {
        taps::receive(ev.connection, {.count = taps::receive_request::unlimited});
      },
      [](const taps::received& ev) { taps::send(ev.connection, ev.message); },
      // The client has finished.
      [](const taps::receive_error& ev) { taps::close(ev.connection); },
      [](const taps::connection_error& ev) { std::cerr << to_string(ev.reason) << std::endl; },
  };
}

caf::behavior client(caf::event_based_actor* self, taps::preconnection pre, int* answers) {
  self->set_default_handler(caf::drop);
  auto first = taps::initiate(pre, self);
  return {
      [=](const taps::ready& ev) {
        // The clone has the framer and all properties of the first one.
        if (ev.connection == first)
          taps::clone(first, self);
        taps::send(ev.connection, ev.connection == first ? "first" : "clone");
        taps::receive(ev.connection);
      },
      [=](const taps::received& ev) {
        std::cout << "got " << ev.message.view() << std::endl;
        ++*answers;
        taps::close(ev.connection);
      },
      [=](const taps::closed&) {
        if (*answers == 2)
          self->quit();
      },
      [=](const taps::establishment_error& ev) {
        std::cerr << "five_bytes: " << to_string(ev.reason) << std::endl;
        self->quit();
      },
      [=](const taps::connection_error& ev) {
        std::cerr << "five_bytes: " << to_string(ev.reason) << std::endl;
        self->quit();
      },
      [](const taps::clone_error& ev) { std::cerr << to_string(ev.reason) << std::endl; },
  };
}

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app{"Five-byte messages by a framer of its own, on a connection and its clone."};
  parse_or_exit(app, argc, argv);
  caf::actor_system_config config;
  taps::add_messages(config);
  caf::actor_system system{config};
  taps::transport_services net{system};
  const auto wanted = taps::reliable_inorder_stream();
  const auto plain = taps::security_parameters::disabled();
  const auto make_framer = [] { return std::make_unique<five_bytes>(); };

  auto listening =
      net.preconnection(taps::local_endpoint{}.with_ip_address("127.0.0.1"), wanted, plain);
  listening.add_framer(make_framer);
  auto listener = taps::listen(listening, net.spawn(echo));
  caf::scoped_actor self{system};
  std::uint16_t port = 0;
  self->request(listener, std::chrono::seconds{10}, taps::get_properties_command{})
      .receive(
          [&](const taps::property_list& x) {
            port = static_cast<std::uint16_t>(x.get("_tapline.localPort").get_or<std::int64_t>(0));
          },
          [&](const caf::error& x) { std::cerr << system.render(x) << std::endl; });
  if (port == 0)
    return 1;

  auto connecting = net.preconnection(
      taps::remote_endpoint{}.with_ip_address("127.0.0.1").with_port(port), wanted, plain);
  connecting.add_framer(make_framer);
  int answers = 0;
  self->wait_for(net.spawn(client, connecting, &answers));
  return answers == 2 ? 0 : 1;
} catch (const std::exception& problem) {
  return give_up(problem);
}
