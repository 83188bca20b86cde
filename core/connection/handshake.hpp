#pragma once

#include "taps/core/base/result.hpp"
#include "taps/core/base/time.hpp"
#include "taps/core/connection/channel.hpp"

#include <memory>

namespace taps {

/// Takes note when a handshake is over. May be called from deep inside the channel: the handshake
/// and its channel must outlive the call.
class handshake_sink {
public:
  virtual ~handshake_sink() = default;
  /// The protocol is ready; from here on framers have `handshake::limit`.
  virtual void on_handshake_begun() {}
  virtual void on_handshake_done() = 0;
};

/// Holds a channel until its protocol and framers are ready, or one of them failed.
class handshake final : channel_sink {
public:
  /// How long framers may take. Whoever runs the handshake sees to it.
  static constexpr duration limit = std::chrono::seconds{30};

  handshake(std::unique_ptr<channel> what, handshake_sink& sink) noexcept
      : channel_(std::move(what)), sink_(sink) {
    channel_->set_sink(*this);
  }

  [[nodiscard]] bool done() const noexcept { return ready_ || failure_; }
  [[nodiscard]] bool ready() const noexcept { return ready_; }

  /// Returns the ready channel, or why there is none. @pre `done()`
  [[nodiscard]] result<std::unique_ptr<channel>> take() {
    if (failure_)
      return failure_;
    return std::move(channel_);
  }

  [[nodiscard]] channel& get() noexcept { return *channel_; }

private:
  void on_channel_connected() override { sink_.on_handshake_begun(); }
  void on_channel_ready() override {
    if (done())
      return;
    ready_ = true;
    // From here on all is for the Connection, also what framers deliver yet in this very call.
    channel_->drop_sink();
    sink_.on_handshake_done();
  }
  void on_channel_writable() override { channel_->flush(); }
  // Before ready there are none.
  void on_channel_data(const message_context&, slice, bool) override {}
  void on_channel_broken_message(error) override {}
  void on_channel_end(error) override {
    fail({errc::connection_aborted, "the peer finished during the handshake"});
  }
  void on_channel_stopped() override {
    fail({errc::connection_aborted, "a Message Framer closed during the handshake"});
  }
  void on_channel_stream(std::unique_ptr<protocol>) override {}
  void on_channel_soft_error(error) override {}
  void on_channel_path_change() override {}
  void on_channel_closed() override {
    fail({errc::connection_aborted, "the peer closed during the handshake"});
  }
  void on_channel_failed(error reason) override { fail(std::move(reason)); }

  void fail(error reason) {
    if (done())
      return;
    failure_ = std::move(reason);
    sink_.on_handshake_done();
  }

  std::unique_ptr<channel> channel_;
  handshake_sink& sink_;
  bool ready_ = false;
  error failure_;
};

}  // namespace taps
