// Two peers meet, through NATs if need be. Each prints a line that the other one has to be given,
// by mail or whatever carries text; then they exchange a message.

#include "examples/command_line.hpp"
#include "taps/taps.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <iostream>
#include <sstream>
#include <string>

namespace {

struct order {
  std::string stun;
  std::uint16_t stun_port = 3478;
  std::string user;
  std::string password;
  std::string local;
  std::string message = "Hello peer";
  double timeout = 30;
  bool stream = false;
};

// --(begin peer)--
caf::behavior peer(caf::event_based_actor* self, const taps::preconnection& pre, order what,
                   bool* met) {
  auto limit =
      std::chrono::duration_cast<taps::duration>(std::chrono::duration<double>{what.timeout});
  auto connection = taps::rendezvous(pre, self, {.timeout = limit});
  taps::send(connection, what.message);
  taps::receive(connection);
  const auto print = [=](const taps::connection& from, const taps::slice& message) {
    std::cout << "Got message " << message.size() << ": " << message.view() << std::endl;
    *met = true;
    taps::close(from);
  };
  return {
      [](const taps::rendezvous_done& ev) {
        if (const auto* way = ev.report.winner())
          std::cout << "met " << to_string(way->who.remote) << " from " << to_string(way->who.local)
                    << std::endl;
      },
      [=](const taps::received& ev) { print(ev.connection, ev.message); },
      [=](const taps::received_partial& ev) { print(ev.connection, ev.message); },
      [=](const taps::closed&) { self->quit(); },
      [](const taps::receive_error&) { /* the end follows as an event of its own */ },
      [](const taps::send_error&) { /* likewise */ },
      [=](const taps::establishment_error& ev) {
        std::cerr << "rendezvous: " << to_string(ev.reason) << std::endl;
        self->quit();
      },
      [=](const taps::connection_error& ev) {
        std::cerr << "rendezvous: " << to_string(ev.reason) << std::endl;
        self->quit();
      },
  };
}

/// Tells by what addresses we may be reached, and reads those of the peer.
bool exchange_addresses(taps::preconnection& pre, caf::scoped_actor& self) {
  const auto found = taps::resolve(pre, self);
  if (!found) {
    std::cerr << "rendezvous: " << to_string(found.failure()) << std::endl;
    return false;
  }
  std::cout << "tell the peer:";
  for (const auto& x : found->locals)
    std::cout << ' ' << to_string(*x.address()) << ' ' << x.port().value_or(0);
  std::cout << "\nand enter what it says: " << std::flush;
  std::string line;
  std::getline(std::cin, line);
  std::istringstream words{line};
  std::string address;
  std::uint16_t port = 0;
  while (words >> address >> port)
    pre.add_remote(taps::remote_endpoint{}.with_ip_address(address).with_port(port));
  return true;
}
// --(end peer)--

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app{"Meets another one of its kind, through NATs if need be."};
  order what;
  const auto is_address = [](const std::string& text) {
    return taps::ip_address::parse(text) ? "" : "is no address";
  };
  app.add_option("--stun", what.stun, "address of a STUN server, to be met behind a NAT")
      ->check(is_address);
  app.add_option("--stun-port", what.stun_port, "its port")->capture_default_str();
  app.add_option("--user", what.user, "who we are to it");
  app.add_option("--password", what.password, "our password there");
  app.add_option("--local", what.local, "an address of this host; all of them if not given")
      ->check(is_address);
  app.add_option("--message", what.message, "what to send")->capture_default_str();
  app.add_option("--timeout", what.timeout, "seconds to meet in")
      ->capture_default_str()
      ->check(number_from(0.001, 86'400));
  app.add_flag("--stream", what.stream, "meet by a byte stream; datagrams get through more NATs");
  parse_or_exit(app, argc, argv);
  caf::actor_system_config config;
  taps::add_messages(config);
  caf::actor_system system{config};
  taps::transport_services net{system};
  auto here = taps::local_endpoint{};
  if (!what.local.empty())
    here.with_ip_address(what.local);
  if (const auto server = taps::ip_address::parse(what.stun))
    here.with_stun_server({*server, what.stun_port, what.user, what.password});
  auto pre = net.preconnection(
      here, what.stream ? taps::reliable_inorder_stream() : taps::unreliable_datagram(),
      taps::security_parameters::disabled());
  bool met = false;
  caf::scoped_actor self{system};
  if (exchange_addresses(pre, self)) {
    net.spawn(peer, pre, what, &met);
    net.run();
  }
  return met ? 0 : 1;
} catch (const std::exception& problem) {
  return give_up(problem);
}
