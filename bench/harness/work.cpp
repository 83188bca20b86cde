#include "taps/bench/harness/work.hpp"

namespace bench {

namespace {

work ping_pong(std::string name, std::size_t bytes) {
  return {.name = std::move(name),
          .unit = "round_trips_per_second",
          .orders = {.what = exchange::ping_pong, .message_size = bytes}};
}

work pipelined(unsigned cpus) {
  return {.name = "pipelined_64",
          .unit = "messages_per_second",
          .orders = {.what = exchange::pipelined, .message_size = 64},
          .cpus = cpus};
}

work bulk(unsigned cpus) {
  return {.name = "bulk",
          .unit = "bytes_per_second",
          .orders = {.what = exchange::bulk, .message_size = 64 * 1024},
          .cpus = cpus};
}

work idle(std::string name, std::size_t connections) {
  return {.name = std::move(name),
          .unit = "bytes_per_connection",
          .how = method::resident_bytes,
          .orders = {.what = exchange::idle, .connections = connections}};
}

}  // namespace

std::vector<work> all_works() {
  auto beside = ping_pong("ping_pong_64_beside_10k", 64);
  beside.how = method::rate_beside_idle;
  beside.idle_connections = 10'000;
  return {
      ping_pong("ping_pong_64", 64),
      ping_pong("ping_pong_1k", 1024),
      ping_pong("ping_pong_16k", 16 * 1024),
      {.name = "connect_close",
       .unit = "connections_per_second",
       .orders = {.what = exchange::connect_close}},
      pipelined(1),
      pipelined(2),
      bulk(1),
      bulk(2),
      idle("idle_bytes_1k", 1'000),
      idle("idle_bytes_10k", 10'000),
      beside,
      {.name = "race_black_hole",
       .unit = "ms_to_ready",
       .how = method::time_to_ready,
       .orders = {}},
  };
}

}  // namespace bench
