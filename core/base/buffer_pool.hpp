#pragma once

#include "taps/core/base/slice.hpp"

namespace taps {

/// A free list of equally large blocks, one per thread that does I/O. Blocks that other threads let
/// go find their way back without a lock; blocks may outlive the pool.
class buffer_pool {
public:
  /// More than 64 KiB, which is what one write often brings: a read that leaves room tells that
  /// there is no more, without another read.
  static constexpr std::size_t block_size = 68 * 1024;

  buffer_pool();
  buffer_pool(const buffer_pool&) = delete;
  buffer_pool& operator=(const buffer_pool&) = delete;
  ~buffer_pool();

  /// Makes the calling thread the one whose released blocks skip the atomic path. The pool is used
  /// by this thread alone from then on.
  void bind_to_this_thread() noexcept;

  /// Returns a block with one reference.
  [[nodiscard]] detail::buffer* acquire();

  /// How many blocks are out, in slices or arenas.
  [[nodiscard]] std::size_t outstanding() const noexcept;

private:
  detail::pool_core* core_;
};

/// Cuts slices off pooled blocks one behind the other, so that many small reads share a block.
class arena {
public:
  explicit arena(buffer_pool& pool) noexcept : pool_(&pool) {}
  arena(const arena&) = delete;
  arena& operator=(const arena&) = delete;
  ~arena() { reset(); }

  /// Returns free space of at least `at_least` bytes to write into. @pre `at_least <= block_size`
  [[nodiscard]] std::span<std::byte> prepare(std::size_t at_least);

  /// Turns the first `n` bytes of the space last prepared into a slice.
  [[nodiscard]] slice commit(std::size_t n) noexcept;

  /// Copies `bytes` into the arena; long ones get a block of their own.
  [[nodiscard]] slice copy(std::span<const std::byte> bytes);

  /// Gives the current block back.
  void reset() noexcept;

private:
  buffer_pool* pool_;
  detail::buffer* block_ = nullptr;
  std::size_t used_ = 0;
};

}  // namespace taps
