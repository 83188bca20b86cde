#include "taps/core/message/framer_stack.hpp"

#include <algorithm>
#include <cstring>

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
  [[nodiscard]] bool inside_message() const noexcept {
    return !input_.empty() || skip_ > 0 || deliver_ > 0;
  }

  /// Adds inbound bytes and lets the framer work on them.
  void feed(const message_context& context, slice data, bool end_of_message) {
    inbound_ = &context;
    take(std::move(data), end_of_message);
    if (!input_.empty() && !failed_)
      framer_->handle_received_data(*this);
    if (end_of_message && !failed_)
      drop_rest_of_datagram();
    inbound_ = &no_context;
  }

  // -- framer_context -------------------------------------------------------------------

  void make_connection_ready() override {
    if (!std::exchange(ready_, true))
      stack_.layer_ready(level_);
  }

  void make_connection_closed() override {
    if (!std::exchange(closed_, true))
      stack_.layer_closed(level_);
  }

  void fail_connection(error reason) override {
    if (!std::exchange(failed_, true))
      stack_.sink_->on_framer_failed(std::move(reason));
  }

  void send(slice data) override { stack_.send_below(level_, std::move(data)); }

  void send(std::span<const std::byte> header, slice payload) override {
    if (header.size() + payload.size() <= copy_limit) {
      auto room = stack_.memory_->prepare(header.size() + payload.size());
      std::memcpy(room.data(), header.data(), header.size());
      if (!payload.empty())
        std::memcpy(room.data() + header.size(), payload.data(), payload.size());
      stack_.send_below(level_, stack_.memory_->commit(header.size() + payload.size()));
      return;
    }
    const auto end = std::exchange(stack_.sending_end_, false);
    stack_.send_below(level_, stack_.memory_->copy(header));
    stack_.sending_end_ = end;
    stack_.send_below(level_, std::move(payload));
  }

  std::optional<view> parse(std::size_t minimum, std::size_t maximum) override {
    if (failed_ || available_ < minimum || input_.empty())
      return std::nullopt;
    if (input_.front().size() < minimum)
      gather(minimum);
    const auto size = std::min(input_.front().size(), maximum);
    return view{input_.front().bytes().first(size), last_ && size == available_};
  }

  void advance_receive_cursor(std::size_t n) override {
    const auto here = std::min(n, available_);
    drop(here);
    skip_ += n - here;
  }

  void deliver_and_advance_receive_cursor(const message_context& context, std::size_t n,
                                          bool end_of_message) override {
    deliver_ = n;
    deliver_end_ = end_of_message;
    if (n == 0) {
      stack_.deliver_above(level_, context, {}, end_of_message);
      return;
    }
    deliver_context_ = context;
    while (deliver_ > 0 && !input_.empty() && !failed_)
      deliver_front();
  }

  void deliver(const message_context& context, slice data, bool end_of_message) override {
    stack_.deliver_above(level_, context, std::move(data), end_of_message);
  }

  const message_context& inbound_context() const override { return *inbound_; }

private:
  /// Puts new bytes where an earlier skip or delivery wants them, the rest at the end.
  void take(slice data, bool end_of_message) {
    last_ = end_of_message;
    const auto skipped = std::min(skip_, data.size());
    skip_ -= skipped;
    data.remove_prefix(skipped);
    if (data.empty())
      return;
    available_ += data.size();
    input_.push_back(std::move(data));
    while (deliver_ > 0 && !input_.empty() && !failed_)
      deliver_front();
  }

  /// Delivers as much of the first slice as belongs to the Message in progress.
  void deliver_front() {
    const auto n = std::min(deliver_, input_.front().size());
    auto data = input_.front().sub(0, n);
    drop(n);
    deliver_ -= n;
    stack_.deliver_above(level_, deliver_context_, std::move(data), deliver_end_ && deliver_ == 0);
    if (deliver_ == 0)
      deliver_context_ = {};
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

  /// A frame must not reach into the next datagram.
  void drop_rest_of_datagram() {
    input_.clear();
    available_ = 0;
    skip_ = 0;
    if (std::exchange(deliver_, 0) > 0)
      stack_.deliver_above(level_, deliver_context_, {}, true);
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
  bool failed_ = false;
  /// Bytes to throw away, and then to deliver, as they come.
  std::size_t skip_ = 0;
  std::size_t deliver_ = 0;
  bool deliver_end_ = false;
  message_context deliver_context_;
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
  sending_ = &context;
  sending_end_ = end_of_message;
  auto done = send_to(layers_.size(), std::move(data), context, end_of_message);
  sending_ = nullptr;
  sending_end_ = true;
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
  if (auto done = send_to(level, std::move(data), context, sending_end_); !done)
    sink_->on_framer_failed(done.failure());
}

void framer_stack::receive(slice data, const message_context& context, bool end_of_message) {
  if (layers_.empty())
    sink_->on_deliver(context, std::move(data), end_of_message);
  else
    layers_.front()->feed(context, std::move(data), end_of_message);
}

void framer_stack::deliver_above(std::size_t level, const message_context& context, slice data,
                                 bool end) {
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

}  // namespace taps
