#include "taps/core/rendezvous/digest.hpp"

#include <algorithm>
#include <bit>
#include <vector>

namespace taps {

namespace {

constexpr std::size_t block_size = 64;

/// Appends what fills the last block: a one, zeros, and the length in bits.
std::vector<std::byte> padded(std::span<const std::byte> data, bool big_endian) {
  std::vector<std::byte> result{data.begin(), data.end()};
  result.push_back(std::byte{0x80});
  while (result.size() % block_size != block_size - 8)
    result.push_back({});
  const auto bits = static_cast<std::uint64_t>(data.size()) * 8;
  for (int i = 0; i < 8; ++i)
    result.push_back(static_cast<std::byte>(bits >> (big_endian ? 56 - 8 * i : 8 * i)));
  return result;
}

std::uint32_t word_at(std::span<const std::byte> data, std::size_t index, bool big_endian) {
  std::uint32_t result = 0;
  for (std::size_t i = 0; i < 4; ++i)
    result |= std::to_integer<std::uint32_t>(data[index * 4 + i])
              << (big_endian ? 24 - 8 * i : 8 * i);
  return result;
}

template<std::size_t N>
std::array<std::byte, N * 4> to_bytes(const std::array<std::uint32_t, N>& words, bool big_endian) {
  std::array<std::byte, N * 4> result;
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto shift = big_endian ? 24 - 8 * (i % 4) : 8 * (i % 4);
    result[i] = static_cast<std::byte>(words[i / 4] >> shift);
  }
  return result;
}

void add_sha1_block(std::array<std::uint32_t, 5>& state, std::span<const std::byte> block) {
  std::array<std::uint32_t, 80> w;
  for (std::size_t i = 0; i < 16; ++i)
    w[i] = word_at(block, i, true);
  for (std::size_t i = 16; i < 80; ++i)
    w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  auto [a, b, c, d, e] = state;
  for (std::size_t i = 0; i < 80; ++i) {
    std::uint32_t f = 0;
    std::uint32_t k = 0;
    if (i < 20) {
      f = (b & c) | (~b & d);
      k = 0x5a827999;
    } else if (i < 40) {
      f = b ^ c ^ d;
      k = 0x6ed9eba1;
    } else if (i < 60) {
      f = (b & c) | (b & d) | (c & d);
      k = 0x8f1bbcdc;
    } else {
      f = b ^ c ^ d;
      k = 0xca62c1d6;
    }
    const auto next = std::rotl(a, 5) + f + e + k + w[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  const std::array sums{a, b, c, d, e};
  for (std::size_t i = 0; i < 5; ++i)
    state[i] += sums[i];
}

constexpr std::array<std::uint32_t, 64> md5_constants{
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

constexpr std::array<std::array<int, 4>, 4> md5_shifts{
    {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}};

void add_md5_block(std::array<std::uint32_t, 4>& state, std::span<const std::byte> block) {
  auto [a, b, c, d] = state;
  for (std::size_t i = 0; i < 64; ++i) {
    std::uint32_t f = 0;
    std::size_t g = 0;
    if (i < 16) {
      f = (b & c) | (~b & d);
      g = i;
    } else if (i < 32) {
      f = (d & b) | (~d & c);
      g = (5 * i + 1) % 16;
    } else if (i < 48) {
      f = b ^ c ^ d;
      g = (3 * i + 5) % 16;
    } else {
      f = c ^ (b | ~d);
      g = (7 * i) % 16;
    }
    f += a + md5_constants[i] + word_at(block, g, false);
    a = d;
    d = c;
    c = b;
    b += std::rotl(f, md5_shifts[i / 16][i % 4]);
  }
  const std::array sums{a, b, c, d};
  for (std::size_t i = 0; i < 4; ++i)
    state[i] += sums[i];
}

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> result{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    auto x = i;
    for (int bit = 0; bit < 8; ++bit)
      x = (x & 1) != 0 ? 0xedb88320u ^ (x >> 1) : x >> 1;
    result[i] = x;
  }
  return result;
}

}  // namespace

std::array<std::byte, 20> sha1(std::span<const std::byte> data) {
  std::array<std::uint32_t, 5> state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  const auto all = padded(data, true);
  for (std::size_t at = 0; at < all.size(); at += block_size)
    add_sha1_block(state, std::span{all}.subspan(at, block_size));
  return to_bytes(state, true);
}

std::array<std::byte, 16> md5(std::span<const std::byte> data) {
  std::array<std::uint32_t, 4> state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  const auto all = padded(data, false);
  for (std::size_t at = 0; at < all.size(); at += block_size)
    add_md5_block(state, std::span{all}.subspan(at, block_size));
  return to_bytes(state, false);
}

std::array<std::byte, 20> hmac_sha1(std::span<const std::byte> key,
                                    std::span<const std::byte> data) {
  std::array<std::byte, block_size> block{};
  if (key.size() > block_size)
    std::ranges::copy(sha1(key), block.begin());
  else
    std::ranges::copy(key, block.begin());
  std::vector<std::byte> inner;
  std::vector<std::byte> outer;
  for (const auto x : block) {
    inner.push_back(x ^ std::byte{0x36});
    outer.push_back(x ^ std::byte{0x5c});
  }
  inner.insert(inner.end(), data.begin(), data.end());
  const auto digest = sha1(inner);
  outer.insert(outer.end(), digest.begin(), digest.end());
  return sha1(outer);
}

std::uint32_t crc32(std::span<const std::byte> data) noexcept {
  static constexpr auto table = make_crc_table();
  auto result = ~std::uint32_t{0};
  for (const auto x : data)
    result = table[(result ^ std::to_integer<std::uint32_t>(x)) & 0xff] ^ (result >> 8);
  return ~result;
}

}  // namespace taps
