#include "taps/core/dns/message_reader.hpp"

#include "taps/core/base/letters.hpp"

#include <algorithm>
#include <utility>

namespace taps::detail {

namespace {

constexpr std::size_t max_label = 63;
constexpr std::size_t max_name = 255;

bool is_host_character(char c) noexcept {
  const auto x = to_lower(c);
  return (x >= 'a' && x <= 'z') || (x >= '0' && x <= '9') || x == '-' || x == '_';
}

void add_label(std::string& name, std::string_view label) {
  if (!name.empty())
    name += '.';
  for (const auto c : label) {
    if (is_host_character(c))
      name += c;
    else
      name += '\\' + std::to_string(1000 + static_cast<unsigned char>(c)).substr(1);
  }
}

}  // namespace

bool same_name(std::string_view x, std::string_view y) noexcept { return equal_but_for_case(x, y); }

bool is_host_name(std::string_view x) noexcept {
  return !x.empty() && x.find('\\') == std::string_view::npos;
}

std::string_view message_reader::bytes(std::size_t n) noexcept {
  if (!fine_ || n > message_.size() - at_) {
    fine_ = false;
    return {};
  }
  return message_.substr(std::exchange(at_, at_ + n), n);
}

std::size_t message_reader::byte_at(std::size_t at) noexcept {
  if (at < message_.size())
    return static_cast<unsigned char>(message_[at]);
  fine_ = false;
  return 0;
}

std::uint32_t message_reader::number(std::size_t size) noexcept {
  std::uint32_t result = 0;
  for (const auto c : bytes(size))
    result = result << 8 | static_cast<unsigned char>(c);
  return result;
}

std::string message_reader::name(bool pointers) {
  std::string result;
  auto at = at_;
  // A pointer leads to before the part that it ends: so there is an end.
  auto part = at_;
  auto left = max_name - 1;
  bool jumped = false;
  while (fine_) {
    const auto size = byte_at(at);
    if (size > max_label) {
      const auto to = (size & 0x3f) << 8 | byte_at(at + 1);
      fine_ = fine_ && pointers && (size & 0xc0) == 0xc0 && to < part;
      if (!std::exchange(jumped, true))
        bytes(at + 2 - at_);
      part = at = to;
      continue;
    }
    if (size == 0)
      break;
    if (size + 1 > left || at + 1 + size > message_.size()) {
      fine_ = false;
      break;
    }
    left -= size + 1;
    add_label(result, message_.substr(at + 1, size));
    at += 1 + size;
  }
  if (!jumped)
    bytes(at + 1 - at_);
  return result;
}

}  // namespace taps::detail
