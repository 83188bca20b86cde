#include "taps/core/message/framer_stack.hpp"

#include "taps/core/message/slice_run.hpp"

#include <algorithm>
#include <exception>
#include <optional>

namespace taps {

namespace {

/// Up to here a payload is copied behind its header: cheaper than a piece of its own.
constexpr std::size_t copy_limit = 512;

const message_context no_context{};

/// Calls code of the application's and returns what it threw, if it did, in words.
template<class Call>
std::optional<std::string> caught(Call call) noexcept {
  try {
    call();
    return std::nullopt;
  } catch (const std::exception& x) {
    return x.what();
  } catch (...) {
    return "something that is no std::exception";
  }
}

result<std::unique_ptr<framer>> make_framer(const framer_factory& make) {
  if (!make)
    return error{errc::invalid_configuration, "its factory is an empty function"};
  std::unique_ptr<framer> made;
  if (const auto what = caught([&] { made = make(); }))
    return error{errc::protocol_failed, "its factory threw: " + *what};
  if (!made)
    return error{errc::invalid_configuration, "its factory returned none"};
  return made;
}

}  // namespace

bool preserves_boundaries(const std::vector<framer_factory>& framers) {
  return std::any_of(framers.begin(), framers.end(), [](const auto& make) {
    const auto made = make_framer(make);
    bool preserves = false;
    return made && !caught([&] { preserves = (*made)->preserves_boundaries(); }) && preserves;
  });
}

// -- layer ------------------------------------------------------------------------------

/// A framer with its view of the stack.
class framer_stack::layer final : public framer_context {
public:
  layer(framer_stack& stack, std::size_t level, std::unique_ptr<framer> what)
      : stack_(stack), level_(level), framer_(std::move(what)) {}

  [[nodiscard]] std::string name() const { return std::string{framer_->name()}; }
  [[nodiscard]] bool inside_message() const noexcept { return !input_.empty() || !claims_.empty(); }

  // -- calls to the framer --------------------------------------------------------------

  void start() {
    guarded([&] { framer_->start(*this); });
  }

  void stop() {
    // Who closed by itself has nothing to say any more, and those below have been told.
    if (!closed_)
      guarded([&] { framer_->stop(*this); });
  }

  [[nodiscard]] bool preserves_boundaries() {
    bool answer = false;
    guarded([&] { answer = framer_->preserves_boundaries(); });
    return answer;
  }

  result<void> new_sent_message(slice data, const message_context& context, bool end_of_message) {
    result<void> done;
    guarded(
        [&] { done = framer_->new_sent_message(*this, std::move(data), context, end_of_message); });
    if (!done)
      done = explained(done.failure());
    return done;
  }

  /// Adds inbound bytes and lets the framer work on them.
  void feed(const message_context& context, slice data, bool end_of_message) {
    inbound_ = &context;
    last_ = end_of_message;
    take(std::move(data));
    if (!input_.empty() && !stack_.failed())
      guarded([&] { framer_->handle_received_data(*this); });
    // A frame must not reach into the next datagram.
    if (end_of_message && inside_message() && !stack_.failed())
      stack_.lose_message(level_);
    inbound_ = &no_context;
  }

  /// Forgets the bytes of a Message that is lost.
  void forget() {
    input_.clear();
    claims_.clear();
  }

  // -- framer_context -------------------------------------------------------------------

  void make_connection_ready() override {
    if (!stack_.failed() && !std::exchange(ready_, true))
      stack_.layer_ready(level_);
  }

  void make_connection_closed() override {
    if (!stack_.failed() && !std::exchange(closed_, true))
      stack_.layer_closed(level_);
  }

  void fail_connection(error reason) override { stack_.fail(explained(std::move(reason))); }

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
    if (stack_.failed() || input_.size() < minimum || input_.empty())
      return std::nullopt;
    const auto bytes = input_.front(minimum);
    const auto size = std::min(bytes.size(), maximum);
    return view{bytes.first(size), last_ && size == input_.size()};
  }

  void advance_receive_cursor(std::size_t n) override {
    const auto here = std::min(n, input_.size());
    input_.drop(here);
    if (n > here)
      claims_.push_back({.bytes = n - here, .data = {}, .context = {}});
  }

  void deliver_and_advance_receive_cursor(const message_context& context, std::size_t n,
                                          bool end_of_message) override {
    if (claims_.empty() && n <= input_.front_size()) {
      pass_up(context, input_.cut(n), end_of_message);
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

  /// Calls the framer. It is the application's: what it throws ends the Connection alone.
  template<class Call>
  void guarded(Call call) {
    if (const auto what = caught(call))
      fail("the framer threw: " + *what);
  }

  void fail(const std::string& text) { stack_.fail({errc::protocol_failed, name() + ": " + text}); }

  /// Gives an error that says nothing a text.
  [[nodiscard]] error explained(error given) const {
    if (given && !given.text().empty())
      return given;
    return {given ? given.reason() : errc::protocol_failed,
            name() + ": the framer failed without a reason"};
  }

  /// Puts new bytes where earlier claims want them, the rest at the end.
  void take(slice data) {
    if (data.empty())
      return;
    input_.push(std::move(data));
    settle();
  }

  /// Gives the claims, in their order, what is there.
  void settle() {
    while (!claims_.empty() && !stack_.failed()) {
      auto& first = claims_.front();
      if (first.bytes > 0 && input_.empty())
        return;
      const auto n = std::min(first.bytes, input_.front_size());
      auto data = n > 0 ? input_.cut(n) : std::move(first.data);
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
      fail("the framer delivered before it was ready");
  }

  framer_stack& stack_;
  std::size_t level_;
  std::unique_ptr<framer> framer_;
  slice_run input_;
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
  for (const auto& make : factories) {
    auto made = make_framer(make);
    if (!made) {
      failure_ = {made.failure().reason(),
                  "framer " + std::to_string(layers_.size() + 1) + ": " + made.failure().text()};
      break;
    }
    layers_.push_back(std::make_unique<layer>(*this, layers_.size(), std::move(*made)));
    preserves_boundaries_ = layers_.back()->preserves_boundaries() || preserves_boundaries_;
  }
  preserves_boundaries_ = preserves_boundaries_ && !failed();
}

framer_stack::~framer_stack() = default;

bool framer_stack::inside_message() const noexcept {
  return std::any_of(layers_.begin(), layers_.end(),
                     [](const auto& x) { return x->inside_message(); });
}

void framer_stack::start() {
  if (failed())
    sink_->on_framer_failed(failure_);
  else if (layers_.empty())
    sink_->on_framers_ready();
  else
    layers_.front()->start();
}

void framer_stack::stop() {
  if (layers_.empty() || stopped_ || failed())
    sink_->on_framers_stopped();
  else
    layers_.back()->stop();
}

result<void> framer_stack::send(slice data, const message_context& context, bool end_of_message) {
  if (failed())
    return failure_;
  if (layers_.empty())
    return send_to(0, std::move(data), context, end_of_message);
  const auto before = num_pushed_;
  sending_ = &context;
  sending_end_ = end_of_message;
  auto done = send_to(layers_.size(), std::move(data), context, end_of_message);
  sending_ = nullptr;
  sending_end_ = true;
  if (auto refused = std::exchange(sending_failure_, {}))
    done = std::move(refused);
  // With half of it on its way the peer could not tell what follows.
  if (!done && num_pushed_ != before)
    fail(done.failure());
  if (failed())
    return failure_;
  return done;
}

result<void> framer_stack::send_to(std::size_t level, slice data, const message_context& context,
                                   bool end) {
  if (level > 0)
    return layers_[level - 1]->new_sent_message(std::move(data), context, end);
  ++num_pushed_;
  queue_.push({std::move(data), context.shared_properties(), end,
               end && context.properties().final.value_or(false)});
  return {};
}

void framer_stack::send_below(std::size_t level, slice data) {
  if (failed())
    return;
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
  if (failed())
    return;
  if (layers_.empty())
    sink_->on_deliver(context, std::move(data), end_of_message);
  else
    layers_.front()->feed(context, std::move(data), end_of_message);
}

void framer_stack::deliver_above(std::size_t level, const message_context& context, slice data,
                                 bool end) {
  if (failed())
    return;
  if (level + 1 < layers_.size())
    layers_[level + 1]->feed(context, std::move(data), end);
  else
    sink_->on_deliver(context, std::move(data), end);
}

void framer_stack::layer_ready(std::size_t level) {
  ++ready_;
  if (level + 1 < layers_.size())
    layers_[level + 1]->start();
  else
    sink_->on_framers_ready();
}

void framer_stack::layer_closed(std::size_t level) {
  if (level > 0) {
    layers_[level - 1]->stop();
    return;
  }
  stopped_ = true;
  sink_->on_framers_stopped();
}

void framer_stack::fail(error reason) {
  if (failed())
    return;
  failure_ = std::move(reason);
  // What goes wrong during the construction is told at the start.
  if (sink_)
    sink_->on_framer_failed(failure_);
}

/// The layers above may have part of it.
void framer_stack::lose_message(std::size_t level) {
  for (auto i = level; i < layers_.size(); ++i)
    layers_[i]->forget();
  sink_->on_broken_message(
      {errc::deframing_failed,
       layers_[level]->name() + ": what came in one piece ends in the middle of a frame"});
}

}  // namespace taps
