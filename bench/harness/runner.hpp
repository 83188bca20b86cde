#pragma once

#include "taps/bench/harness/child.hpp"
#include "taps/bench/harness/subject.hpp"
#include "taps/bench/harness/work.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace bench {

/// One number of one round. A round of one work and subject can give several.
struct observation {
  std::string unit;
  /// "client" or "server" where the two ends are told apart, else empty.
  std::string end;
  double value = 0;
};

/// Runs single rounds, each in fresh processes with a time limit.
class runner {
public:
  struct options {
    std::chrono::nanoseconds duration{};
    /// CPU of one-CPU works and of the serving end of the others.
    int cpu = 0;
    /// CPU of the driving end of two-CPU works.
    int second_cpu = 0;
    /// Leaves out the sleeping thread that every process has beside its loops, so that no subject
    /// gains by being alone: the kernel handles the descriptors of a single thread faster.
    bool lone = false;
  };

  explicit runner(options opts);

  /// Runs `w` once. Empty: it failed or took too long.
  std::vector<observation> run(const work& w, const subject& s);

private:
  child start(int cpu, const std::function<void(report_pipe)>& body) const;
  std::vector<observation> run_rate(const work& w, const subject& s);
  std::vector<observation> run_beside_idle(const work& w, const subject& s);
  std::vector<observation> run_resident_bytes(const work& w, const subject& s);
  std::vector<observation> run_time_to_ready(const work& w, const subject& s);
  plan fresh(plan orders);
  std::chrono::steady_clock::time_point limit() const;

  options opts_;
  unsigned runs_;
};

/// Connections that both the wish and the descriptor limit allow.
std::size_t possible_connections(std::size_t wanted);

}  // namespace bench
