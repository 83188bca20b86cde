#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace taps::detail {

/// Reads a DNS message, or a part of one, from front to back (RFC 1035, section 4). What is beyond
/// the end reads as 0 and makes it not fine any more.
class message_reader {
public:
  /// Reads from `at` up to `end`; names may refer to anything before.
  message_reader(std::string_view message, std::size_t at, std::size_t end) noexcept
      : message_(message.substr(0, end)), at_(at),
        fine_(at <= message_.size() && end <= message.size()) {}

  [[nodiscard]] bool fine() const noexcept { return fine_; }
  [[nodiscard]] bool at_end() const noexcept { return at_ == message_.size(); }
  [[nodiscard]] std::size_t position() const noexcept { return at_; }

  std::uint8_t u8() noexcept { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() noexcept { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() noexcept { return number(4); }

  [[nodiscard]] std::size_t left() const noexcept { return fine_ ? message_.size() - at_ : 0; }

  /// Returns a reader of the next `n` bytes, and goes on behind them.
  message_reader part(std::size_t n) noexcept {
    const auto begin = at_;
    bytes(n);
    message_reader result{message_, begin, at_};
    result.fine_ = fine_;
    return result;
  }

  /// Returns the next `n` bytes; empty, and not fine, if there are fewer.
  std::string_view bytes(std::size_t n) noexcept;

  /// Returns a name in text form; empty for the root. Bytes that are in no host name are escaped
  /// (`\\DDD`), so that they are not taken for something else. Without `pointers` it must not refer
  /// to other parts of the message.
  std::string name(bool pointers = true);

private:
  [[nodiscard]] std::size_t byte_at(std::size_t at) noexcept;
  std::uint32_t number(std::size_t bytes) noexcept;

  std::string_view message_;
  std::size_t at_;
  bool fine_;
};

/// Compare names and tell whether one is that of a host.
[[nodiscard]] bool same_name(std::string_view x, std::string_view y) noexcept;
[[nodiscard]] bool is_host_name(std::string_view x) noexcept;

}  // namespace taps::detail
