#pragma once

#include "taps/bench/harness/subject.hpp"

#include <chrono>
#include <memory>

namespace bench {

/// A hand-written epoll loop that writes every message by itself.
std::unique_ptr<host> make_raw();

/// The same loop, writing what is ready in one go.
std::unique_ptr<host> make_raw_coalescing();

/// Standalone Asio, one io_context.
std::unique_ptr<host> make_asio();

/// libuv, one uv_loop_t.
std::unique_ptr<host> make_libuv();

/// CAF's I/O brokers, its multiplexer run by the calling thread.
std::unique_ptr<host> make_caf_io();

/// Tapline through its public API, one shard.
std::unique_ptr<host> make_tapline();

// -- racers -------------------------------------------------------------------

/// The ideal: nothing but to wait for the attempt delay, and then to connect to the live address.
std::chrono::duration<double> race_ideal(const race_course& course);

/// Tapline through its public API.
std::chrono::duration<double> race_tapline(const race_course& course);

/// The curl program, told the same attempt delay; by the time that it measures.
std::chrono::duration<double> race_curl(const race_course& course);

/// One address after the other, each until the kernel gives up.
std::chrono::duration<double> race_sequential(const race_course& course);

}  // namespace bench
