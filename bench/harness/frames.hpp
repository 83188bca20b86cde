#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace bench {

/// Bytes of the length prefix of `exchange::pipelined` (big endian).
constexpr std::size_t prefix_size = 4;

/// Appends one message with its prefix.
template<class Buffer>
void append_frame(Buffer& out, const char* payload, std::size_t size) {
  auto old = out.size();
  out.resize(old + prefix_size + size);
  auto n = static_cast<std::uint32_t>(size);
  unsigned char prefix[prefix_size] = {
      static_cast<unsigned char>(n >> 24), static_cast<unsigned char>(n >> 16),
      static_cast<unsigned char>(n >> 8), static_cast<unsigned char>(n)};
  std::memcpy(out.data() + old, prefix, prefix_size);
  std::memcpy(out.data() + old + prefix_size, payload, size);
}

/// Cuts messages out of big reads: in place, except for the message that straddles two reads.
class frame_parser {
public:
  /// Takes `size` received bytes; returns how many messages became complete.
  std::size_t feed(const char* data, std::size_t size) {
    std::size_t messages = 0;
    if (!carry_.empty() && !complete_carry(data, size, messages))
      return 0;
    while (auto whole = frame_size(data, size)) {
      if (whole > size)
        break;
      look_at(data + prefix_size, whole - prefix_size);
      ++messages;
      data += whole;
      size -= whole;
    }
    carry_.assign(data, data + size);
    return messages;
  }

private:
  // Size of the frame that starts at `data`, 0 while its prefix is incomplete.
  static std::size_t frame_size(const char* data, std::size_t size) {
    if (size < prefix_size)
      return 0;
    unsigned char p[prefix_size];
    std::memcpy(p, data, prefix_size);
    return prefix_size +
           (std::size_t{p[0]} << 24 | std::size_t{p[1]} << 16 | std::size_t{p[2]} << 8 | p[3]);
  }

  bool complete_carry(const char*& data, std::size_t& size, std::size_t& messages) {
    if (!top_up(prefix_size, data, size))
      return false;
    if (!top_up(frame_size(carry_.data(), carry_.size()), data, size))
      return false;
    look_at(carry_.data() + prefix_size, carry_.size() - prefix_size);
    carry_.clear();
    ++messages;
    return true;
  }

  bool top_up(std::size_t wanted, const char*& data, std::size_t& size) {
    auto n = std::min(wanted - std::min(wanted, carry_.size()), size);
    carry_.insert(carry_.end(), data, data + n);
    data += n;
    size -= n;
    return carry_.size() >= wanted;
  }

  // Stands for the application: without a look at the payload the compiler drops the parsing.
  void look_at(const char* payload, std::size_t size) {
    if (size > 0)
      checksum_ +=
          static_cast<unsigned char>(payload[0]) + static_cast<unsigned char>(payload[size - 1]);
  }

  std::vector<char> carry_;
  std::uint64_t checksum_ = 0;
};

}  // namespace bench
