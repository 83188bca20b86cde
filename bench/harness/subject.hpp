#pragma once

#include "taps/bench/harness/meter.hpp"
#include "taps/bench/harness/race_course.hpp"
#include "taps/bench/harness/work.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace bench {

/// One event loop of a subject. It belongs to the thread that makes it and calls `run`; a subject
/// that brings its own threads starts one, which inherits that thread's CPU.
///
/// Rules for all subjects: TCP_NODELAY on both ends; no warm pool of connections; what an
/// experienced user of the library would write, no less and no more.
class host {
public:
  virtual ~host() = default;

  /// Plays the serving end of `orders` on every connection that comes to a fresh port of
  /// `orders.address`, and returns that port. Counts, on `m`, messages (`pipelined`), bytes
  /// (`bulk`), accepted connections (`idle`) and connections it saw closed (`connect_close`).
  virtual std::uint16_t serve(const plan& orders, meter& m) = 0;

  /// Plays the driving end against `port`. Counts, on `m`, round trips (`ping_pong`) and opened
  /// connections (`idle`). May be called before `run` or from a callback of the loop. For
  /// `connect_close` the serving end is in the same host.
  virtual void drive(const plan& orders, std::uint16_t port, meter& m) = 0;

  /// Runs the loop. The process is ended from outside, so this need not return.
  virtual void run() = 0;
};

/// A thing to compare.
struct subject {
  std::string name;
  /// Null if all it can is to race.
  std::unique_ptr<host> (*make)();
  /// Whether this subject says something of its own about the work.
  bool (*does)(const work&);
  /// Connects to the addresses of the course, the first of which is dead, and returns how long that
  /// took; negative if it failed. Null for those who do not race.
  std::chrono::duration<double> (*race)(const race_course&) = nullptr;
};

/// The registry: every subject, in the order of the table's columns. The first is the yardstick.
const std::vector<subject>& subjects();

}  // namespace bench
