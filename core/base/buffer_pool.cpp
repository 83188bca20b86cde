#include "taps/core/base/buffer_pool.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace taps {

namespace detail {

/// The part of a pool that lives as long as its last block.
struct pool_core {
  /// Blocks kept for reuse at most; more are given back to the system.
  static constexpr std::size_t max_idle = 64;

  /// One for the pool and one for each block that is out.
  std::atomic<std::size_t> references{1};
  std::atomic<bool> closed{false};
  buffer* idle = nullptr;
  std::size_t num_idle = 0;
  std::atomic<buffer*> returned{nullptr};
};

namespace {

thread_local pool_core* pool_of_this_thread = nullptr;

/// Blocks of a pool start at a cache line, which the kernel copies to faster. Their header lies
/// right before.
constexpr std::size_t line = 64;
static_assert(sizeof(buffer) <= line);

buffer* allocate_block(pool_core* home) {
  auto* start = static_cast<std::byte*>(
      ::operator new (line + buffer_pool::block_size, std::align_val_t{line}));
  auto* x = new (start + line - sizeof(buffer)) buffer;
  x->capacity = buffer_pool::block_size;
  x->home = home;
  return x;
}

void free_buffer(buffer* x) noexcept {
  const auto is_block = x->home != nullptr;
  x->~buffer();
  if (is_block)
    ::operator delete (reinterpret_cast<std::byte*>(x + 1) - line, std::align_val_t{line});
  else
    ::operator delete(x);
}

void free_chain(buffer* x) noexcept {
  while (x)
    free_buffer(std::exchange(x, x->next));
}

void unref(pool_core* core) noexcept {
  if (core->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    free_chain(core->returned.load());
    delete core;
  }
}

void keep(pool_core* core, buffer* x) noexcept {
  if (core->num_idle >= pool_core::max_idle) {
    free_buffer(x);
    return;
  }
  x->next = core->idle;
  core->idle = x;
  ++core->num_idle;
}

void give_back_from_afar(pool_core* core, buffer* x) noexcept {
  if (core->closed.load(std::memory_order_acquire)) {
    free_buffer(x);
    return;
  }
  auto* head = core->returned.load(std::memory_order_relaxed);
  do
    x->next = head;
  while (!core->returned.compare_exchange_weak(head, x, std::memory_order_release,
                                               std::memory_order_relaxed));
}

}  // namespace

buffer* allocate_buffer(std::size_t capacity) {
  auto* x = new (::operator new(sizeof(buffer) + capacity)) buffer;
  x->capacity = static_cast<std::uint32_t>(capacity);
  return x;
}

void release_buffer(buffer* x) noexcept {
  // A sole owner need not pay for an atomic decrement.
  if (x->references.load(std::memory_order_acquire) != 1 &&
      x->references.fetch_sub(1, std::memory_order_acq_rel) != 1)
    return;
  auto* home = x->home;
  if (!home) {
    free_buffer(x);
    return;
  }
  if (home == pool_of_this_thread)
    keep(home, x);
  else
    give_back_from_afar(home, x);
  unref(home);
}

}  // namespace detail

// -- slice ----------------------------------------------------------------------

slice slice::copy_of(std::span<const std::byte> bytes) {
  if (bytes.empty())
    return {};
  auto* block = detail::allocate_buffer(bytes.size());
  std::memcpy(block->data(), bytes.data(), bytes.size());
  return {block, block->data(), bytes.size()};
}

slice slice::copy_of(std::string_view bytes) {
  return copy_of(std::as_bytes(std::span{bytes.data(), bytes.size()}));
}

slice slice::borrow_static(std::string_view bytes) noexcept {
  return {nullptr, reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()};
}

slice slice::sub(std::size_t offset, std::size_t length) const {
  slice result{*this};
  offset = std::min(offset, size_);
  result.data_ += offset;
  result.size_ = std::min(length, size_ - offset);
  return result;
}

// -- buffer_pool ------------------------------------------------------------------

buffer_pool::buffer_pool() : core_(new detail::pool_core) {}

buffer_pool::~buffer_pool() {
  if (detail::pool_of_this_thread == core_)
    detail::pool_of_this_thread = nullptr;
  core_->closed.store(true, std::memory_order_release);
  detail::free_chain(std::exchange(core_->idle, nullptr));
  detail::unref(core_);
}

void buffer_pool::bind_to_this_thread() noexcept { detail::pool_of_this_thread = core_; }

detail::buffer* buffer_pool::acquire() {
  if (!core_->idle) {
    auto* x = core_->returned.exchange(nullptr, std::memory_order_acquire);
    while (x)
      detail::keep(core_, std::exchange(x, x->next));
  }
  core_->references.fetch_add(1, std::memory_order_relaxed);
  if (auto* x = core_->idle) {
    core_->idle = x->next;
    --core_->num_idle;
    x->references.store(1, std::memory_order_relaxed);
    return x;
  }
  return detail::allocate_block(core_);
}

std::size_t buffer_pool::outstanding() const noexcept { return core_->references.load() - 1; }

// -- arena ------------------------------------------------------------------------

std::span<std::byte> arena::prepare(std::size_t at_least) {
  // A block that only the arena still refers to starts over.
  if (block_ && block_->references.load(std::memory_order_acquire) == 1)
    used_ = 0;
  if (block_ && block_->capacity - used_ < at_least)
    reset();
  if (!block_)
    block_ = pool_->acquire();
  return {block_->data() + used_, block_->capacity - used_};
}

slice arena::commit(std::size_t n) noexcept {
  auto* start = block_->data() + used_;
  used_ += n;
  block_->references.fetch_add(1, std::memory_order_relaxed);
  return {block_, start, n};
}

slice arena::copy(std::span<const std::byte> bytes) {
  if (bytes.size() > buffer_pool::block_size / 4)
    return slice::copy_of(bytes);
  if (bytes.empty())
    return {};
  auto space = prepare(bytes.size());
  std::memcpy(space.data(), bytes.data(), bytes.size());
  return commit(bytes.size());
}

void arena::reset() noexcept {
  if (block_)
    detail::release_buffer(std::exchange(block_, nullptr));
  used_ = 0;
}

}  // namespace taps
