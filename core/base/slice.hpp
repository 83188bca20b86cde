#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace taps {

namespace detail {

struct pool_core;

/// A reference-counted block of memory; its bytes follow the header.
struct buffer {
  std::atomic<std::uint32_t> references{1};
  std::uint32_t capacity = 0;
  /// The pool to return to, or null for a block of the heap.
  pool_core* home = nullptr;
  buffer* next = nullptr;

  std::byte* data() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
};

buffer* allocate_buffer(std::size_t capacity);
void release_buffer(buffer* x) noexcept;

}  // namespace detail

/// A reference-counted, immutable run of bytes: how payloads travel from the kernel to the
/// application and back without being copied. Copying a slice shares its bytes. Safe to hand to
/// other threads; one slice object belongs to one thread at a time.
class slice {
public:
  slice() noexcept = default;

  slice(const slice& other) noexcept
      : owner_(other.owner_), data_(other.data_), size_(other.size_) {
    if (owner_)
      owner_->references.fetch_add(1, std::memory_order_relaxed);
  }

  slice(slice&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)), data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}

  slice& operator=(slice other) noexcept {
    swap(other);
    return *this;
  }

  ~slice() {
    if (owner_)
      detail::release_buffer(owner_);
  }

  void swap(slice& other) noexcept {
    std::swap(owner_, other.owner_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  /// Returns a slice that owns a copy of `bytes`.
  static slice copy_of(std::string_view bytes);
  static slice copy_of(std::span<const std::byte> bytes);

  /// Returns a slice over memory that outlives every copy of it, such as a string literal.
  static slice borrow_static(std::string_view bytes) noexcept;

  // -- properties --------------------------------------------------------------

  [[nodiscard]] const std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }
  [[nodiscard]] std::string_view view() const noexcept {
    return {reinterpret_cast<const char*>(data_), size_};
  }
  [[nodiscard]] std::string str() const { return std::string{view()}; }

  // -- cutting -----------------------------------------------------------------

  /// Returns `[offset, offset + length)`, cut off at the end, sharing the bytes.
  [[nodiscard]] slice sub(std::size_t offset,
                          std::size_t length = static_cast<std::size_t>(-1)) const;

  /// Drops the first `n` bytes. @pre `n <= size()`
  void remove_prefix(std::size_t n) noexcept {
    data_ += n;
    size_ -= n;
  }

  /// Grows by `next` if that continues these very bytes in memory; returns whether it did.
  bool try_extend(const slice& next) noexcept {
    if (owner_ == nullptr || owner_ != next.owner_ || data_ + size_ != next.data_)
      return false;
    size_ += next.size_;
    return true;
  }

  friend bool operator==(const slice& x, const slice& y) noexcept { return x.view() == y.view(); }

  /// Reads and writes the bytes with a length in front; used only when a message leaves the node.
  template<class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, slice& x) {
    if constexpr (Inspector::reads_state) {
      auto text = x.str();
      return f(text);
    } else {
      std::string text;
      if (auto failed = f(text))
        return failed;
      x = copy_of(text);
      return {};
    }
  }

private:
  friend class buffer_pool;
  friend class arena;

  /// Takes over one reference to `owner`.
  slice(detail::buffer* owner, const std::byte* data, std::size_t size) noexcept
      : owner_(owner), data_(data), size_(size) {}

  detail::buffer* owner_ = nullptr;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace taps
