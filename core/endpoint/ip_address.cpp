#include "taps/core/endpoint/ip_address.hpp"

#include <algorithm>
#include <bit>
#include <optional>

namespace taps {

namespace {

constexpr std::size_t num_groups = 8;

error not_an_address(std::string_view text) {
  return {errc::invalid_configuration, "'" + std::string{text} + "' is not an IP address"};
}

std::optional<ip_address::v4_bytes> parse_v4(std::string_view text) {
  ip_address::v4_bytes result{};
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto last = i + 1 == result.size();
    const auto part = text.substr(0, last ? text.size() : text.find('.'));
    // A leading zero would mean octal to some readers, so it means nothing to us.
    if (part.empty() || part.size() > 3 || (part.size() > 1 && part.front() == '0'))
      return std::nullopt;
    unsigned value = 0;
    for (auto c : part) {
      if (c < '0' || c > '9')
        return std::nullopt;
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    if (value > 255 || (!last && part.size() == text.size()))
      return std::nullopt;
    result[i] = static_cast<std::uint8_t>(value);
    text.remove_prefix(last ? part.size() : part.size() + 1);
  }
  return result;
}

std::optional<unsigned> hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9')
    return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f')
    return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F')
    return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

/// The groups on one side of "::".
struct group_list {
  std::array<std::uint16_t, num_groups> values{};
  std::size_t size = 0;

  bool add(unsigned value) {
    if (size == num_groups)
      return false;
    values[size++] = static_cast<std::uint16_t>(value);
    return true;
  }

  bool add_hex(std::string_view digits) {
    if (digits.empty() || digits.size() > 4)
      return false;
    unsigned value = 0;
    for (auto c : digits) {
      const auto digit = hex_digit(c);
      if (!digit)
        return false;
      value = value * 16 + *digit;
    }
    return add(value);
  }

  bool add_v4(std::string_view text) {
    const auto bytes = parse_v4(text);
    return bytes && add((*bytes)[0] * 256u + (*bytes)[1]) && add((*bytes)[2] * 256u + (*bytes)[3]);
  }
};

/// Reads groups parted by single colons; only the last one of an address may be dotted.
bool parse_groups(std::string_view text, bool may_end_dotted, group_list& result) {
  while (!text.empty()) {
    const auto colon = text.find(':');
    const auto group = text.substr(0, colon);
    const auto last = colon == std::string_view::npos;
    const auto dotted = last && may_end_dotted && group.find('.') != std::string_view::npos;
    if (!(dotted ? result.add_v4(group) : result.add_hex(group)))
      return false;
    if (last)
      return true;
    text.remove_prefix(colon + 1);
    if (text.empty())
      return false;
  }
  return true;
}

std::optional<ip_address::v6_bytes> parse_v6(std::string_view text) {
  group_list head;
  group_list tail;
  const auto gap = text.find("::");
  if (gap == std::string_view::npos) {
    if (!parse_groups(text, true, head) || head.size != num_groups)
      return std::nullopt;
  } else if (!parse_groups(text.substr(0, gap), false, head) ||
             !parse_groups(text.substr(gap + 2), true, tail) ||
             head.size + tail.size >= num_groups) {
    return std::nullopt;
  }
  std::copy_n(tail.values.begin(), tail.size, head.values.end() - tail.size);
  ip_address::v6_bytes result{};
  for (std::size_t i = 0; i < num_groups; ++i) {
    result[2 * i] = static_cast<std::uint8_t>(head.values[i] >> 8);
    result[2 * i + 1] = static_cast<std::uint8_t>(head.values[i] & 0xff);
  }
  return result;
}

// -- printing ---------------------------------------------------------------------

std::string print_v4(const std::uint8_t* bytes) {
  std::string result;
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0)
      result += '.';
    result += std::to_string(bytes[i]);
  }
  return result;
}

std::string print_hex(unsigned group) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  for (int shift = 12; shift >= 0; shift -= 4)
    if (const auto digit = (group >> shift) & 0xf; digit != 0 || !result.empty() || shift == 0)
      result += digits[digit];
  return result;
}

/// A run of zero groups.
struct zero_run {
  std::size_t first = num_groups;
  std::size_t size = 0;
};

/// Returns the run that "::" replaces: the first of the longest, and never a single group
/// (RFC 5952, section 4.2).
zero_run longest_zero_run(const std::array<unsigned, num_groups>& groups) {
  zero_run best;
  for (std::size_t i = 0; i < num_groups;) {
    auto end = i;
    while (end < num_groups && groups[end] == 0)
      ++end;
    if (end - i > best.size)
      best = {i, end - i};
    i = std::max(end, i + 1);
  }
  return best.size > 1 ? best : zero_run{};
}

std::string print_v6(const ip_address::v6_bytes& bytes) {
  std::array<unsigned, num_groups> groups{};
  for (std::size_t i = 0; i < num_groups; ++i)
    groups[i] = bytes[2 * i] * 256u + bytes[2 * i + 1];
  const auto run = longest_zero_run(groups);
  std::string result;
  for (std::size_t i = 0; i < num_groups; ++i) {
    if (i == run.first) {
      result += "::";
      i += run.size - 1;
      continue;
    }
    if (!result.empty() && result.back() != ':')
      result += ':';
    result += print_hex(groups[i]);
  }
  return result;
}

}  // namespace

// -- ip_address -------------------------------------------------------------------

result<ip_address> ip_address::parse(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    if (const auto bytes = parse_v4(text))
      return ip_address{*bytes};
  } else if (const auto bytes = parse_v6(text)) {
    return ip_address{*bytes};
  }
  return not_an_address(text);
}

bool ip_address::is_any() const noexcept { return *this == any(family_); }

bool ip_address::is_loopback() const noexcept {
  return is_v4() ? bytes_[0] == 127 : *this == loopback(ip_family::v6);
}

bool ip_address::is_multicast() const noexcept {
  return is_v4() ? (bytes_[0] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

bool ip_address::is_link_local() const noexcept {
  if (is_v4())
    return bytes_[0] == 169 && bytes_[1] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

bool ip_address::needs_zone() const noexcept {
  // Groups of interface-local and link-local scope (RFC 4291, section 2.7).
  return is_v6() && (is_link_local() || (is_multicast() && (bytes_[1] & 0xf) <= 2));
}

bool ip_address::is_v4_mapped() const noexcept {
  return is_v6() &&
         std::all_of(bytes_.begin(), bytes_.begin() + 10, [](auto x) { return x == 0; }) &&
         bytes_[10] == 0xff && bytes_[11] == 0xff;
}

ip_address ip_address::unmapped() const noexcept {
  if (!is_v4_mapped())
    return *this;
  return ip_address{v4_bytes{bytes_[12], bytes_[13], bytes_[14], bytes_[15]}};
}

unsigned common_prefix_length(const ip_address& x, const ip_address& y) noexcept {
  if (x.family() != y.family())
    return 0;
  const unsigned size = x.is_v4() ? 4 : 16;
  for (unsigned i = 0; i < size; ++i)
    if (const std::uint8_t differ = x.bytes()[i] ^ y.bytes()[i]; differ != 0)
      return i * 8 + static_cast<unsigned>(std::countl_zero(differ));
  return size * 8;
}

bool is_in_prefix(const ip_address& x, const ip_address& prefix, unsigned length) noexcept {
  return x.family() == prefix.family() && common_prefix_length(x, prefix) >= length;
}

std::string_view to_string(ip_family family) noexcept {
  return family == ip_family::v4 ? "IPv4" : "IPv6";
}

std::string to_string(const ip_address& address) {
  if (address.is_v4())
    return print_v4(address.bytes().data());
  if (address.is_v4_mapped())
    return "::ffff:" + print_v4(address.bytes().data() + 12);
  return print_v6(address.bytes());
}

}  // namespace taps

std::size_t std::hash<taps::ip_address>::operator()(const taps::ip_address& x) const noexcept {
  // FNV-1a.
  std::uint64_t result = 14695981039346656037ull ^ static_cast<std::uint64_t>(x.family());
  for (auto byte : x.bytes())
    result = (result ^ byte) * 1099511628211ull;
  return static_cast<std::size_t>(result);
}
