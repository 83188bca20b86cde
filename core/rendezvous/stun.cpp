#include "taps/core/rendezvous/stun.hpp"

#include "taps/core/rendezvous/digest.hpp"

#include <algorithm>

namespace taps {

namespace {

constexpr std::size_t header_size = 20;
constexpr std::uint32_t cookie = 0x2112a442;
constexpr std::uint32_t fingerprint_mask = 0x5354554e;
constexpr std::size_t fingerprint_size = 8;
constexpr std::size_t integrity_size = 24;
constexpr std::size_t max_unknown = 16;
/// RFC 8489, sections 14.3 and 14.10: fewer than 128 characters of at most 6 bytes.
constexpr std::size_t max_text = 763;

enum attribute : std::uint16_t {
  mapped_address = 0x0001,
  username = 0x0006,
  message_integrity = 0x0008,
  error_code = 0x0009,
  unknown_attributes = 0x000a,
  realm = 0x0014,
  nonce = 0x0015,
  message_integrity_sha256 = 0x001c,
  xor_mapped_address = 0x0020,
  priority = 0x0024,
  use_candidate = 0x0025,
  fingerprint = 0x8028,
  ice_controlled = 0x8029,
  ice_controlling = 0x802a,
};

using bytes = std::span<const std::byte>;

template<class T>
T read_number(bytes from) noexcept {
  T result = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    result = static_cast<T>(result << 8 | std::to_integer<T>(from[i]));
  return result;
}

template<class T>
void put_number(std::vector<std::byte>& to, T value) {
  for (std::size_t i = sizeof(T); i-- > 0;)
    to.push_back(static_cast<std::byte>(value >> (8 * i)));
}

constexpr std::size_t padded(std::size_t size) noexcept { return (size + 3) / 4 * 4; }

std::string text_of(bytes x) {
  x = x.first(std::min(x.size(), max_text));
  return {reinterpret_cast<const char*>(x.data()), x.size()};
}

/// What an address is combined with: the cookie, and for IPv6 the transaction as well.
std::array<std::byte, 16> mask_of(const stun_transaction& transaction) {
  std::array<std::byte, 16> result;
  for (std::size_t i = 0; i < 4; ++i)
    result[i] = static_cast<std::byte>(cookie >> (24 - 8 * i));
  std::ranges::copy(transaction, result.begin() + 4);
  return result;
}

// -- reading ----------------------------------------------------------------------

template<std::size_t N>
ip_address address_of(bytes value, const std::array<std::byte, 16>& mask) {
  std::array<std::uint8_t, N> raw;
  for (std::size_t i = 0; i < N; ++i)
    raw[i] = std::to_integer<std::uint8_t>(value[i] ^ mask[i]);
  return ip_address{raw};
}

std::optional<socket_address> read_address(bytes value, const std::array<std::byte, 16>& mask) {
  if (value.size() < 8)
    return std::nullopt;
  socket_address result;
  result.port = static_cast<std::uint16_t>(read_number<std::uint16_t>(value.subspan(2)) ^
                                           read_number<std::uint16_t>(mask));
  const auto family = std::to_integer<int>(value[1]);
  if (family == 1 && value.size() == 8)
    result.address = address_of<4>(value.subspan(4), mask);
  else if (family == 2 && value.size() == 20)
    result.address = address_of<16>(value.subspan(4), mask);
  else
    return std::nullopt;
  return result;
}

/// Takes one attribute; returns false if its value is malformed.
bool take(stun_message& to, std::uint16_t type, bytes value) {
  switch (type) {
  case mapped_address:
  case xor_mapped_address: {
    const auto where = read_address(value, type == mapped_address ? std::array<std::byte, 16>{}
                                                                  : mask_of(to.transaction));
    if (where && (type == xor_mapped_address || !to.mapped))
      to.mapped = where;
    return where.has_value();
  }
  case priority:
    if (value.size() == 4)
      to.priority = read_number<std::uint32_t>(value);
    return value.size() == 4;
  case use_candidate:
    to.use_candidate = value.empty();
    return value.empty();
  case ice_controlled:
  case ice_controlling:
    if (value.size() == 8)
      (type == ice_controlled ? to.controlled : to.controlling) = read_number<std::uint64_t>(value);
    return value.size() == 8;
  case error_code:
    if (value.size() < 4)
      return false;
    to.error_code = static_cast<std::uint16_t>((std::to_integer<int>(value[2]) & 7) * 100 +
                                               std::to_integer<int>(value[3]));
    to.reason = text_of(value.subspan(4));
    return true;
  case username:
    to.username = text_of(value);
    return true;
  case realm:
    to.realm = text_of(value);
    return true;
  case nonce:
    to.nonce = text_of(value);
    return true;
  case unknown_attributes:
    return true;
  default:
    if (type < 0x8000 && to.unknown.size() < max_unknown)
      to.unknown.push_back(type);
    return true;
  }
}

/// Calls `f(type, value, offset)` for each attribute until it returns false. Returns false if the
/// attributes do not fill the message exactly.
template<class F>
bool for_each_attribute(bytes data, F f) {
  for (auto at = header_size; at < data.size();) {
    if (data.size() - at < 4)
      return false;
    const auto size = read_number<std::uint16_t>(data.subspan(at + 2));
    if (data.size() - at - 4 < padded(size))
      return false;
    if (!f(read_number<std::uint16_t>(data.subspan(at)), data.subspan(at + 4, size), at))
      return true;
    at += 4 + padded(size);
  }
  return true;
}

// -- writing ----------------------------------------------------------------------

void put_attribute(std::vector<std::byte>& to, std::uint16_t type, bytes value) {
  put_number(to, type);
  put_number(to, static_cast<std::uint16_t>(value.size()));
  to.insert(to.end(), value.begin(), value.end());
  to.resize(padded(to.size()));
}

template<class T>
void put_attribute(std::vector<std::byte>& to, std::uint16_t type, T value) {
  std::vector<std::byte> raw;
  put_number(raw, value);
  put_attribute(to, type, bytes{raw});
}

void put_text(std::vector<std::byte>& to, std::uint16_t type, const std::string& text) {
  if (!text.empty())
    put_attribute(to, type, bytes_of(text));
}

void put_address(std::vector<std::byte>& to, const socket_address& where,
                 const std::array<std::byte, 16>& mask) {
  std::vector<std::byte> value{{}, where.address.is_v4() ? std::byte{1} : std::byte{2}};
  put_number(value, static_cast<std::uint16_t>(where.port ^ read_number<std::uint16_t>(mask)));
  for (std::size_t i = 0; i < (where.address.is_v4() ? 4u : 16u); ++i)
    value.push_back(std::byte{where.address.bytes()[i]} ^ mask[i]);
  put_attribute(to, xor_mapped_address, bytes{value});
}

/// Has the header say that `more` bytes follow what there is.
void set_length(std::vector<std::byte>& of, std::size_t more) {
  const auto length = of.size() - header_size + more;
  of[2] = static_cast<std::byte>(length >> 8);
  of[3] = static_cast<std::byte>(length);
}

void put_error(std::vector<std::byte>& to, const stun_message& what) {
  std::vector<std::byte> value{{}, {}};
  value.push_back(static_cast<std::byte>(*what.error_code / 100));
  value.push_back(static_cast<std::byte>(*what.error_code % 100));
  const auto text = bytes_of(what.reason);
  value.insert(value.end(), text.begin(), text.end());
  put_attribute(to, error_code, bytes{value});
}

void put_unknown(std::vector<std::byte>& to, const std::vector<std::uint16_t>& types) {
  std::vector<std::byte> value;
  for (const auto x : types)
    put_number(value, x);
  put_attribute(to, unknown_attributes, bytes{value});
}

/// Method and class share the first two bytes, interleaved (RFC 8489, section 5).
std::uint16_t type_of(const stun_message& x) {
  const auto m = x.method;
  const auto c = static_cast<unsigned>(x.what);
  return static_cast<std::uint16_t>((m & 0x0f) | (m & 0x70) << 1 | (m & 0xf80) << 2 | (c & 1) << 4 |
                                    (c & 2) << 7);
}

}  // namespace

bool looks_like_stun(bytes data) noexcept {
  return data.size() >= header_size && data.size() <= max_stun_size && data.size() % 4 == 0 &&
         (data[0] & std::byte{0xc0}) == std::byte{} &&
         read_number<std::uint16_t>(data.subspan(2)) == data.size() - header_size &&
         read_number<std::uint32_t>(data.subspan(4)) == cookie;
}

bool has_fingerprint(bytes data) noexcept {
  if (!looks_like_stun(data) || data.size() < header_size + fingerprint_size)
    return false;
  const auto end = data.last(fingerprint_size);
  return read_number<std::uint16_t>(end) == fingerprint &&
         read_number<std::uint16_t>(end.subspan(2)) == 4 &&
         read_number<std::uint32_t>(end.subspan(4)) ==
             (crc32(data.first(data.size() - fingerprint_size)) ^ fingerprint_mask);
}

result<stun_message> read_stun(bytes data) {
  const error malformed{errc::protocol_failed, "a malformed STUN message"};
  if (!looks_like_stun(data))
    return malformed;
  stun_message result;
  const auto type = read_number<std::uint16_t>(data);
  result.what = static_cast<stun_class>((type >> 4 & 1) | (type >> 7 & 2));
  result.method =
      static_cast<std::uint16_t>((type & 0x0f) | (type >> 1 & 0x70) | (type >> 2 & 0xf80));
  std::ranges::copy(data.subspan(8, 12), result.transaction.begin());
  bool fine = true;
  const auto whole = for_each_attribute(data, [&](std::uint16_t x, bytes value, std::size_t) {
    if (x == message_integrity || x == message_integrity_sha256 || x == fingerprint)
      return false;
    fine = take(result, x, value);
    return fine;
  });
  if (!whole || !fine)
    return malformed;
  return result;
}

bool has_integrity(bytes data, bytes key) {
  bool result = false;
  if (!looks_like_stun(data))
    return false;
  for_each_attribute(data, [&](std::uint16_t type, bytes value, std::size_t at) {
    if (type != message_integrity)
      return true;
    std::vector<std::byte> covered{data.begin(), data.begin() + static_cast<std::ptrdiff_t>(at)};
    set_length(covered, integrity_size);
    result = std::ranges::equal(value, hmac_sha1(key, covered));
    return false;
  });
  return result;
}

std::vector<std::byte> write_stun(const stun_message& what, bytes key) {
  std::vector<std::byte> result;
  put_number(result, type_of(what));
  put_number(result, std::uint16_t{0});
  put_number(result, cookie);
  result.insert(result.end(), what.transaction.begin(), what.transaction.end());
  if (what.error_code)
    put_error(result, what);
  if (what.what == stun_class::error && !what.unknown.empty())
    put_unknown(result, what.unknown);
  put_text(result, username, what.username);
  put_text(result, realm, what.realm);
  put_text(result, nonce, what.nonce);
  if (what.priority)
    put_attribute(result, priority, *what.priority);
  if (what.use_candidate)
    put_attribute(result, use_candidate, bytes{});
  if (what.controlling)
    put_attribute(result, ice_controlling, *what.controlling);
  if (what.controlled)
    put_attribute(result, ice_controlled, *what.controlled);
  if (what.mapped)
    put_address(result, *what.mapped, mask_of(what.transaction));
  if (!key.empty()) {
    set_length(result, integrity_size);
    const auto digest = hmac_sha1(key, result);
    put_attribute(result, message_integrity, bytes{digest});
  }
  set_length(result, fingerprint_size);
  put_attribute(result, fingerprint, crc32(result) ^ fingerprint_mask);
  return result;
}

std::array<std::byte, 16> long_term_key(const std::string& user, const std::string& realm_name,
                                        const std::string& password) {
  return md5(bytes_of(user + ":" + realm_name + ":" + password));
}

stun_message answer_to(const stun_message& request, const socket_address& from) {
  stun_message result;
  result.method = request.method;
  result.transaction = request.transaction;
  if (request.unknown.empty()) {
    result.what = stun_class::success;
    result.mapped = socket_address{from.address, from.port};
  } else {
    result.what = stun_class::error;
    result.error_code = std::uint16_t{420};
    result.reason = "Unknown Attribute";
    result.unknown = request.unknown;
  }
  return result;
}

}  // namespace taps
