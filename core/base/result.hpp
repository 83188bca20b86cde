#pragma once

#include "taps/core/base/error.hpp"

#include <cassert>
#include <optional>
#include <utility>
#include <variant>

namespace taps {

/// Either a value or an error. What can fail returns one; nothing in Tapline throws,
/// save that a constructor which cannot get what the system should give has no other way.
template<class T>
class [[nodiscard]] result {
public:
  result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  result(error reason) : state_(std::in_place_index<1>, std::move(reason)) {}
  result(errc reason, std::string text)
      : state_(std::in_place_index<1>, error{reason, std::move(text)}) {}

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }

  /// @pre `has_value()`
  [[nodiscard]] T& value() & {
    assert(has_value());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] const T& value() const& {
    assert(has_value());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] T&& value() && {
    assert(has_value());
    return std::move(*std::get_if<0>(&state_));
  }

  [[nodiscard]] T& operator*() & { return value(); }
  [[nodiscard]] const T& operator*() const& { return value(); }
  [[nodiscard]] T&& operator*() && { return std::move(*this).value(); }
  [[nodiscard]] T* operator->() { return &value(); }
  [[nodiscard]] const T* operator->() const { return &value(); }

  /// @pre `!has_value()`
  [[nodiscard]] const error& failure() const {
    assert(!has_value());
    return *std::get_if<1>(&state_);
  }

private:
  std::variant<T, error> state_;
};

/// Success, or an error.
template<>
class [[nodiscard]] result<void> {
public:
  result() noexcept = default;
  result(error reason) : failure_(std::move(reason)) {}
  result(errc reason, std::string text) : failure_(error{reason, std::move(text)}) {}

  [[nodiscard]] bool has_value() const noexcept { return !failure_; }
  [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }

  /// @pre `!has_value()`
  [[nodiscard]] const error& failure() const {
    assert(!has_value());
    return *failure_;
  }

private:
  std::optional<error> failure_;
};

}  // namespace taps
