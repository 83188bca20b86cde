#include "taps/core/message/framer_stack.hpp"
#include "taps/core/message/framers/length_prefix.hpp"

#include <gtest/gtest.h>

using namespace taps;

namespace {

struct sink final : framer_stack_sink {
  void on_framers_ready() override { ready = true; }
  void on_framers_stopped() override { stopped = true; }
  void on_framer_failed(error reason) override { failure = std::move(reason); }
  void on_deliver(const message_context&, slice data, bool end) override {
    current += data.view();
    if (end)
      messages.push_back(std::exchange(current, {}));
  }

  bool ready = false;
  bool stopped = false;
  error failure;
  std::string current;
  std::vector<std::string> messages;
};

struct framer_stack_test : ::testing::Test {
  explicit framer_stack_test() : memory(pool) {}

  framer_stack make(std::vector<framer_factory> framers, data_unit unit = data_unit::byte_stream) {
    return {framers, unit, memory};
  }

  static std::string drain(framer_stack& stack) {
    std::string result;
    for (const auto& x : stack.queue().pieces())
      result += x.data.view();
    stack.queue().consume(stack.queue().bytes());
    return result;
  }

  buffer_pool pool;
  arena memory;
  sink heard;
  message_context context;
};

/// Counts how often it could not parse.
class greedy final : public framer {
public:
  explicit greedy(int* misses) : misses_(misses) {}
  std::string_view name() const noexcept override { return "greedy"; }
  result<void> new_sent_message(framer_context& x, slice data, const message_context&,
                                bool) override {
    x.send(std::move(data));
    return {};
  }
  void handle_received_data(framer_context& x) override {
    if (!x.parse(4, 100)) {
      ++*misses_;
      return;
    }
    x.deliver_and_advance_receive_cursor(x.inbound_context(), 4, true);
  }

private:
  int* misses_;
};

}  // namespace

TEST_F(framer_stack_test, without_framers_all_passes_through) {
  auto stack = make({});
  stack.set_sink(heard);
  stack.start();
  EXPECT_TRUE(heard.ready);
  ASSERT_TRUE(stack.send(slice::copy_of(std::string_view{"out"}), context, true));
  EXPECT_EQ(drain(stack), "out");
  stack.receive(slice::copy_of(std::string_view{"in"}), context, true);
  EXPECT_EQ(heard.messages, std::vector<std::string>{"in"});
  stack.stop();
  EXPECT_TRUE(heard.stopped);
}

TEST_F(framer_stack_test, FRM_01_any_cut_of_any_stack_yields_the_messages) {
  for (std::size_t depth = 1; depth <= 3; ++depth) {
    auto from = make(std::vector<framer_factory>(depth, length_prefix({.width = 2})));
    const std::vector<std::string> messages{"", "a", "hello", std::string(700, 'x'), "end"};
    for (const auto& x : messages)
      ASSERT_TRUE(from.send(slice::copy_of(x), context, true));
    const auto wire = drain(from);
    for (std::size_t step = 1; step <= wire.size(); step = step < 12 ? step + 1 : step * 2) {
      auto to = make(std::vector<framer_factory>(depth, length_prefix({.width = 2})));
      sink got;
      to.set_sink(got);
      to.start();
      for (std::size_t at = 0; at < wire.size(); at += step)
        to.receive(slice::copy_of(std::string_view{wire}.substr(at, step)), context, false);
      EXPECT_EQ(got.messages, messages) << "depth " << depth << " step " << step;
      EXPECT_FALSE(to.inside_message());
    }
  }
}

TEST_F(framer_stack_test, FRM_09_too_little_data_consumes_nothing) {
  int misses = 0;
  auto stack = make({[&] { return std::make_unique<greedy>(&misses); }});
  stack.set_sink(heard);
  stack.start();
  stack.receive(slice::copy_of(std::string_view{"abc"}), context, false);
  EXPECT_EQ(misses, 1);
  EXPECT_TRUE(heard.messages.empty());
  stack.receive(slice::copy_of(std::string_view{"d"}), context, false);
  EXPECT_EQ(heard.messages, std::vector<std::string>{"abcd"});
}

TEST_F(framer_stack_test, parts_of_a_message_wait_for_its_length) {
  auto stack = make({length_prefix({.width = 1})});
  stack.set_sink(heard);
  ASSERT_TRUE(stack.send(slice::copy_of(std::string_view{"hel"}), context, false));
  EXPECT_TRUE(stack.queue().empty());
  ASSERT_TRUE(stack.send(slice::copy_of(std::string_view{"lo"}), context, true));
  EXPECT_EQ(drain(stack), "\5hello");
}

TEST_F(framer_stack_test, limits_hold_in_both_directions) {
  auto stack = make({length_prefix({.width = 4, .max_length = 10})});
  stack.set_sink(heard);
  stack.start();
  auto sent = stack.send(slice::copy_of(std::string(11, 'x')), context, true);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.failure().reason(), errc::message_too_large);
  stack.receive(slice::copy_of(std::string_view{"\0\0\0\13", 4}), context, false);
  EXPECT_EQ(heard.failure.reason(), errc::deframing_failed);
}

TEST_F(framer_stack_test, the_width_limits_too) {
  auto stack = make({length_prefix({.width = 1})});
  EXPECT_FALSE(stack.send(slice::copy_of(std::string(256, 'x')), context, true));
  EXPECT_TRUE(stack.send(slice::copy_of(std::string(255, 'x')), context, true));
}

TEST_F(framer_stack_test, a_cut_frame_is_noticed) {
  auto stack = make({length_prefix()});
  stack.set_sink(heard);
  stack.start();
  stack.receive(slice::copy_of(std::string_view{"\0\0\0\5ab", 6}), context, false);
  EXPECT_TRUE(stack.inside_message());
}

TEST(message_context, is_a_snapshot_when_copied) {
  message_context original;
  original.with_final();
  auto copy = original;
  original.with_final(false).add("f", "k", "v");
  EXPECT_EQ(copy.properties().final, true);
  EXPECT_FALSE(copy.get("f", "k"));
  EXPECT_EQ(original.get("f", "k"), "v");
  EXPECT_FALSE(original.get("g", "k"));
  EXPECT_FALSE(original == copy);
}

TEST(message_context, bad_properties_change_nothing) {
  message_context context;
  EXPECT_FALSE(context.add("msgPriority", -1));
  EXPECT_FALSE(context.add("noSuchProperty", 1));
  EXPECT_EQ(context.shared_properties(), nullptr);
}
