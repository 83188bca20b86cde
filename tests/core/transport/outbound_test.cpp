#include "taps/core/base/buffer_pool.hpp"
#include "taps/core/transport/outbound.hpp"

#include <gtest/gtest.h>

using namespace taps;

namespace {

slice text(std::string_view x) { return slice::copy_of(x); }

std::vector<send_id> ids(outbound_queue& queue) {
  std::vector<send_id> result;
  for (const auto& x : queue.completions())
    result.push_back(x.id);
  queue.completions().clear();
  return result;
}

using list = std::vector<send_id>;

}  // namespace

TEST(outbound_queue, a_send_completes_with_its_last_byte) {
  outbound_queue queue;
  queue.push({text("abc"), {}, true, false});
  queue.mark(1);
  queue.push({text("de"), {}, true, false});
  queue.mark(2);
  EXPECT_EQ(queue.bytes(), 5u);
  queue.consume(2);
  EXPECT_EQ(ids(queue), list{});
  EXPECT_EQ(queue.pieces().front().data.view(), "c");
  queue.consume(1);
  EXPECT_EQ(ids(queue), list{1});
  queue.consume(2);
  EXPECT_EQ(ids(queue), list{2});
  EXPECT_TRUE(queue.empty());
}

TEST(outbound_queue, neighbours_in_memory_become_one_piece) {
  buffer_pool pool;
  arena memory{pool};
  outbound_queue queue;
  for (send_id i = 0; i < 10; ++i) {
    queue.push({memory.copy(std::as_bytes(std::span{"xy", 2})), {}, true, false});
    queue.mark(i);
  }
  EXPECT_EQ(queue.pieces().size(), 1u);
  queue.consume(5);
  EXPECT_EQ(ids(queue), (list{0, 1}));
  queue.consume(15);
  EXPECT_EQ(ids(queue), (list{2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(outbound_queue, datagrams_stay_apart_and_fail_alone) {
  buffer_pool pool;
  arena memory{pool};
  outbound_queue queue{data_unit::datagram};
  const auto piece = [&] { return memory.copy(std::as_bytes(std::span{"xy", 2})); };
  queue.push({piece(), {}, false, false});
  queue.push({piece(), {}, true, false});
  queue.mark(1);
  queue.push({slice{}, {}, true, false});
  queue.mark(2);
  EXPECT_EQ(queue.pieces().size(), 3u);
  queue.complete_message({errc::message_too_large, "no"});
  ASSERT_EQ(queue.completions().size(), 1u);
  EXPECT_EQ(queue.completions()[0].failure->reason(), errc::message_too_large);
  queue.completions().clear();
  queue.complete_message();
  ASSERT_EQ(queue.completions().size(), 1u);
  EXPECT_EQ(queue.completions()[0].failure, nullptr);
}

TEST(outbound_queue, an_empty_final_piece_goes_with_the_bytes_before_it) {
  outbound_queue queue;
  queue.push({text("ab"), {}, true, false});
  queue.mark(1);
  queue.push({slice{}, {}, true, true});
  queue.mark(2);
  EXPECT_FALSE(queue.consume(1));
  EXPECT_TRUE(queue.consume(1));
  EXPECT_EQ(ids(queue), (list{1, 2}));
}

TEST(outbound_queue, stays_small_when_it_never_runs_empty) {
  outbound_queue queue;
  queue.push({text("x"), {}, true, false});
  for (send_id i = 0; i < 10000; ++i) {
    queue.push({text("x"), {}, true, false});
    queue.mark(i);
    queue.consume(1);
  }
  EXPECT_EQ(queue.pieces().size(), 1u);
  EXPECT_EQ(queue.completions().size(), 9999u);
}
