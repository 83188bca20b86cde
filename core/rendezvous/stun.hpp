#pragma once

#include "taps/core/base/result.hpp"
#include "taps/core/endpoint/socket_address.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace taps {

// STUN (RFC 8489), as far as finding out one's address and the checks of ICE (RFC 8445) need it:
// the Binding method and its attributes. Everything read here comes from strangers.

enum class stun_class : std::uint8_t { request, indication, success, error };

using stun_transaction = std::array<std::byte, 12>;

struct stun_message {
  static constexpr std::uint16_t binding = 1;

  stun_class what = stun_class::request;
  std::uint16_t method = binding;
  stun_transaction transaction{};

  /// XOR-MAPPED-ADDRESS: where the request came from. MAPPED-ADDRESS of old servers counts, too.
  std::optional<socket_address> mapped;
  std::optional<std::uint32_t> priority;
  bool use_candidate = false;
  /// The tie-breaker of who claims the role.
  std::optional<std::uint64_t> controlling;
  std::optional<std::uint64_t> controlled;
  std::optional<std::uint16_t> error_code;
  std::string reason;
  std::string username;
  std::string realm;
  std::string nonce;
  /// Attributes that must be understood, and are not. Kept is a number of them.
  std::vector<std::uint16_t> unknown;

  friend bool operator==(const stun_message&, const stun_message&) = default;
};

/// What a datagram may be long that is taken for STUN.
inline constexpr std::size_t max_stun_size = 1500;

/// Tells STUN from data by the header (RFC 7983): leading zero bits, magic cookie, length.
[[nodiscard]] bool looks_like_stun(std::span<const std::byte> data) noexcept;

/// Tells whether a message ends with its right FINGERPRINT, so that it is STUN beyond doubt.
[[nodiscard]] bool has_fingerprint(std::span<const std::byte> data) noexcept;

/// Reads a message. What follows MESSAGE-INTEGRITY is not looked at, nor is the integrity itself.
[[nodiscard]] result<stun_message> read_stun(std::span<const std::byte> data);

/// Tells whether a message has MESSAGE-INTEGRITY by that key.
[[nodiscard]] bool has_integrity(std::span<const std::byte> data, std::span<const std::byte> key);

/// Returns the message with FINGERPRINT and, with a key, MESSAGE-INTEGRITY.
[[nodiscard]] std::vector<std::byte> write_stun(const stun_message& what,
                                                std::span<const std::byte> key = {});

/// Returns the key of long-term credentials (RFC 8489, section 9.2.2).
[[nodiscard]] std::array<std::byte, 16>
long_term_key(const std::string& user, const std::string& realm, const std::string& password);

/// Returns the answer to a Binding request that came from there: its address, or an error for
/// attributes that are not understood.
[[nodiscard]] stun_message answer_to(const stun_message& request, const socket_address& from);

}  // namespace taps
