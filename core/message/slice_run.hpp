#pragma once

#include "taps/core/base/ring.hpp"
#include "taps/core/base/slice.hpp"

#include <cstddef>
#include <span>
#include <utility>

namespace taps {

/// Bytes in the order they came, in as many slices. Nothing is copied unless a view wants bytes of
/// several slices in one piece.
class slice_run {
public:
  [[nodiscard]] bool empty() const noexcept { return slices_.empty(); }
  /// In bytes, of all slices and of the first one.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t front_size() const noexcept {
    return slices_.empty() ? 0 : slices_[0].size();
  }

  /// Adds a slice that is not empty.
  void push(slice data) {
    size_ += data.size();
    if (slices_.empty() || !slices_.back().try_extend(data))
      slices_.push_back(std::move(data));
  }

  /// Returns the first bytes that lie in one piece: at least `minimum`. @pre `!empty()`, and there
  /// are as many
  [[nodiscard]] std::span<const std::byte> front(std::size_t minimum) {
    if (slices_.front().size() < minimum)
      gather(minimum);
    return slices_.front().bytes();
  }

  /// Takes `n` bytes off the first slice. @pre there are as many
  slice cut(std::size_t n) {
    if (n == 0)
      return {};
    auto result = slices_.front().sub(0, n);
    drop(n);
    return result;
  }

  /// @pre `n <= size()`
  void drop(std::size_t n);

  void clear() {
    slices_.clear();
    size_ = 0;
  }

private:
  /// Makes the first `n` bytes contiguous.
  void gather(std::size_t n);

  ring<slice> slices_;
  std::size_t size_ = 0;
};

}  // namespace taps
