#include "taps/bench/harness/subject.hpp"
#include "taps/bench/subjects/makers.hpp"

namespace bench {

namespace {

bool everything(const work&) { return true; }

// The two raw loops differ only in how they write pipelined messages.
bool pipelined_only(const work& w) { return w.orders.what == exchange::pipelined; }

}  // namespace

const std::vector<subject>& subjects() {
  static const std::vector<subject> all{
      {"raw", make_raw, everything},
      {"raw_coalescing", make_raw_coalescing, pipelined_only},
      {"tapline", make_tapline, everything},
      {"asio", make_asio, everything},
      {"libuv", make_libuv, everything},
      {"caf_io", make_caf_io, everything},
  };
  return all;
}

}  // namespace bench
