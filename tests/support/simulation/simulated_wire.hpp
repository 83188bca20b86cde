#pragma once

#include "taps/core/transport/protocol.hpp"
#include "taps/tests/support/simulation/simulated_shard.hpp"

#include <deque>
#include <limits>
#include <optional>

namespace taps::testing {

class simulated_network;

/// How data travels over a simulated network.
struct wire_options {
  /// One way.
  duration latency = std::chrono::milliseconds{10};
  /// Added to the latency of each packet: up to this much, by the seed.
  duration jitter{};
  /// How many packets of 1,000 are lost. Reliable protocols send them again.
  unsigned lost_per_mille = 0;
  /// How much later a packet arrives that had to be sent again.
  duration retransmission = std::chrono::milliseconds{200};
  /// Bytes that may be on their way or wait to be read, per direction.
  std::size_t window = 64 * 1024;
  /// Bytes that one write takes at most; smaller than the data for partial writes.
  std::size_t max_write = std::numeric_limits<std::size_t>::max();
  /// The longest Message that message protocols carry.
  std::size_t max_message = 65507;
  /// How long Close waits until the peer has everything.
  duration close_timeout = std::chrono::seconds{30};
};

/// One end of a simulated connection: lives on its own shard, and acts on the other end only by
/// events on that end's shard. Behind every `simulated_connection`; outlives it while data is under
/// way.
class wire_end : public std::enable_shared_from_this<wire_end> {
public:
  wire_end(simulated_network& network, simulated_shard& home,
           std::shared_ptr<const transport_descriptor> what, socket_address local,
           socket_address remote, protocol_sink* sink);

  // -- for the network -------------------------------------------------------------------

  /// Ties both ends together; data flows from then on.
  static void link(const std::shared_ptr<wire_end>& x, const std::shared_ptr<wire_end>& y);
  /// Ready without a peer, as connectionless protocols are.
  void open() noexcept { stage_ = stage::open; }
  void tell_ready();
  /// Ends with an error. From the top of the loop.
  void fail(error reason);
  void tell_soft_error(error reason);
  /// What the network does when the connecting end is given up.
  void on_cancel(std::function<void()> what) { cancel_ = std::move(what); }

  [[nodiscard]] bool connecting() const noexcept { return stage_ == stage::connecting; }
  [[nodiscard]] bool done() const noexcept { return stage_ == stage::done; }
  [[nodiscard]] simulated_shard& home() const noexcept { return home_; }
  [[nodiscard]] const transport_descriptor& descriptor() const noexcept { return *descriptor_; }
  [[nodiscard]] const std::shared_ptr<const transport_descriptor>&
  shared_descriptor() const noexcept {
    return descriptor_;
  }
  [[nodiscard]] const socket_address& local() const noexcept { return local_; }
  [[nodiscard]] const socket_address& remote() const noexcept { return remote_; }
  [[nodiscard]] const wire_options& options() const noexcept;

  // -- for the protocol instance ------------------------------------------------------------

  void set_sink(protocol_sink& sink) noexcept { sink_ = &sink; }
  void flush(outbound_queue& queue);
  void set_demand(bool wanted);
  void close();
  void abort();

private:
  enum class stage : std::uint8_t { connecting, open, closing, done };
  enum class packet_kind : std::uint8_t { data, end, reset };

  struct packet {
    packet_kind kind = packet_kind::data;
    slice data;
    bool final = false;
  };

  [[nodiscard]] bool is_stream() const noexcept;
  [[nodiscard]] bool is_reliable() const noexcept;
  [[nodiscard]] bool is_ordered() const noexcept;

  void flush_stream(outbound_queue& queue);
  void flush_messages(outbound_queue& queue);
  void transmit(packet what);
  void send_end();
  void when_writable();

  void arrive(packet what);
  void deliver();
  void credit(std::size_t bytes);
  void on_end_acknowledged();
  void begin_closing();
  void report_closed();
  void finish() noexcept;
  /// Has `f` called on the other end, if it still exists, after the latency.
  void tell_other(void (wire_end::*f)());

  simulated_network& network_;
  simulated_shard& home_;
  std::shared_ptr<const transport_descriptor> descriptor_;
  socket_address local_;
  socket_address remote_;
  protocol_sink* sink_;
  std::weak_ptr<wire_end> other_;
  std::function<void()> cancel_;
  timer deadline_;
  std::deque<packet> inbox_;
  std::optional<error> failure_;
  /// Arrival of the packet sent last.
  time_point last_arrival_{};
  std::size_t in_flight_ = 0;
  stage stage_ = stage::connecting;
  bool linked_ = false;
  bool demand_ = false;
  bool blocked_ = false;
  bool end_sent_ = false;
  bool end_acknowledged_ = false;
  bool end_received_ = false;
};

/// The protocol instance over a wire's end.
class simulated_connection final : public protocol {
public:
  explicit simulated_connection(std::shared_ptr<wire_end> end) noexcept : end_(std::move(end)) {}
  ~simulated_connection() override { end_->abort(); }

  void set_sink(protocol_sink& sink) noexcept override { end_->set_sink(sink); }
  void flush(outbound_queue& queue) override { end_->flush(queue); }
  void set_demand(bool wanted) override { end_->set_demand(wanted); }
  void close() override { end_->close(); }
  void abort() override { end_->abort(); }
  [[nodiscard]] const transport_descriptor& descriptor() const noexcept override {
    return end_->descriptor();
  }
  [[nodiscard]] socket_address local() const override { return end_->local(); }
  [[nodiscard]] socket_address remote() const override { return end_->remote(); }
  [[nodiscard]] message_limits limits() const override;

private:
  std::shared_ptr<wire_end> end_;
};

}  // namespace taps::testing
