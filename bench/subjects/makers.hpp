#pragma once

#include "taps/bench/harness/subject.hpp"

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

}  // namespace bench
