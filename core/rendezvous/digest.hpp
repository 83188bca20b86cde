#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace taps {

// The digests that STUN (RFC 8489) prescribes, whose age is not ours to judge: they tell who shares
// a password, and nothing else relies on them.

[[nodiscard]] std::array<std::byte, 20> sha1(std::span<const std::byte> data);
[[nodiscard]] std::array<std::byte, 16> md5(std::span<const std::byte> data);

/// HMAC-SHA1 (RFC 2104).
[[nodiscard]] std::array<std::byte, 20> hmac_sha1(std::span<const std::byte> key,
                                                  std::span<const std::byte> data);

/// The CRC-32 of ITU V.42, as Ethernet and zip have it.
[[nodiscard]] std::uint32_t crc32(std::span<const std::byte> data) noexcept;

[[nodiscard]] inline std::span<const std::byte> bytes_of(std::string_view text) noexcept {
  return std::as_bytes(std::span{text.data(), text.size()});
}

}  // namespace taps
