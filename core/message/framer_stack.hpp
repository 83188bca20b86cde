#pragma once

#include "taps/core/base/buffer_pool.hpp"
#include "taps/core/base/ring.hpp"
#include "taps/core/message/framer.hpp"
#include "taps/core/transport/outbound.hpp"

#include <memory>
#include <vector>

namespace taps {

/// The upper side of a framer stack. Never called from inside `framer_stack::send`, but for
/// `on_framer_failed`.
class framer_stack_sink {
public:
  virtual ~framer_stack_sink() = default;
  virtual void on_framers_ready() = 0;
  virtual void on_framers_stopped() = 0;
  virtual void on_framer_failed(error reason) = 0;
  /// The Message in progress, or the next one if none is, cannot be parsed and is lost. What
  /// follows is a new Message.
  virtual void on_broken_message(error reason) = 0;
  /// (Part of) an inbound Message.
  virtual void on_deliver(const message_context& context, slice data, bool end_of_message) = 0;
};

/// Whether some framer of these keeps message boundaries. One that cannot be made does not.
[[nodiscard]] bool preserves_boundaries(const std::vector<framer_factory>& framers);

/// The framers of one candidate or Connection, one above the other. The framer added last is next
/// to the application: it sees outbound Messages first and inbound ones last. Without framers it
/// passes everything through. Framers are code of the application's: what they throw fails the
/// stack.
class framer_stack {
public:
  framer_stack(const std::vector<framer_factory>& factories, data_unit below, arena& memory);
  ~framer_stack();

  void set_sink(framer_stack_sink& sink) noexcept { sink_ = &sink; }

  [[nodiscard]] bool empty() const noexcept { return layers_.empty(); }
  [[nodiscard]] bool ready() const noexcept { return ready_ == layers_.size() && !failed(); }
  /// Some framer keeps message boundaries.
  [[nodiscard]] bool preserves_boundaries() const noexcept { return preserves_boundaries_; }
  /// Inbound bytes are held that no framer could parse yet, or a Message is cut short.
  [[nodiscard]] bool inside_message() const noexcept;

  /// The layer below is ready: starts the framers, lowest first, each when those below are ready.
  /// Framers that could not be made fail here.
  void start();
  /// The Connection closes: stops the framers, uppermost first. Stacks that closed by themselves
  /// (and told so then) or failed are stopped at once.
  void stop();

  /// Frames one Send call into `queue()`. An error fails this Send alone, unless a part of it is
  /// in the queue already or a framer threw: then the stack fails, too.
  result<void> send(slice data, const message_context& context, bool end_of_message);

  /// Takes what came from below, unless a framer failed before.
  void receive(slice data, const message_context& context, bool end_of_message);

  /// What goes down to the protocol.
  [[nodiscard]] outbound_queue& queue() noexcept { return queue_; }

private:
  class layer;

  result<void> send_to(std::size_t level, slice data, const message_context& context, bool end);
  void send_below(std::size_t level, slice data);
  void deliver_above(std::size_t level, const message_context& context, slice data, bool end);
  void layer_ready(std::size_t level);
  void layer_closed(std::size_t level);
  [[nodiscard]] bool failed() const noexcept { return static_cast<bool>(failure_); }
  void fail(error reason);
  void lose_message(std::size_t level);

  framer_stack_sink* sink_ = nullptr;
  outbound_queue queue_;
  arena* memory_;
  std::vector<std::unique_ptr<layer>> layers_;
  std::size_t ready_ = 0;
  /// The Send call that passes through: its context and whether its last piece ends the Message.
  const message_context* sending_ = nullptr;
  bool sending_end_ = true;
  /// What a lower framer had against it.
  error sending_failure_;
  /// How many pieces have gone into the queue since the beginning.
  std::uint64_t num_pushed_ = 0;
  /// Why the stack failed, if it did. From then on no framer is called.
  error failure_;
  bool preserves_boundaries_ = false;
  /// The lowest framer is done.
  bool stopped_ = false;
};

}  // namespace taps
