#include "taps/tests/support/simulation/simulation.hpp"

#include "taps/actors/services_impl.hpp"

#include <caf/actor_registry.hpp>
#include <caf/atom.hpp>

#include <cstdio>
#include <cstdlib>

namespace taps::testing {

simulation::config::config() {
  set("scheduler.policy", caf::atom("testing"));
  add_messages(*this);
}

simulation::simulation(simulation_options options)
    : system_(config_), loop_(system_), network_(options.seed) {
  std::vector<shard_ptr> all;
  for (std::size_t i = 0; i < options.shards; ++i) {
    auto made = std::make_shared<simulated_shard>(system_, loop_);
    std::vector<std::unique_ptr<transport>> ways;
    for (const auto& x : options.protocols)
      ways.push_back(std::make_unique<simulated_transport>(*made, network_, names_, x));
    made->equip(names_.make_resolver(*made), std::move(ways));
    shards_.push_back(made);
    all.push_back(std::move(made));
  }
  transport_services_options of_services;
  of_services.racing = options.racing;
  of_services.history = options.history;
  of_services.policy = options.policy;
  of_services.policy_file = options.policy_file;
  services_ = std::make_unique<transport_services>(
      std::make_shared<transport_services::impl>(system_, std::move(all), std::move(of_services)));
  // CAF's own actors start before the first step, so that they are no part of it.
  loop_.settle();
}

simulation::~simulation() {
  for (auto& x : recorders_)
    x->end(caf::exit_reason::kill);
  loop_.settle();
  for (auto& x : shards_)
    x->post(
        [where = x.get()] { where->for_each_resident([](resident& y) { y.on_shutdown(true); }); });
  loop_.settle();
  services_->shutdown({});
  loop_.run_until_idle();
  for (auto& x : recorders_) {
    x->clear();
    x->set_handle({});
  }
  network_.disband();
  if (num_actors() == 0 && system_.registry().running() == 0)
    return;
  std::fprintf(stderr, "simulation: %d pinned actors, %zu of all, have not ended\n", num_actors(),
               system_.registry().running());
  std::abort();
}

// -- the world --------------------------------------------------------------------------------

void simulation::set_links(taps::network links) {
  const auto shared = std::make_shared<const taps::network>(std::move(links));
  for (const auto& x : shards_)
    x->post([where = x.get(), shared] { where->set_links(shared); });
  loop_.settle();
}

// -- actors -----------------------------------------------------------------------------------

std::shared_ptr<recorder> simulation::make_recorder() {
  return recorders_.emplace_back(std::make_shared<recorder>([this] { return loop_.elapsed(); }));
}

recorder& simulation::owner(std::size_t shard) {
  auto made = make_recorder();
  made->set_handle(services_->spawn_on(shard, recording_owner, made));
  return *made;
}

recorder& simulation::unpinned_owner() {
  auto made = make_recorder();
  made->set_handle(system_.spawn(recording_owner, made));
  return *made;
}

preconnection simulation::to(std::string_view host, std::uint16_t port,
                             transport_properties properties) {
  remote_endpoint where;
  if (auto address = ip_address::parse(host))
    where.with_ip_address(*address);
  else
    where.with_hostname(host);
  where.with_port(port);
  return services_->preconnection(std::move(where), std::move(properties),
                                  security_parameters::disabled());
}

preconnection simulation::at(std::uint16_t port, transport_properties properties) {
  return services_->preconnection(local_endpoint{}.with_port(port), std::move(properties),
                                  security_parameters::disabled());
}

int simulation::num_actors() const {
  int all = 0;
  for (const auto& x : shards_)
    all += x->num_actors();
  return all;
}

std::size_t simulation::num_residents() const {
  std::size_t all = 0;
  for (const auto& x : shards_)
    all += x->num_residents();
  return all;
}

}  // namespace taps::testing
