#pragma once

#include "taps/core/message/framer.hpp"

#include <algorithm>
#include <cstddef>

namespace taps::testing {

/// Says "hello" and is ready once the peer has answered "hi" and heard "ok"; "no" fails it. Later
/// it makes a Message of whatever comes, but for "?", which it answers with "!" by itself, and says
/// "bye" at the end.
class handshaking_framer final : public framer {
public:
  std::string_view name() const noexcept override { return "handshaking"; }

  void start(framer_context& x) override { x.send(slice::borrow_static("hello")); }

  void stop(framer_context& x) override {
    x.send(slice::borrow_static("bye"));
    x.make_connection_closed();
  }

  result<void> new_sent_message(framer_context& x, slice data, const message_context&,
                                bool) override {
    x.send(std::move(data));
    return {};
  }

  void handle_received_data(framer_context& x) override {
    if (!ready_ && !shake(x))
      return;
    while (auto next = x.parse(1, 1000)) {
      const auto question = std::ranges::find(next->bytes, std::byte{'?'});
      const auto n = static_cast<std::size_t>(question - next->bytes.begin());
      if (n > 0) {
        x.deliver_and_advance_receive_cursor(x.inbound_context(), n, true);
      } else {
        x.send(slice::borrow_static("!"));
        x.advance_receive_cursor(1);
      }
    }
  }

private:
  bool shake(framer_context& x) {
    const auto answer = x.parse(2, 2);
    if (!answer)
      return false;
    if (answer->bytes[0] == std::byte{'n'}) {
      x.fail_connection({errc::protocol_failed, "the peer said no"});
      return false;
    }
    x.advance_receive_cursor(2);
    x.send(slice::borrow_static("ok"));
    ready_ = true;
    x.make_connection_ready();
    return true;
  }

  bool ready_ = false;
};

/// Closes by itself: when anything comes, or already instead of getting ready and then all the
/// same.
class closing_framer final : public framer {
public:
  explicit closing_framer(bool at_start = false) : at_start_(at_start) {}

  std::string_view name() const noexcept override { return "closing"; }

  void start(framer_context& x) override {
    if (at_start_)
      x.make_connection_closed();
    x.make_connection_ready();
  }

  result<void> new_sent_message(framer_context& x, slice data, const message_context&,
                                bool) override {
    x.send(std::move(data));
    return {};
  }

  void handle_received_data(framer_context& x) override {
    x.advance_receive_cursor(1);
    x.make_connection_closed();
  }

private:
  bool at_start_;
};

}  // namespace taps::testing
