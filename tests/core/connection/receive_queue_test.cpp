#include "taps/core/base/buffer_pool.hpp"
#include "taps/core/connection/receive_queue.hpp"

#include <gtest/gtest.h>

using namespace taps;
using kind = connection_event::kind_type;

namespace {

struct receive_queue_test : ::testing::Test {
  void push(std::string_view text, bool end = true) {
    queue.push(context, slice::copy_of(text), end);
  }

  /// The next answer as text, or "-".
  std::string next() {
    connection_event out;
    if (!queue.ready())
      return "-";
    queue.take(out);
    if (out.kind == kind::receive_error)
      return "error " + std::string{to_string(out.failure->reason())};
    return (out.kind == kind::received ? "whole "
            : out.end_of_message       ? "last "
                                       : "part ") +
           out.data.str();
  }

  receive_queue queue;
  message_context context;
};

}  // namespace

TEST_F(receive_queue_test, RCV_01_nothing_without_a_request) {
  push("a");
  EXPECT_EQ(next(), "-");
  queue.request({});
  EXPECT_EQ(next(), "whole a");
  EXPECT_EQ(next(), "-");
}

TEST_F(receive_queue_test, RCV_03_a_long_message_comes_in_parts) {
  push(std::string(1500, 'x'));
  queue.request({.min_incomplete_length = 1, .max_length = 1000});
  queue.request({.min_incomplete_length = 1, .max_length = 1000});
  EXPECT_EQ(next(), "part " + std::string(1000, 'x'));
  EXPECT_EQ(next(), "last " + std::string(500, 'x'));
}

TEST_F(receive_queue_test, RCV_05_waits_for_the_minimum_or_the_end) {
  queue.request({.min_incomplete_length = 100});
  push(std::string(99, 'x'), false);
  EXPECT_EQ(next(), "-");
  push("y", false);
  EXPECT_EQ(next(), "part " + std::string(99, 'x') + "y");
  queue.request({.min_incomplete_length = 100});
  push("z", true);
  EXPECT_EQ(next(), "last z");
}

TEST_F(receive_queue_test, pieces_of_a_message_are_joined) {
  queue.request({});
  push("ab", false);
  push("cd", false);
  push("", true);
  EXPECT_EQ(next(), "whole abcd");
}

TEST_F(receive_queue_test, an_empty_end_behind_a_delivered_part) {
  queue.request({.min_incomplete_length = 1});
  push("ab", false);
  EXPECT_EQ(next(), "part ab");
  push("", true);
  queue.request({});
  EXPECT_EQ(next(), "last ");
}

TEST_F(receive_queue_test, RCV_06_a_byte_stream_is_one_endless_message) {
  queue.set_endless(true);
  queue.request({.count = 3});
  push("ab", false);
  push("cd", false);
  EXPECT_EQ(next(), "part ab");
  EXPECT_EQ(next(), "part cd");
  queue.end({});
  EXPECT_EQ(next(), "last ");
  queue.request({});
  EXPECT_EQ(next(), "error NoMoreData");
}

TEST_F(receive_queue_test, a_byte_stream_is_joined_up_to_the_minimum) {
  queue.set_endless(true);
  queue.request({.min_incomplete_length = 3, .max_length = 3});
  push("ab", false);
  EXPECT_EQ(next(), "-");
  push("cd", false);
  EXPECT_EQ(next(), "part abc");
}

TEST_F(receive_queue_test, a_counted_request_gets_one_error) {
  queue.request({.count = 10});
  push("a");
  EXPECT_EQ(next(), "whole a");
  queue.end({});
  EXPECT_EQ(next(), "error NoMoreData");
  EXPECT_EQ(next(), "-");
}

TEST_F(receive_queue_test, RCV_08_the_rest_comes_before_the_error) {
  queue.request({.count = 2});
  push("half", false);
  EXPECT_EQ(next(), "-");
  queue.terminate({errc::connection_aborted, "reset"});
  EXPECT_EQ(next(), "part half");
  EXPECT_EQ(next(), "error ConnectionAborted");
}

TEST_F(receive_queue_test, wants_data_only_while_somebody_waits) {
  EXPECT_FALSE(queue.wants_data());
  queue.request({});
  EXPECT_TRUE(queue.wants_data());
  push("a");
  EXPECT_EQ(next(), "whole a");
  EXPECT_FALSE(queue.wants_data());
}

TEST_F(receive_queue_test, a_byte_stream_with_a_maximum_comes_as_it_comes) {
  queue.set_endless(true);
  queue.request({.max_length = 1000, .count = 2});
  push("ab", false);
  EXPECT_EQ(next(), "part ab");
  push(std::string(1500, 'x'), false);
  EXPECT_EQ(next(), "part " + std::string(1000, 'x'));
}

TEST_F(receive_queue_test, a_broken_message_is_one_error_and_the_next_one_is_whole) {
  queue.request({.count = 4});
  push("a");
  push("lost", false);
  queue.push_broken({errc::deframing_failed, "cut"});
  queue.push_broken({errc::deframing_failed, "empty"});
  push("b");
  EXPECT_EQ(next(), "whole a");
  EXPECT_EQ(next(), "error DeframingFailed");
  EXPECT_EQ(next(), "error DeframingFailed");
  EXPECT_EQ(next(), "whole b");
  EXPECT_EQ(next(), "-");
  EXPECT_EQ(queue.bytes(), 0u);
  EXPECT_FALSE(queue.wants_data());
}

TEST_F(receive_queue_test, a_message_that_breaks_after_a_part_of_it_was_told) {
  queue.request({.min_incomplete_length = 1, .count = 3});
  push("ab", false);
  EXPECT_EQ(next(), "part ab");
  queue.push_broken({errc::deframing_failed, "cut"});
  push("c");
  EXPECT_EQ(next(), "error DeframingFailed");
  EXPECT_EQ(next(), "whole c");
}

TEST_F(receive_queue_test, a_message_byte_by_byte_costs_no_more_than_its_size) {
  buffer_pool pool;
  arena memory{pool};
  std::string text;
  queue.request({});
  // Quadratic in the number of pieces this would take minutes.
  for (int i = 0; i < 400'000; ++i) {
    const auto letter = static_cast<char>('a' + i % 26);
    text += letter;
    // Every other piece lies next to its predecessor in memory.
    const std::string_view byte{&letter, 1};
    queue.push(context,
               i % 2 == 0 ? slice::copy_of(byte) : memory.copy(std::as_bytes(std::span{byte})),
               false);
    ASSERT_EQ(next(), "-");
  }
  push("", true);
  EXPECT_EQ(next(), "whole " + text);
}

TEST_F(receive_queue_test, bytes_that_lie_together_become_one_piece) {
  buffer_pool pool;
  arena memory{pool};
  queue.request({});
  const std::byte* first = nullptr;
  for (const std::string_view byte : {"a", "b", "c"}) {
    auto data = memory.copy(std::as_bytes(std::span{byte}));
    first = first ? first : data.data();
    queue.push(context, std::move(data), byte == "c");
  }
  connection_event out;
  ASSERT_TRUE(queue.ready());
  queue.take(out);
  EXPECT_EQ(out.data.view(), "abc");
  EXPECT_EQ(out.data.data(), first) << "it was copied";
}
