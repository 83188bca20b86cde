#pragma once

#include "taps/core/transport/protocol.hpp"
#include "taps/net/reactor/reactor.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace taps::testing {

/// The upper side of one protocol instance: writes down what it is told, keeps the queue.
class recording_sink final : public protocol_sink {
public:
  /// Takes over an accepted instance.
  void adopt(std::unique_ptr<protocol> x);

  /// Queues and flushes; returns the id of the send.
  send_id send(slice bytes, bool final = false);
  send_id send(std::string_view bytes, bool final = false) {
    return send(slice::copy_of(bytes), final);
  }
  void flush() {
    if (instance)
      instance->flush(*queue);
  }

  void on_ready() override;
  void on_writable() override;
  void on_data(slice bytes, const inbound_info& info) override;
  void on_inbound_stream(std::unique_ptr<protocol>) override {}
  void on_soft_error(error reason) override { soft_errors.push_back(std::move(reason)); }
  void on_path_change() override { ++path_changes; }
  void on_closed() override;
  void on_failed(error reason) override;

  [[nodiscard]] bool terminated() const noexcept { return closed || failure.has_value(); }

  std::unique_ptr<protocol> instance;
  std::optional<outbound_queue> queue{std::in_place};
  /// All data, and each piece.
  std::string data;
  std::vector<std::string> pieces;
  std::vector<inbound_info> infos;
  std::vector<error> soft_errors;
  std::optional<error> failure;
  int ready = 0;
  int writable = 0;
  int path_changes = 0;
  int finals = 0;
  int terminals = 0;
  bool closed = false;
  /// Runs at the end of every call to the sink, with its name.
  std::function<void(std::string_view)> hook;

private:
  void call(std::string_view name) {
    if (hook)
      hook(name);
  }
  send_id next_id_ = 1;
};

/// Collects what an acceptor brings.
class recording_acceptor_sink final : public acceptor_sink {
public:
  void on_accepted(std::unique_ptr<protocol> instance) override;
  void on_soft_error(error reason) override { soft_errors.push_back(std::move(reason)); }

  std::vector<std::unique_ptr<recording_sink>> accepted;
  std::vector<error> soft_errors;
  /// Runs with each new one.
  std::function<void(recording_sink&)> hook;
};

/// Runs the loop until `done` returns true; false if that takes longer than a minute.
bool run_until(reactor& loop, const std::function<bool()>& done);

/// Runs the loop until nothing is left to do at once.
void settle(reactor& loop);

}  // namespace taps::testing
