#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace taps {

/// A queue in one block of memory that doubles when full and allocates nothing while it was never
/// used: connections that idle should cost little. Elements need a default constructor.
template<class T>
class ring {
public:
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// @pre `i < size()`
  [[nodiscard]] T& operator[](std::size_t i) noexcept { return cells_[(head_ + i) & (room_ - 1)]; }
  [[nodiscard]] const T& operator[](std::size_t i) const noexcept {
    return cells_[(head_ + i) & (room_ - 1)];
  }

  /// @pre `!empty()`
  [[nodiscard]] T& front() noexcept { return (*this)[0]; }
  [[nodiscard]] T& back() noexcept { return (*this)[size_ - 1]; }

  T& push_back(T value) {
    auto& cell = push_empty();
    cell = std::move(value);
    return cell;
  }

  /// Appends a default value, to be filled in place.
  T& push_empty() {
    if (size_ == room_)
      grow();
    return (*this)[size_++];
  }

  /// Removes and returns the front. @pre `!empty()`
  T pop_front() {
    T result = std::exchange(front(), T{});
    head_ = (head_ + 1) & (room_ - 1);
    --size_;
    return result;
  }

  void clear() {
    while (!empty())
      pop_front();
  }

private:
  void grow() {
    const auto room = room_ == 0 ? std::size_t{4} : room_ * 2;
    auto cells = std::make_unique<T[]>(room);
    for (std::size_t i = 0; i < size_; ++i)
      cells[i] = std::move((*this)[i]);
    cells_ = std::move(cells);
    room_ = room;
    head_ = 0;
  }

  std::unique_ptr<T[]> cells_;
  std::size_t room_ = 0;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace taps
