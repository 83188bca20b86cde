#pragma once

#include "taps/core/transport/protocol.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace taps::testing {

/// A protocol instance that the test plays: it says what comes, and sees what goes.
class played_protocol final : public protocol {
public:
  explicit played_protocol(data_unit unit = data_unit::byte_stream) {
    descriptor_.name = "played";
    descriptor_.unit = unit;
  }

  /// Hands up what came, as a protocol does: only with demand.
  void data(std::string_view bytes, bool final = false) {
    sink->on_data(slice::copy_of(bytes),
                  {.end_of_message = descriptor_.unit == data_unit::datagram, .final = final});
  }

  void set_sink(protocol_sink& x) noexcept override { sink = &x; }
  void flush(outbound_queue& queue) override {
    ++flushes;
    if (blocked)
      return;
    for (const auto& x : queue.pieces())
      wire += x.data.view();
    queue.consume(queue.bytes());
  }
  void set_demand(bool wanted) override {
    demand = wanted;
    demands += wanted ? '+' : '-';
  }
  void close() override { calls += "close "; }
  void abort() override { calls += "abort "; }
  const transport_descriptor& descriptor() const noexcept override { return descriptor_; }
  socket_address local() const override { return {ip_address::loopback(ip_family::v4), 1, 0}; }
  socket_address remote() const override { return {ip_address::loopback(ip_family::v4), 2, 0}; }
  message_limits limits() const override { return {}; }

  protocol_sink* sink = nullptr;
  std::string wire;
  std::string calls;
  /// The history of the demand.
  std::string demands;
  bool demand = false;
  bool blocked = false;
  int flushes = 0;

private:
  transport_descriptor descriptor_;
};

}  // namespace taps::testing
