#include "taps/bench/harness/runner.hpp"

#include "taps/bench/harness/meter.hpp"
#include "taps/bench/harness/pinning.hpp"
#include "taps/bench/harness/sockets.hpp"

#include <algorithm>
#include <thread>
#include <unistd.h>

namespace bench {

namespace {

/// Descriptors left for everything that is not a measured connection.
constexpr std::size_t spare_descriptors = 128;

/// Connections opened before the memory of the next ones is measured: pools, first-touched code and
/// the like are not a connection's.
constexpr std::size_t first_connections = 32;

/// What a run may take beyond its duration: 10,000 connections take a second or two.
constexpr std::chrono::seconds patience{30};

std::vector<observation> rates(const work& w, const rate_sample& x) {
  std::vector<observation> result{{w.unit, "", x.units_per_second}};
  if (w.orders.what == exchange::ping_pong)
    result.push_back({"cpu_us_per_round_trip", "", x.cpu_us_per_unit});
  return result;
}

// Two threads, each with a loop and a CPU of its own; the calling one is pinned already.
void run_two(const subject& s, const plan& orders, int driver_cpu, rate_meter& m) {
  auto server = s.make();
  auto port = server->serve(orders, m);
  std::thread driver([&] {
    no_meter nobody;
    pin_to(driver_cpu);
    auto client = s.make();
    client->drive(orders, port, nobody);
    client->run();
  });
  server->run();
  driver.join();
}

// One thread and loop for both ends.
void run_one(const subject& s, const plan& orders, rate_meter& m) {
  no_meter nobody;
  auto both = s.make();
  bool server_counts = orders.what != exchange::ping_pong;
  auto port = both->serve(orders, server_counts ? static_cast<meter&>(m) : nobody);
  both->drive(orders, port, server_counts ? static_cast<meter&>(nobody) : m);
  both->run();
}

// The far ends of idle connections that are registered elsewhere: no subject, just descriptors.
void hold_connections(const plan& orders, std::uint16_t port) {
  for (std::size_t i = 0; i < orders.connections; ++i)
    connect_blocking(orders.address, port);
  for (;;)
    ::pause();
}

// Counts `orders.connections` openings at one end and puts the bytes each took.
milestone_meter memory_meter(const plan& orders, report_pipe out, std::uint64_t& before) {
  auto first = std::min(first_connections, orders.connections / 2);
  auto measured = static_cast<double>(orders.connections - first);
  return {first, [&before] { before = resident_bytes(); }, orders.connections,
          [&before, out, measured] {
            auto grown = static_cast<double>(resident_bytes()) - static_cast<double>(before);
            out.put(grown / measured);
          }};
}

}  // namespace

std::size_t possible_connections(std::size_t wanted) {
  auto limit = raise_descriptor_limit();
  return std::min(wanted, limit > 2 * spare_descriptors ? limit - spare_descriptors : limit / 2);
}

runner::runner(options opts) : opts_(opts), runs_(static_cast<unsigned>(::getpid())) {
  // nop
}

std::vector<observation> runner::run(const work& w, const subject& s) {
  switch (w.how) {
  case method::rate:
    return run_rate(w, s);
  case method::rate_beside_idle:
    return run_beside_idle(w, s);
  case method::resident_bytes:
    return run_resident_bytes(w, s);
  case method::time_to_ready:
    return run_time_to_ready(w, s);
  }
  return {};
}

child runner::start(int cpu, const std::function<void(report_pipe)>& body) const {
  return {cpu, [&](report_pipe out) {
            if (!opts_.lone)
              std::thread{[] {
                for (;;)
                  ::pause();
              }}.detach();
            body(out);
          }};
}

std::vector<observation> runner::run_rate(const work& w, const subject& s) {
  auto orders = fresh(w.orders);
  auto process = start(opts_.cpu, [&](report_pipe out) {
    rate_meter m(opts_.duration, [out](const rate_sample& x) { out.put(x); });
    if (w.cpus == 2)
      run_two(s, orders, opts_.second_cpu, m);
    else
      run_one(s, orders, m);
  });
  rate_sample x;
  if (!process.take(x, limit()))
    return {};
  return rates(w, x);
}

std::vector<observation> runner::run_beside_idle(const work& w, const subject& s) {
  auto orders = fresh(w.orders);
  plan idle{.what = exchange::idle,
            .connections = possible_connections(w.idle_connections),
            .address = orders.address};
  auto process = start(opts_.cpu, [&](report_pipe out) {
    rate_meter m(opts_.duration, [out](const rate_sample& x) { out.put(x); });
    no_meter nobody;
    auto both = s.make();
    auto port = both->serve(orders, nobody);
    milestone_meter all_there(1, nullptr, idle.connections, [&] { both->drive(orders, port, m); });
    out.put(both->serve(idle, all_there));
    both->run();
  });
  std::uint16_t port = 0;
  if (!process.take(port, limit()))
    return {};
  auto far_ends = start(opts_.cpu, [&](report_pipe) { hold_connections(idle, port); });
  rate_sample x;
  if (!process.take(x, limit()))
    return {};
  return rates(w, x);
}

std::vector<observation> runner::run_resident_bytes(const work& w, const subject& s) {
  auto orders = fresh(w.orders);
  orders.connections = possible_connections(orders.connections);
  auto server = start(opts_.cpu, [&](report_pipe out) {
    std::uint64_t before = 0;
    auto m = memory_meter(orders, out, before);
    auto loop = s.make();
    out.put(loop->serve(orders, m));
    loop->run();
  });
  std::uint16_t port = 0;
  if (!server.take(port, limit()))
    return {};
  auto client = start(opts_.cpu, [&](report_pipe out) {
    std::uint64_t before = 0;
    auto m = memory_meter(orders, out, before);
    auto loop = s.make();
    loop->drive(orders, port, m);
    loop->run();
  });
  double client_bytes = 0;
  double server_bytes = 0;
  auto until = limit();
  if (!client.take(client_bytes, until) || !server.take(server_bytes, until))
    return {};
  return {{w.unit, "client", client_bytes}, {w.unit, "server", server_bytes}};
}

std::vector<observation> runner::run_time_to_ready(const work& w, const subject& s) {
  // Without the sleeping thread: who has several cannot enter a namespace.
  child process{opts_.cpu, [&](report_pipe out) { out.put(s.race(enter_race_course()).count()); }};
  double seconds = -1;
  if (!process.take(seconds, limit()) || seconds < 0)
    return {};
  return {{w.unit, "", seconds * 1000}};
}

plan runner::fresh(plan orders) {
  ++runs_;
  orders.address =
      "127." + std::to_string(1 + runs_ / 250 % 250) + "." + std::to_string(runs_ % 250) + ".1";
  return orders;
}

std::chrono::steady_clock::time_point runner::limit() const {
  return std::chrono::steady_clock::now() + opts_.duration + patience;
}

}  // namespace bench
