#include "taps/core/message/framer_stack.hpp"
#include "taps/core/message/framers/length_prefix.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>

using namespace taps;

namespace {

struct sink final : framer_stack_sink {
  void on_framers_ready() override { ready = true; }
  void on_framers_stopped() override { stopped = true; }
  void on_framer_failed(error reason) override {
    failure = std::move(reason);
    ++failures;
  }
  void on_broken_message(error reason) override {
    current.clear();
    messages.push_back("broken: " + std::string{to_string(reason.reason())});
  }
  void on_deliver(const message_context&, slice data, bool end) override {
    current += data.view();
    if (end)
      messages.push_back(std::exchange(current, {}));
  }

  bool ready = false;
  bool stopped = false;
  error failure;
  int failures = 0;
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

/// Reads "3:abc," as in netstrings; what follows the data is skipped before it has come.
class netstrings final : public framer {
public:
  std::string_view name() const noexcept override { return "netstrings"; }
  result<void> new_sent_message(framer_context&, slice, const message_context&, bool) override {
    return {};
  }
  void handle_received_data(framer_context& x) override {
    while (auto head = x.parse(2, 2)) {
      const auto n = std::to_integer<std::size_t>(head->bytes[0]) - '0';
      x.advance_receive_cursor(2);
      x.deliver_and_advance_receive_cursor(x.inbound_context(), n, false);
      x.deliver(x.inbound_context(), slice::borrow_static("."), true);
      x.advance_receive_cursor(1);
    }
  }
};

/// Gets ready when "r" comes; hands on everything else at once.
class slow_starter final : public framer {
public:
  std::string_view name() const noexcept override { return "slow_starter"; }
  void start(framer_context&) override {}
  result<void> new_sent_message(framer_context& x, slice data, const message_context&,
                                bool) override {
    x.send(std::move(data));
    return {};
  }
  void handle_received_data(framer_context& x) override {
    while (auto next = x.parse(1, 1)) {
      if (next->bytes[0] == std::byte{'r'}) {
        x.advance_receive_cursor(1);
        x.make_connection_ready();
      } else {
        x.deliver_and_advance_receive_cursor(x.inbound_context(), 1, true);
      }
    }
  }
};

/// Does in each call what the test says, or else what a framer without a format would do.
class scripted final : public framer {
public:
  struct script {
    std::function<void(framer_context&)> start = {};
    std::function<void(framer_context&)> stop = {};
    std::function<void(framer_context&)> receive = {};
    std::function<result<void>(framer_context&, slice)> send = {};
    std::function<bool()> preserves = {};
  };
  explicit scripted(script x) : script_(std::move(x)) {}
  std::string_view name() const noexcept override { return "scripted"; }
  bool preserves_boundaries() const override { return !script_.preserves || script_.preserves(); }
  void start(framer_context& x) override {
    script_.start ? script_.start(x) : x.make_connection_ready();
  }
  void stop(framer_context& x) override {
    script_.stop ? script_.stop(x) : x.make_connection_closed();
  }
  result<void> new_sent_message(framer_context& x, slice data, const message_context&,
                                bool) override {
    if (script_.send)
      return script_.send(x, std::move(data));
    x.send(std::move(data));
    return {};
  }
  void handle_received_data(framer_context& x) override {
    if (script_.receive)
      script_.receive(x);
    else
      while (auto next = x.parse(1, 100))
        x.deliver_and_advance_receive_cursor(x.inbound_context(), next->bytes.size(), true);
  }

private:
  script script_;
};

framer_factory play(scripted::script x) {
  return [x] { return std::make_unique<scripted>(x); };
}

const auto throw_up = [](auto&&...) -> result<void> { throw std::runtime_error{"boom"}; };

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

// -- what a peer may try ------------------------------------------------------------------

TEST_F(framer_stack_test, what_follows_bytes_to_come_waits_for_them) {
  const std::string_view wire = "3:abc,0:,2:de,";
  for (std::size_t step = 1; step <= wire.size(); ++step) {
    auto stack = make({std::make_unique<netstrings>});
    sink got;
    stack.set_sink(got);
    stack.start();
    for (std::size_t at = 0; at < wire.size(); at += step)
      stack.receive(slice::copy_of(wire.substr(at, step)), context, false);
    EXPECT_EQ(got.messages, (std::vector<std::string>{"abc.", ".", "de."})) << "step " << step;
    EXPECT_FALSE(stack.inside_message());
  }
}

TEST_F(framer_stack_test, a_frame_does_not_reach_into_the_next_datagram) {
  auto stack = make({length_prefix({.width = 1})}, data_unit::datagram);
  stack.set_sink(heard);
  stack.start();
  const auto datagram = [&](std::string_view x) {
    stack.receive(slice::copy_of(x), context, true);
  };
  datagram("\1a\2bc");
  EXPECT_EQ(heard.messages, (std::vector<std::string>{"a", "bc"}));
  heard.messages.clear();
  datagram("\5abc");
  EXPECT_EQ(heard.messages, std::vector<std::string>{"broken: DeframingFailed"});
  EXPECT_FALSE(stack.inside_message());
  datagram("\2de");
  EXPECT_EQ(heard.messages.back(), "de");
  EXPECT_FALSE(heard.failure);
}

TEST_F(framer_stack_test, bytes_left_over_in_a_datagram_are_an_error) {
  int misses = 0;
  auto stack = make({[&] { return std::make_unique<greedy>(&misses); }}, data_unit::datagram);
  stack.set_sink(heard);
  stack.start();
  stack.receive(slice::copy_of(std::string_view{"abcdef"}), context, true);
  EXPECT_EQ(heard.messages, (std::vector<std::string>{"abcd", "broken: DeframingFailed"}));
  stack.receive(slice::copy_of(std::string_view{"ghij"}), context, true);
  EXPECT_EQ(heard.messages.back(), "ghij");
}

TEST_F(framer_stack_test, a_broken_frame_takes_what_the_layers_above_have_of_it) {
  auto stack =
      make({length_prefix({.width = 1}), length_prefix({.width = 1})}, data_unit::datagram);
  stack.set_sink(heard);
  stack.start();
  stack.receive(slice::copy_of(std::string_view{"\7\5abc"}), context, true);
  EXPECT_EQ(heard.messages, std::vector<std::string>{"broken: DeframingFailed"});
  stack.receive(slice::copy_of(std::string_view{"\3\2de"}), context, true);
  EXPECT_EQ(heard.messages.back(), "de");
}

TEST_F(framer_stack_test, a_stack_fails_once_and_is_deaf_then) {
  auto stack = make({length_prefix({.width = 1}), length_prefix({.width = 2, .max_length = 1})});
  stack.set_sink(heard);
  stack.start();
  // Three Messages for the upper one, of which the first two exceed its limit.
  stack.receive(slice::copy_of(std::string_view{"\2\0\2\2\0\2\2\0\0", 9}), context, false);
  stack.receive(slice::copy_of(std::string_view{"\2\0\0", 3}), context, false);
  EXPECT_EQ(heard.failures, 1);
  EXPECT_EQ(heard.failure.reason(), errc::deframing_failed);
  EXPECT_TRUE(heard.messages.empty());
}

TEST_F(framer_stack_test, nothing_is_delivered_before_ready) {
  auto stack = make({std::make_unique<slow_starter>});
  stack.set_sink(heard);
  stack.start();
  EXPECT_FALSE(heard.ready);
  stack.receive(slice::copy_of(std::string_view{"ra"}), context, false);
  EXPECT_TRUE(heard.ready);
  EXPECT_EQ(heard.messages, std::vector<std::string>{"a"});

  auto hasty = make({std::make_unique<slow_starter>});
  sink got;
  hasty.set_sink(got);
  hasty.start();
  hasty.receive(slice::copy_of(std::string_view{"ar"}), context, false);
  EXPECT_EQ(got.failure.reason(), errc::protocol_failed);
  EXPECT_FALSE(got.ready);
  EXPECT_TRUE(got.messages.empty());
}

TEST_F(framer_stack_test, a_width_that_cannot_be_fails_the_connection) {
  for (unsigned width : {0u, 9u, 1000u}) {
    auto stack = make({length_prefix({.width = width})});
    sink got;
    stack.set_sink(got);
    stack.start();
    EXPECT_FALSE(got.ready);
    EXPECT_EQ(got.failure.reason(), errc::invalid_configuration);
    stack.receive(slice::copy_of(std::string(20, '\0')), context, false);
    EXPECT_TRUE(got.messages.empty());
  }
}

TEST_F(framer_stack_test, nothing_is_allocated_for_an_announced_length) {
  auto stack = make({length_prefix({.width = 8, .max_length = ~std::uint64_t{0}})});
  stack.set_sink(heard);
  stack.start();
  stack.receive(slice::copy_of(std::string(8, '\xff')), context, false);
  stack.receive(slice::copy_of(std::string_view{"abc"}), context, false);
  EXPECT_EQ(heard.current, "abc");
  EXPECT_FALSE(heard.failure);
  EXPECT_TRUE(stack.inside_message());
}

// -- sending ------------------------------------------------------------------------------

TEST_F(framer_stack_test, a_refused_message_leaves_no_part_behind) {
  auto stack = make({length_prefix({.width = 1, .max_length = 4})});
  stack.set_sink(heard);
  EXPECT_TRUE(stack.send(slice::copy_of(std::string_view{"abc"}), context, false));
  EXPECT_FALSE(stack.send(slice::copy_of(std::string_view{"de"}), context, false));
  EXPECT_FALSE(stack.send(slice::copy_of(std::string_view{"f"}), context, true));
  EXPECT_TRUE(stack.queue().empty());
  EXPECT_TRUE(stack.send(slice::copy_of(std::string_view{"new"}), context, true));
  EXPECT_EQ(drain(stack), "\3new");
}

TEST_F(framer_stack_test, what_a_lower_framer_refuses_is_an_error_of_that_send) {
  auto stack = make({length_prefix({.width = 2, .max_length = 600}), length_prefix()});
  stack.set_sink(heard);
  for (auto size : {597u, 700u}) {
    auto sent = stack.send(slice::copy_of(std::string(size, 'x')), context, true);
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.failure().reason(), errc::message_too_large);
  }
  EXPECT_FALSE(heard.failure);
  EXPECT_TRUE(stack.send(slice::copy_of(std::string_view{"a"}), context, true));
  EXPECT_EQ(drain(stack), (std::string{"\0\5\0\0\0\1a", 7}));
}

TEST_F(framer_stack_test, half_a_message_in_the_queue_fails_the_stack) {
  // Also where nothing can be counted in bytes: an empty datagram is one.
  for (std::string_view half : {"half", ""})
    for (auto unit : {data_unit::byte_stream, data_unit::datagram})
      for (bool lower : {false, true}) {
        auto halving = play({.send = [=](framer_context& x, slice) -> result<void> {
          x.send(slice::copy_of(half));
          return error{errc::message_too_large, "too much"};
        }});
        auto stack = make(lower ? std::vector{halving, play({})} : std::vector{halving}, unit);
        sink got;
        stack.set_sink(got);
        stack.start();
        auto sent = stack.send(slice::copy_of(std::string_view{"all"}), context, true);
        ASSERT_FALSE(sent);
        EXPECT_EQ(sent.failure().text(), "too much");
        EXPECT_EQ(got.failure.text(), "too much") << lower << half;
        EXPECT_EQ(got.failures, 1);
      }
}

TEST_F(framer_stack_test, an_error_before_anything_was_pushed_fails_the_send_alone) {
  auto stack = make({play({.send = [](framer_context&, slice) -> result<void> {
                      return error{errc::message_too_large, "too much"};
                    }})},
                    data_unit::datagram);
  stack.set_sink(heard);
  stack.start();
  for (int i = 0; i < 2; ++i)
    EXPECT_FALSE(stack.send(slice::copy_of(std::string_view{"all"}), context, true));
  EXPECT_EQ(heard.failures, 0);
}

// -- what the application's own framers may do ----------------------------------------------

TEST_F(framer_stack_test, what_a_framer_throws_fails_the_stack) {
  const std::pair<const char*, scripted::script> scripts[] = {
      {"start", {.start = throw_up}},
      {"stop", {.stop = throw_up}},
      {"receive", {.receive = throw_up}},
      {"send", {.send = throw_up}},
      {"preserves", {.preserves = [] { return throw_up().has_value(); }}},
  };
  for (const auto& [where, x] : scripts)
    for (bool upper : {false, true}) {
      SCOPED_TRACE(std::string{where} + (upper ? ", above another" : ""));
      auto stack = make(upper ? std::vector{play({}), play(x)} : std::vector{play(x), play({})});
      sink got;
      stack.set_sink(got);
      stack.start();
      auto sent = stack.send(slice::copy_of(std::string_view{"a"}), context, true);
      EXPECT_EQ(sent.has_value(), where == std::string{"stop"} || where == std::string{"receive"});
      stack.receive(slice::copy_of(std::string_view{"a"}), context, false);
      stack.stop();
      EXPECT_EQ(got.failures, 1);
      EXPECT_EQ(to_string(got.failure), "ProtocolFailed: scripted: the framer threw: boom");
      EXPECT_TRUE(sent || sent.failure() == got.failure);
    }
}

TEST_F(framer_stack_test, anything_can_be_thrown) {
  auto stack = make({play({.start = [](framer_context&) { throw 1; }})});
  stack.set_sink(heard);
  stack.start();
  EXPECT_EQ(heard.failure.text(),
            "scripted: the framer threw: something that is no std::exception");
}

TEST_F(framer_stack_test, no_framer_is_called_after_a_failure) {
  int calls = 0;
  const auto count = [&](framer_context&) { ++calls; };
  auto stack = make({play({.stop = count, .receive = count}),
                     play({.start =
                               [](framer_context& x) {
                                 x.fail_connection({errc::protocol_failed, "first"});
                                 x.make_connection_ready();
                                 x.make_connection_closed();
                                 throw std::runtime_error{"second"};
                               },
                           .stop = count})});
  stack.set_sink(heard);
  stack.start();
  stack.receive(slice::copy_of(std::string_view{"a"}), context, false);
  EXPECT_FALSE(stack.send(slice::copy_of(std::string_view{"a"}), context, false));
  stack.stop();
  EXPECT_EQ(heard.failure.text(), "first");
  EXPECT_EQ(heard.failures, 1);
  EXPECT_FALSE(heard.ready);
  EXPECT_FALSE(stack.ready());
  EXPECT_EQ(calls, 0);
}

TEST_F(framer_stack_test, a_failure_has_a_reason) {
  const auto nothing = [](framer_context& x) { x.fail_connection({}); };
  const auto no_text = [](framer_context& x) { x.fail_connection({errc::timeout, ""}); };
  const std::string text = "scripted: the framer failed without a reason";
  for (auto [start, reason] :
       {std::pair{std::function<void(framer_context&)>{nothing}, errc::protocol_failed},
        {no_text, errc::timeout}}) {
    auto stack = make({play({.start = start})});
    sink got;
    stack.set_sink(got);
    stack.start();
    EXPECT_EQ(got.failure, (error{reason, text}));
  }
  for (bool lower : {false, true}) {
    auto mute = play({.send = [](framer_context&, slice) -> result<void> { return error{}; }});
    auto stack = make(lower ? std::vector{mute, play({})} : std::vector{mute});
    stack.set_sink(heard);
    stack.start();
    auto sent = stack.send(slice::copy_of(std::string_view{"a"}), context, true);
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.failure(), (error{errc::protocol_failed, text}));
    EXPECT_EQ(heard.failures, 0);
  }
}

TEST_F(framer_stack_test, who_closed_early_is_stopped_at_once) {
  int goodbyes = 0;
  auto stack = make({play({.stop = [&](framer_context&) { ++goodbyes; },
                           .receive = [](framer_context& x) { x.make_connection_closed(); }})});
  stack.set_sink(heard);
  stack.start();
  stack.receive(slice::copy_of(std::string_view{"a"}), context, false);
  EXPECT_TRUE(heard.stopped);
  heard.stopped = false;
  stack.stop();
  EXPECT_TRUE(heard.stopped);
  EXPECT_EQ(goodbyes, 0);
}

TEST_F(framer_stack_test, a_framer_that_cannot_be_made_fails_the_start) {
  const framer_factory threw = [] {
    return throw_up() ? nullptr : std::make_unique<greedy>(nullptr);
  };
  const framer_factory null = [] { return nullptr; };
  const std::pair<framer_factory, std::string> bad[] = {
      {nullptr, "InvalidConfiguration: framer 2: its factory is an empty function"},
      {null, "InvalidConfiguration: framer 2: its factory returned none"},
      {threw, "ProtocolFailed: framer 2: its factory threw: boom"},
  };
  for (const auto& [factory, text] : bad) {
    auto stack = make({length_prefix(), factory, length_prefix()});
    sink got;
    stack.set_sink(got);
    EXPECT_FALSE(stack.preserves_boundaries());
    EXPECT_FALSE(stack.ready());
    stack.receive(slice::copy_of(std::string_view{"abcde"}), context, false);
    EXPECT_EQ(got.failures, 0);
    stack.start();
    EXPECT_EQ(got.failures, 1);
    EXPECT_EQ(to_string(got.failure), text);
    EXPECT_FALSE(got.ready);
    EXPECT_FALSE(stack.send(slice::copy_of(std::string_view{"a"}), context, true));

    auto alone = make({factory});
    sink alone_got;
    alone.set_sink(alone_got);
    alone.start();
    alone.receive(slice::copy_of(std::string_view{"a"}), context, true);
    EXPECT_TRUE(alone_got.messages.empty());
    EXPECT_FALSE(alone.ready());
    EXPECT_EQ(alone_got.failures, 1);

    EXPECT_FALSE(preserves_boundaries({factory}));
    EXPECT_TRUE(preserves_boundaries({factory, length_prefix()}));
  }
}

TEST(framers, keep_boundaries_if_one_does_without_throwing) {
  const auto not_so = play({.preserves = [] { return false; }});
  EXPECT_FALSE(preserves_boundaries({}));
  EXPECT_FALSE(preserves_boundaries({not_so}));
  EXPECT_TRUE(preserves_boundaries({not_so, play({})}));
  EXPECT_FALSE(preserves_boundaries({play({.preserves = [] { return throw_up().has_value(); }})}));
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
