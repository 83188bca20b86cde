#include "taps/bench/harness/subject.hpp"
#include "taps/bench/subjects/makers.hpp"

namespace bench {

namespace {

bool races(const work& w) { return w.how == method::time_to_ready; }

bool everything(const work&) { return true; }

bool transfers(const work& w) { return !races(w); }

// The two raw loops differ only in how they write pipelined messages.
bool pipelined_only(const work& w) { return w.orders.what == exchange::pipelined; }

}  // namespace

const std::vector<subject>& subjects() {
  static const std::vector<subject> all{
      {"raw", make_raw, everything, race_ideal},
      {"raw_coalescing", make_raw_coalescing, pipelined_only},
      {"tapline", make_tapline, everything, race_tapline},
      {"asio", make_asio, transfers},
      {"libuv", make_libuv, transfers},
      {"caf_io", make_caf_io, transfers},
      {"curl", nullptr, races, race_curl},
      {"sequential", nullptr, races, race_sequential},
  };
  return all;
}

}  // namespace bench
