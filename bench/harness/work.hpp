#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bench {

// -- what two ends do ---------------------------------------------------------

/// What the two ends of a connection do with each other.
enum class exchange {
  /// Both ends read until `message_size` bytes came, then answer with as many.
  ping_pong,
  /// The driving end connects and closes; the serving end sees the end of the stream and closes
  /// too;
  /// only then comes the next connection.
  connect_close,
  /// The driving end sends `message_size` bytes with a length prefix, `pipeline_window` messages
  /// ahead
  /// of the serving end, which answers every `pipeline_ack_every` messages with one such message.
  pipelined,
  /// The driving end writes `message_size` bytes at a time for ever, the serving end reads.
  bulk,
  /// Connections are opened one after the other, stay ready to receive, and nothing is sent.
  idle,
};

/// Messages the sender of `exchange::pipelined` may be ahead of the last acknowledgement.
constexpr std::size_t pipeline_window = 1024;

/// Messages one acknowledgement stands for.
constexpr std::size_t pipeline_ack_every = 512;

/// Largest read of a receiver of `exchange::pipelined` and `exchange::bulk`.
constexpr std::size_t large_read = 256 * 1024;

/// Queue of not yet accepted connections every serving end asks for.
constexpr int listen_backlog = 4096;

/// One end's orders. The same plan goes to every subject.
struct plan {
  exchange what = exchange::ping_pong;
  std::size_t message_size = 64;
  std::size_t connections = 1;
  /// Loopback address of the serving end. It differs from run to run, so that no run finds the
  /// ports that an earlier one left in TIME_WAIT.
  std::string address = "127.0.0.1";
};

// -- the rows of the table ----------------------------------------------------

/// How a work is measured.
enum class method {
  /// Units per second, and CPU time per unit where it is a round trip.
  rate,
  /// The same while idle connections are registered in the same loop.
  rate_beside_idle,
  /// Resident bytes per connection, each end in its own process.
  resident_bytes,
  /// Milliseconds until one of two addresses, one of them dead, gave a connection.
  time_to_ready,
};

/// One row of the table.
struct work {
  std::string name;
  std::string unit;
  method how = method::rate;
  plan orders;
  /// Idle connections beside the measured one (`method::rate_beside_idle`).
  std::size_t idle_connections = 0;
  /// 1: both ends on one thread. 2: one thread, on its own CPU, per end.
  unsigned cpus = 1;
};

/// All rows, in the order of the table.
std::vector<work> all_works();

}  // namespace bench
