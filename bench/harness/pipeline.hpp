#pragma once

#include "taps/bench/harness/frames.hpp"
#include "taps/bench/harness/work.hpp"

#include <array>
#include <cstddef>
#include <utility>

namespace bench {

/// The bytes everyone sends.
inline const char* payload() {
  static const std::array<char, 64 * 1024> bytes{};
  return bytes.data();
}

/// The sender's side of `exchange::pipelined`: how many messages may go now.
class send_window {
public:
  /// Takes all that may be sent.
  std::size_t take_all() { return std::exchange(open_, 0); }

  /// Takes leave to send one message, if there is any.
  bool take_one() {
    if (open_ == 0)
      return false;
    --open_;
    return true;
  }

  /// Gives one back that could not be sent.
  void put_back() { ++open_; }

  /// Looks for acknowledgements in received bytes.
  void feed(const char* data, std::size_t size) { acknowledged(acks_.feed(data, size)); }

  void acknowledged(std::size_t acks) { open_ += acks * pipeline_ack_every; }

private:
  std::size_t open_ = pipeline_window;
  frame_parser acks_;
};

/// The receiver's side: when to acknowledge.
class ack_counter {
public:
  /// Notes received messages; returns how many acknowledgements are due.
  std::size_t received(std::size_t messages) {
    pending_ += messages;
    auto due = pending_ / pipeline_ack_every;
    pending_ %= pipeline_ack_every;
    return due;
  }

private:
  std::size_t pending_ = 0;
};

}  // namespace bench
