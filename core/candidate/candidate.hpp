#pragma once

#include "taps/core/candidate/stack.hpp"
#include "taps/core/endpoint/socket_address.hpp"
#include "taps/core/path/path.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace taps {

/// The kinds of branches of the candidate tree, from the root (RFC 9623, section 4.3).
enum class branch_type : std::uint8_t { path, protocol, endpoint };

[[nodiscard]] std::string_view to_string(branch_type x) noexcept;

/// A leaf of the candidate tree: one way to establish a Connection.
struct candidate {
  /// Different for all candidates of one establishment, and the same after late addresses came.
  std::uint32_t id = 0;
  /// Where it hangs: the numbers of path, protocol and endpoint, e.g. `"1.2.1"`. Numbers name and
  /// do not order: a late address has the next free one, wherever it is tried.
  std::string node;
  taps::path path;
  const protocol_stack* stack = nullptr;
  socket_address remote;
  /// What to bind; a wildcard address or port 0 leaves that part to the kernel.
  std::optional<socket_address> local;
  /// The topmost branch at which it parts from the candidate before it: which delay applies.
  branch_type branch = branch_type::path;
  /// Must not start before all candidates of better stacks have failed.
  bool only_after_failure = false;
  /// Which Remote Endpoint it comes from, and which Local Endpoint, where there is one.
  std::size_t remote_index = 0;
  std::optional<std::size_t> local_index;
  /// Name for peer verification.
  std::string hostname;
  std::optional<std::uint8_t> hop_limit;
  /// What is spoken there, by ALPN ids, where DNS says it (RFC 9460, section 7.1).
  std::vector<std::string> alpn;
};

/// Returns e.g. `"1.2.1 name [::1]:80"`, with local address and interface where they are fixed.
[[nodiscard]] std::string to_string(const candidate& x);

/// Draws candidates, in their order, as a tree of paths, protocols and endpoints.
[[nodiscard]] std::string to_string(std::span<const candidate> tree);

}  // namespace taps
