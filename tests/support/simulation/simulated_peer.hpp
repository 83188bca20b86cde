#pragma once

#include "taps/core/transport/protocol.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace taps::testing {

/// The far end of a connection, without Tapline above it: what a scripted address talks as. Reads
/// everything at once unless told otherwise. A test calls it while the loop does not run, or from
/// its hook.
class simulated_peer final : protocol_sink {
public:
  simulated_peer(std::unique_ptr<protocol> instance, const transport_descriptor& what);

  // -- script --------------------------------------------------------------------------------

  /// Sends bytes, or one Message.
  void send(std::string_view data);
  /// Sends nothing more; still reads.
  void finish();
  /// Ends in order.
  void close() { instance_->close(); }
  /// Ends at once: the other end sees a reset.
  void reset() { instance_->abort(); }
  /// Stops or resumes reading, so that the window closes or opens.
  void read(bool wanted);
  /// Sends back whatever comes.
  void echo() { echoes_ = true; }
  /// Called with whatever comes.
  void on_message(std::function<void(simulated_peer&, std::string_view)> what) {
    on_message_ = std::move(what);
  }

  // -- record -----------------------------------------------------------------------------------

  /// All bytes that came.
  [[nodiscard]] const std::string& received() const noexcept { return received_; }
  /// What came, in Messages, or in the pieces in which a stream was read.
  [[nodiscard]] const std::vector<std::string>& messages() const noexcept { return messages_; }
  /// The other end sends nothing more.
  [[nodiscard]] bool finished() const noexcept { return finished_; }
  /// Ended in order.
  [[nodiscard]] bool closed() const noexcept { return closed_; }
  /// Why it ended otherwise; no error while it has not.
  [[nodiscard]] const error& failure() const noexcept { return failure_; }
  /// Bytes given to `send` that found no room yet.
  [[nodiscard]] std::size_t queued() const noexcept { return queue_.bytes(); }
  [[nodiscard]] socket_address local() const { return instance_->local(); }
  [[nodiscard]] socket_address remote() const { return instance_->remote(); }

  /// For the network: begins to read and to send.
  void start();

private:
  void push(std::string_view data, bool final);

  void on_ready() override {}
  void on_writable() override { instance_->flush(queue_); }
  void on_data(slice data, const inbound_info& info) override;
  void on_inbound_stream(std::unique_ptr<protocol>) override {}
  void on_soft_error(error) override {}
  void on_path_change() override {}
  void on_closed() override { closed_ = true; }
  void on_failed(error reason) override { failure_ = std::move(reason); }

  std::unique_ptr<protocol> instance_;
  outbound_queue queue_;
  std::function<void(simulated_peer&, std::string_view)> on_message_;
  std::string received_;
  std::vector<std::string> messages_;
  error failure_;
  bool started_ = false;
  bool reading_ = true;
  bool echoes_ = false;
  bool finished_ = false;
  bool closed_ = false;
};

}  // namespace taps::testing
