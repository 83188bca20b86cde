#include "taps/core/message/framer_stack.hpp"

#include <algorithm>

namespace taps {

namespace {

/// Up to here a payload is copied behind its header: cheaper than a piece of its own.
constexpr std::size_t copy_limit = 512;

const message_context no_context{};

}  // namespace

// -- layer ------------------------------------------------------------------------------

/// A framer with its view of the stack.
class framer_stack::layer final : public framer_context {
public:
  layer(framer_stack& stack, std::size_t level, std::unique_ptr<framer> what)
      : stack_(stack), level_(level), framer_(std::move(what)) {}

  [[nodiscard]] framer& get() noexcept { return *framer_; }
  [[nodiscard]] bool ready() const noexcept { return ready_; }
  [[nodiscard]] bool inside_message() const noexcept { return !input_.empty() || !claims_.empty(); }

  /// Adds inbound bytes and lets the framer work on them.
  void feed(const message_context& context, slice data, bool end_of_message) {
    inbound_ = &context;
    last_ = end_of_message;
    take(std::move(data));
    if (!input_.empty() && !stack_.failed_)
      framer_->handle_received_data(*this);
    // A frame must not reach into the next datagram.
    if (end_of_message && inside_message() && !stack_.failed_)
      stack_.lose_message(level_);
    inbound_ = &no_context;
  }

  /// Forgets the bytes of a Message that is lost.
  void forget() {
    input_.clear();
    claims_.clear();
    available_ = 0;
  }

  // -- framer_context -------------------------------------------------------------------

  void make_connection_ready() override {
    if (!stack_.failed_ && !std::exchange(ready_, true))
      stack_.layer_ready(level_);
  }

  void make_connection_closed() override {
    if (!std::exchange(closed_, true))
      stack_.layer_closed(level_);
  }

  void fail_connection(error reason) override { stack_.fail(std::move(reason)); }

  void send(slice data) override { stack_.send_below(level_, std::move(data)); }

  void send(std::span<const std::byte> header, slice payload) override {
    if (header.size() + payload.size() <= copy_limit) {
      auto room = stack_.memory_->prepare(header.size() + payload.size());
      std::ranges::copy(payload.bytes(), std::ranges::copy(header, room.begin()).out);
      stack_.send_below(level_, stack_.memory_->commit(header.size() + payload.size()));
      return;
    }
    const auto end = std::exchange(stack_.sending_end_, false);
    stack_.send_below(level_, stack_.memory_->copy(header));
    stack_.sending_end_ = end;
    stack_.send_below(level_, std::move(payload));
  }

  std::optional<view> parse(std::size_t minimum, std::size_t maximum) override {
    if (stack_.failed_ || available_ < minimum || input_.empty())
      return std::nullopt;
    if (input_.front().size() < minimum)
      gather(minimum);
    const auto size = std::min(input_.front().size(), maximum);
    return view{input_.front().bytes().first(size), last_ && size == available_};
  }

  void advance_receive_cursor(std::size_t n) override {
    const auto here = std::min(n, available_);
    drop(here);
    if (n > here)
      claims_.push_back({.bytes = n - here, .data = {}, .context = {}});
  }

  void deliver_and_advance_receive_cursor(const message_context& context, std::size_t n,
                                          bool end_of_message) override {
    if (claims_.empty() && n <= front_size()) {
      pass_up(context, cut(n), end_of_message);
      return;
    }
    claims_.push_back(
        {.bytes = n, .deliver = true, .end = end_of_message, .data = {}, .context = context});
    settle();
  }

  void deliver(const message_context& context, slice data, bool end_of_message) override {
    if (claims_.empty()) {
      pass_up(context, std::move(data), end_of_message);
      return;
    }
    claims_.push_back(
        {.deliver = true, .end = end_of_message, .data = std::move(data), .context = context});
  }

  const message_context& inbound_context() const override { return *inbound_; }

private:
  /// What is to happen with bytes that have not arrived yet, and with data that waits behind them.
  struct claim {
    std::size_t bytes = 0;
    bool deliver = false;
    bool end = false;
    slice data;
    message_context context;
  };

  /// Puts new bytes where earlier claims want them, the rest at the end.
  void take(slice data) {
    if (data.empty())
      return;
    available_ += data.size();
    if (input_.empty() || !input_.back().try_extend(data))
      input_.push_back(std::move(data));
    settle();
  }

  /// Gives the claims, in their order, what is there.
  void settle() {
    while (!claims_.empty() && !stack_.failed_) {
      auto& first = claims_.front();
      if (first.bytes > 0 && input_.empty())
        return;
      const auto n = std::min(first.bytes, front_size());
      auto data = n > 0 ? cut(n) : std::move(first.data);
      first.bytes -= n;
      if (first.bytes > 0) {
        if (first.deliver)
          pass_up(first.context, std::move(data), false);
        continue;
      }
      const auto done = claims_.pop_front();
      if (done.deliver)
        pass_up(done.context, std::move(data), done.end);
    }
  }

  void pass_up(const message_context& context, slice data, bool end_of_message) {
    if (ready_)
      stack_.deliver_above(level_, context, std::move(data), end_of_message);
    else
      stack_.fail({errc::protocol_failed,
                   std::string{framer_->name()} + ": the framer delivered before it was ready"});
  }

  [[nodiscard]] std::size_t front_size() const noexcept {
    return input_.empty() ? 0 : input_[0].size();
  }

  /// Takes `n` bytes off the first slice.
  slice cut(std::size_t n) {
    if (n == 0)
      return {};
    auto result = input_.front().sub(0, n);
    drop(n);
    return result;
  }

  void drop(std::size_t n) {
    available_ -= n;
    while (n > 0) {
      auto& front = input_.front();
      const auto part = std::min(n, front.size());
      front.remove_prefix(part);
      n -= part;
      if (front.empty())
        input_.pop_front();
    }
  }

  /// Makes the first `n` bytes contiguous.
  void gather(std::size_t n) {
    std::string bytes;
    bytes.reserve(n);
    while (bytes.size() < n) {
      auto& front = input_.front();
      const auto part = std::min(n - bytes.size(), front.size());
      bytes.append(front.view().substr(0, part));
      front.remove_prefix(part);
      if (front.empty())
        input_.pop_front();
    }
    ring<slice> rest;
    rest.push_back(slice::copy_of(bytes));
    while (!input_.empty())
      rest.push_back(input_.pop_front());
    input_ = std::move(rest);
  }

  framer_stack& stack_;
  std::size_t level_;
  std::unique_ptr<framer> framer_;
  ring<slice> input_;
  std::size_t available_ = 0;
  /// The bytes that came last end a datagram.
  bool last_ = false;
  bool ready_ = false;
  bool closed_ = false;
  ring<claim> claims_;
  const message_context* inbound_ = &no_context;
};

// -- framer_stack ---------------------------------------------------------------------------

framer_stack::framer_stack(const std::vector<framer_factory>& factories, data_unit below,
                           arena& memory)
    : queue_(below), memory_(&memory) {
  layers_.reserve(factories.size());
  for (const auto& make : factories)
    layers_.push_back(std::make_unique<layer>(*this, layers_.size(), make()));
}

framer_stack::~framer_stack() = default;

bool framer_stack::inside_message() const noexcept {
  return std::any_of(layers_.begin(), layers_.end(),
                     [](const auto& x) { return x->inside_message(); });
}

bool framer_stack::preserves_boundaries() const noexcept {
  return std::any_of(layers_.begin(), layers_.end(),
                     [](const auto& x) { return x->get().preserves_boundaries(); });
}

void framer_stack::start() {
  if (layers_.empty())
    sink_->on_framers_ready();
  else
    layers_.front()->get().start(*layers_.front());
}

void framer_stack::stop() {
  if (layers_.empty())
    sink_->on_framers_stopped();
  else
    layers_.back()->get().stop(*layers_.back());
}

result<void> framer_stack::send(slice data, const message_context& context, bool end_of_message) {
  const auto before = queue_.bytes();
  sending_ = &context;
  sending_end_ = end_of_message;
  auto done = send_to(layers_.size(), std::move(data), context, end_of_message);
  sending_ = nullptr;
  sending_end_ = true;
  if (auto refused = std::exchange(sending_failure_, {})) {
    // With half of it on its way the peer could not tell what follows.
    if (queue_.bytes() != before)
      fail(refused);
    return refused;
  }
  return done;
}

result<void> framer_stack::send_to(std::size_t level, slice data, const message_context& context,
                                   bool end) {
  if (level > 0) {
    auto& next = *layers_[level - 1];
    return next.get().new_sent_message(next, std::move(data), context, end);
  }
  queue_.push({std::move(data), context.shared_properties(), end,
               end && context.properties().final.value_or(false)});
  return {};
}

void framer_stack::send_below(std::size_t level, slice data) {
  const auto& context = sending_ ? *sending_ : no_context;
  auto done = send_to(level, std::move(data), context, sending_end_);
  if (done)
    return;
  if (!sending_)
    fail(done.failure());
  else if (!sending_failure_)
    sending_failure_ = done.failure();
}

void framer_stack::receive(slice data, const message_context& context, bool end_of_message) {
  if (layers_.empty())
    sink_->on_deliver(context, std::move(data), end_of_message);
  else if (!failed_)
    layers_.front()->feed(context, std::move(data), end_of_message);
}

void framer_stack::deliver_above(std::size_t level, const message_context& context, slice data,
                                 bool end) {
  if (failed_)
    return;
  if (level + 1 < layers_.size())
    layers_[level + 1]->feed(context, std::move(data), end);
  else
    sink_->on_deliver(context, std::move(data), end);
}

void framer_stack::layer_ready(std::size_t level) {
  ++ready_;
  if (level + 1 < layers_.size())
    layers_[level + 1]->get().start(*layers_[level + 1]);
  else
    sink_->on_framers_ready();
}

void framer_stack::layer_closed(std::size_t level) {
  if (level == 0)
    sink_->on_framers_stopped();
  else
    layers_[level - 1]->get().stop(*layers_[level - 1]);
}

void framer_stack::fail(error reason) {
  if (!std::exchange(failed_, true))
    sink_->on_framer_failed(std::move(reason));
}

/// The layers above may have part of it.
void framer_stack::lose_message(std::size_t level) {
  for (auto i = level; i < layers_.size(); ++i)
    layers_[i]->forget();
  sink_->on_broken_message(
      {errc::deframing_failed, std::string{layers_[level]->get().name()} +
                                   ": what came in one piece ends in the middle of a frame"});
}

}  // namespace taps
