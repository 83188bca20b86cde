// Watches a race: connects, says how each candidate fared, draws it, and closes.

#include "examples/command_line.hpp"
#include "taps/taps.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>

#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

namespace {

using taps::preference;

struct order {
  std::string host;
  std::uint16_t port = 0;
  double timeout = 30;
  int delay = 250;
  std::string svg;
  std::vector<std::pair<std::string, preference>> wishes;
};

// --(begin racer)--
/// Connects, keeps the report of how that went and leaves.
caf::behavior racer(caf::event_based_actor* self, taps::preconnection pre, taps::duration limit,
                    std::optional<taps::establishment_report>* report) {
  taps::initiate(pre, self, {.timeout = limit});
  return {
      [=](const taps::ready& ev) {
        *report = ev.report;
        taps::close(ev.connection);
      },
      [=](const taps::establishment_error& ev) {
        *report = ev.report;
        std::cerr << "race: " << to_string(ev.reason) << std::endl;
        self->quit();
      },
      [=](const taps::closed&) { self->quit(); },
      [=](const taps::connection_error&) {
        self->quit(); /* it had been ready */
      },
  };
}
// --(end racer)--

/// What the user asked for; a wish that cannot be is said and ends the program.
taps::transport_properties properties_of(const order& what) {
  taps::transport_properties out;
  for (const auto& [name, wish] : what.wishes) {
    if (auto done = out.set(name, wish); !done) {
      std::cerr << "race: " << to_string(done.failure()) << std::endl;
      std::exit(2);
    }
  }
  return out;
}

/// Returns whether the picture was written, or none was asked for.
bool write_picture(const std::string& file, const taps::establishment_report& report) {
  if (file.empty())
    return true;
  std::ofstream out{file};
  out << timeline_svg(report) << std::flush;
  if (!out)
    std::cerr << "race: cannot write '" << file << "'" << std::endl;
  return static_cast<bool>(out);
}

/// Returns whether there was a connection and everything was written.
bool run(const order& what) {
  const auto wanted = properties_of(what);
  caf::actor_system_config config;
  taps::add_messages(config);
  caf::actor_system system{config};
  taps::transport_services net{system};
  auto pre =
      net.preconnection(taps::remote_endpoint{}.with_hostname(what.host).with_port(what.port),
                        wanted, taps::security_parameters::disabled());
  pre.set_racing({.attempt_delay = std::chrono::milliseconds{what.delay}});
  const auto limit =
      std::chrono::duration_cast<taps::duration>(std::chrono::duration<double>{what.timeout});
  std::optional<taps::establishment_report> report;
  net.spawn(racer, pre, limit, &report);
  net.run();
  if (!report)
    return false;
  std::cout << to_string(*report) << "\n" << timeline(*report) << std::flush;
  return write_picture(what.svg, *report) && report->winner() != nullptr;
}

void add_wishes(CLI::App& app, order& what, const std::string& option, preference wish) {
  app.add_option_function<std::vector<std::string>>(
         option,
         [&what, wish](const std::vector<std::string>& names) {
           for (const auto& name : names)
             what.wishes.emplace_back(name, wish);
         },
         "a Selection Property, such as reliability or multipath; may be repeated")
      ->type_name("PROPERTY")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app{"Connects to HOST and PORT without security, and shows how the candidates raced."};
  order what;
  app.add_option("host", what.host, "name or address of the server")->required();
  app.add_option("port", what.port, "port of the server")
      ->required()
      ->check(number_from(1, 65'535));
  app.add_option("--svg", what.svg, "file to draw the race into")->type_name("FILE");
  app.add_option("--timeout", what.timeout, "seconds to connect in")
      ->capture_default_str()
      ->check(number_from(0.001, 86'400));
  app.add_option("--delay", what.delay, "milliseconds from one attempt to the next")
      ->capture_default_str()
      ->check(number_from(10, 2'000));
  add_wishes(app, what, "--require", preference::require);
  add_wishes(app, what, "--prefer", preference::prefer);
  add_wishes(app, what, "--avoid", preference::avoid);
  add_wishes(app, what, "--prohibit", preference::prohibit);
  parse_or_exit(app, argc, argv);
  return run(what) ? 0 : 1;
} catch (const std::exception& problem) {
  return give_up(problem);
}
