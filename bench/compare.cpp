// Measures the same work for Tapline and what one would use instead of it; see bench/README.md.

#include "taps/bench/harness/pinning.hpp"
#include "taps/bench/harness/report.hpp"
#include "taps/bench/harness/runner.hpp"
#include "taps/bench/harness/subject.hpp"
#include "taps/bench/harness/work.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <set>
#include <string>
#include <vector>

namespace {

struct arguments {
  bool quick = false;
  bool lone = false;
  std::vector<std::string> only;
  std::vector<std::string> subjects;
  std::string json;
  unsigned rounds = 9;
  int cpu = -1;
};

std::set<std::string> work_names() {
  std::set<std::string> result;
  for (auto& w : bench::all_works())
    result.insert(w.name);
  return result;
}

std::vector<std::string> subject_names() {
  std::vector<std::string> result;
  for (auto& s : bench::subjects())
    result.push_back(s.name);
  return result;
}

bool chosen(const std::vector<std::string>& choice, const std::string& name) {
  return choice.empty() || std::find(choice.begin(), choice.end(), name) != choice.end();
}

// -- running ------------------------------------------------------------------

std::size_t shown_connections(const bench::work& w) {
  auto wanted = std::max(w.orders.connections, w.idle_connections);
  auto possible = wanted > 1 ? bench::possible_connections(wanted) : wanted;
  if (possible < wanted)
    std::cerr << "compare: " << w.name << ": the descriptor limit leaves " << possible << " of "
              << wanted << " connections\n";
  return possible;
}

void add_round(bench::report& report, bench::row key, const std::vector<bench::observation>& seen) {
  if (seen.empty()) {
    std::cerr << "compare: " << key.work << ", " << key.subject << ": no result in time\n";
    report.add(key, std::nullopt);
  }
  for (auto& x : seen) {
    key.unit = x.unit;
    key.end = x.end;
    report.add(key, x.value);
  }
}

void run_work(const bench::work& w, const arguments& args, bench::runner& runner,
              bench::report& report) {
  auto connections = shown_connections(w);
  // Subjects take turns within a round, so that a slow minute of the machine hits them all.
  for (unsigned round = 1; round <= args.rounds; ++round) {
    std::cerr << w.name << ", " << w.cpus << (w.cpus == 1 ? " CPU" : " CPUs") << ": round " << round
              << " of " << args.rounds << '\n';
    for (auto& s : bench::subjects()) {
      if (!s.does(w) || !chosen(args.subjects, s.name))
        continue;
      bench::row key{.work = w.name,
                     .subject = s.name,
                     .cpus = w.cpus,
                     .connections = connections,
                     .unit = w.unit};
      add_round(report, key, runner.run(w, s));
    }
  }
}

int cannot_write(const std::string& file) {
  std::cerr << "compare: cannot write " << file << '\n';
  return 2;
}

int run(const arguments& args) {
  if (!args.json.empty() && !std::ofstream(args.json, std::ios::app))
    return cannot_write(args.json);  // better now than after six minutes
  auto cpus = bench::allowed_cpus();
  auto cpu = args.cpu >= 0 ? args.cpu : cpus.back();
  if (std::find(cpus.begin(), cpus.end(), cpu) == cpus.end()) {
    std::cerr << "compare: this process may not use CPU " << cpu << '\n';
    return 2;
  }
  auto second = std::find_if(cpus.begin(), cpus.end(), [cpu](int x) { return x != cpu; });
  using namespace std::chrono_literals;
  bench::runner runner({.duration = args.quick ? 50ms : 400ms,
                        .cpu = cpu,
                        .second_cpu = second == cpus.end() ? cpu : *second,
                        .lone = args.lone});
  bench::report report;
  for (auto& w : bench::all_works()) {
    if (!chosen(args.only, w.name))
      continue;
    if (w.cpus == 2 && second == cpus.end()) {
      std::cerr << "compare: " << w.name << " on two CPUs left out: there is only one\n";
      continue;
    }
    run_work(w, args, runner, report);
  }
  auto columns = subject_names();
  report.print_table(std::cout, columns);
  if (!args.json.empty() && !report.write_json(args.json, columns.front()))
    return cannot_write(args.json);
  return report.has_failures() ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Measures the same work for Tapline, a raw epoll loop, Asio, libuv and CAF's I/O broker, "
      "taking turns, and prints ratios to the raw loop.");
  arguments args;
  app.add_flag("--quick", args.quick, "smoke run: short runs, 3 rounds unless told");
  app.add_flag("--lone", args.lone, "no sleeping thread beside the loops; see bench/README.md");
  app.add_option("--only", args.only, "measure this work only (may be repeated)")
      ->check(CLI::IsMember(work_names()))
      ->take_all();
  app.add_option("--subject", args.subjects, "measure this subject only (may be repeated)")
      ->check(CLI::IsMember(subject_names()))
      ->take_all();
  app.add_option("--json", args.json, "also write the rows to this file");
  auto rounds = app.add_option("--rounds", args.rounds, "rounds per row")
                    ->check(CLI::Range(1u, 1000u))
                    ->capture_default_str();
  app.add_option("--cpu", args.cpu, "CPU to measure on (default: the last one allowed)")
      ->check(CLI::NonNegativeNumber);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? 0 : 2;
  }
  if (args.quick && rounds->empty())
    args.rounds = 3;
  return run(args);
}
