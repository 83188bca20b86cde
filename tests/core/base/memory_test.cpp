#include "taps/core/base/buffer_pool.hpp"
#include "taps/core/base/ring.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

using namespace taps;

namespace {

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

}  // namespace

TEST(slice, shares_and_cuts) {
  auto whole = slice::copy_of(std::string_view{"hello world"});
  auto word = whole.sub(6);
  EXPECT_EQ(word.view(), "world");
  EXPECT_EQ(word.data(), whole.data() + 6);
  whole = {};
  EXPECT_EQ(word.view(), "world");
  word.remove_prefix(3);
  EXPECT_EQ(word.view(), "ld");
  EXPECT_TRUE(word.sub(5).empty());
}

TEST(slice, extends_only_over_its_own_neighbour) {
  buffer_pool pool;
  arena memory{pool};
  auto a = memory.copy(bytes("ab"));
  auto b = memory.copy(bytes("cd"));
  EXPECT_TRUE(a.try_extend(b));
  EXPECT_EQ(a.view(), "abcd");
  EXPECT_FALSE(a.try_extend(b));
  EXPECT_FALSE(slice::borrow_static("x").try_extend(slice::borrow_static("y")));
}

TEST(buffer_pool, gives_blocks_again) {
  buffer_pool pool;
  pool.bind_to_this_thread();
  auto* first = pool.acquire();
  detail::release_buffer(first);
  EXPECT_EQ(pool.acquire(), first);
  detail::release_buffer(first);
  EXPECT_EQ(pool.outstanding(), 0u);
}

TEST(buffer_pool, takes_blocks_back_from_other_threads) {
  buffer_pool pool;
  pool.bind_to_this_thread();
  for (int round = 0; round < 200; ++round) {
    std::vector<slice> slices;
    arena memory{pool};
    for (int i = 0; i < 20; ++i) {
      slices.push_back(memory.copy(bytes("text")));
      memory.reset();
    }
    std::thread other{[taken = std::move(slices)]() mutable {
      for (auto& x : taken)
        EXPECT_EQ(x.view(), "text");
      taken.clear();
    }};
    other.join();
  }
  EXPECT_EQ(pool.outstanding(), 0u);
}

TEST(buffer_pool, is_outlived_by_its_blocks) {
  slice kept;
  {
    buffer_pool pool;
    arena memory{pool};
    kept = memory.copy(bytes("still here"));
  }
  EXPECT_EQ(kept.view(), "still here");
}

TEST(arena, starts_over_when_nobody_looks) {
  buffer_pool pool;
  arena memory{pool};
  const auto* first = memory.prepare(10).data();
  auto text = memory.copy(bytes("0123456789"));
  EXPECT_NE(memory.prepare(10).data(), first);
  text = {};
  EXPECT_EQ(memory.prepare(10).data(), first);
}

TEST(arena, long_texts_get_their_own_block) {
  buffer_pool pool;
  arena memory{pool};
  const std::string text(buffer_pool::block_size + 1, 'x');
  EXPECT_EQ(memory.copy(bytes(text)).view(), text);
}

TEST(ring, is_a_queue_that_grows) {
  ring<std::string> queue;
  int next_in = 0;
  int next_out = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 7; ++i)
      queue.push_back(std::to_string(next_in++));
    for (int i = 0; i < 5; ++i)
      EXPECT_EQ(queue.pop_front(), std::to_string(next_out++));
  }
  EXPECT_EQ(queue.size(), 100u);
  EXPECT_EQ(queue.front(), std::to_string(next_out));
  EXPECT_EQ(queue.back(), std::to_string(next_in - 1));
  queue.clear();
  EXPECT_TRUE(queue.empty());
}
