#pragma once

#include "taps/tests/support/simulation/simulated_names.hpp"
#include "taps/tests/support/simulation/simulated_network.hpp"

namespace taps::testing {

/// A reliable byte stream: one round trip, half-close, keep-alive on request.
[[nodiscard]] transport_descriptor stream_protocol(std::string_view name = "sim_stream");
/// Unreliable datagrams without connections.
[[nodiscard]] transport_descriptor datagram_protocol(std::string_view name = "sim_datagram");
/// Reliable Messages that keep their boundaries: two round trips.
[[nodiscard]] transport_descriptor message_protocol(std::string_view name = "sim_message");

/// A protocol over a simulated network, of whatever kind its descriptor says. `honours` and
/// features that need no wire have no effect.
class simulated_transport final : public transport {
public:
  /// The strings of the descriptor and the network must outlive the transport and its instances.
  simulated_transport(simulated_shard& home, simulated_network& network,
                      const simulated_names& names, transport_descriptor what);

  [[nodiscard]] const transport_descriptor& descriptor() const noexcept override {
    return *descriptor_;
  }
  result<std::unique_ptr<protocol>> connect(const connect_request& request,
                                            protocol_sink& sink) override;
  result<std::unique_ptr<acceptor>> listen(const listen_request& request,
                                           acceptor_sink& sink) override;

private:
  simulated_shard& home_;
  simulated_network& network_;
  const simulated_names& names_;
  std::shared_ptr<const transport_descriptor> descriptor_;
};

}  // namespace taps::testing
