#pragma once

#include "taps/core/candidate/candidate.hpp"
#include "taps/core/candidate/rfc6724.hpp"
#include "taps/core/candidate/selection.hpp"
#include "taps/core/path/network.hpp"
#include "taps/core/path/path_selection.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace taps {

// Gathering turns endpoints and stacks into the leaves of the candidate tree
// (RFC 9623, section 4.2): a pure function of what has been resolved so far.
// When more arrives, `regather` puts it among the leaves that were not tried
// yet.

struct gather_options {
  /// Addresses tried per name and stack: who answers DNS queries must not
  /// direct a flood.
  std::size_t max_addresses_per_name = 32;
  /// Candidates per establishment, whatever they come from.
  std::size_t max_attempts = 64;
  /// Addresses of the better family before the other family's turn (RFC 8305,
  /// section 4).
  std::size_t first_family_count = 1;
};

/// What is known of a Remote Endpoint by now; of one that records of DNS give several places, what
/// is known of one of these.
struct resolved_remote {
  /// Its place in the list of Remote Endpoints.
  std::size_t index = 0;
  /// Name for peer verification; empty without one.
  std::string hostname;
  /// What it resolves to, in the order of the answers; both families in one
  /// list.
  std::vector<ip_address> addresses;
  /// Its only address is a multicast group.
  bool is_group = false;
  std::optional<std::uint16_t> port;
  /// Ports of its service by carrier of the stack, for endpoints without a port.
  std::vector<std::pair<std::string, std::uint16_t>> service_ports;
  /// Zone of its addresses: the interface's name and the kernel's index.
  std::string interface;
  std::uint32_t scope = 0;
  std::optional<std::string> protocol;
  std::optional<std::uint8_t> hop_limit;
  /// What is spoken there, by ALPN ids, where a record says it.
  std::vector<std::string> alpn;
};

/// What is known of a Local Endpoint by now.
struct resolved_local {
  std::size_t index = 0;
  /// Addresses to bind; empty leaves the address to the kernel, unless the name
  /// it stands for is not resolved: then nothing can be bound.
  std::vector<ip_address> addresses;
  bool unresolved = false;
  std::uint16_t port = 0;
  std::string interface;
  std::uint32_t scope = 0;
  std::optional<std::string> protocol;
  /// Counts where the Remote Endpoint says nothing.
  std::optional<std::uint8_t> hop_limit;
};

struct gather_input {
  /// What can be reached by which interface; null where nobody knows.
  network_ptr where;
  std::vector<path> paths;
  std::vector<ranked_stack> stacks;
  std::vector<resolved_remote> remotes;
  std::vector<resolved_local> locals;
  source_lookup source_for;
  /// What is known of an address with the port of its endpoint; null for nothing.
  std::function<address_experience(const socket_address&)> experience_of;
  /// What policy allows; null for everything.
  std::function<bool(const candidate&)> permitted;
  gather_options options;
  /// Only temporary local addresses will do (RFC 8981), which IPv4 has none of.
  bool temporary_address_required = false;
};

/// Return what an endpoint says without being resolved: name, address or group,
/// port, interface (not its index) and restrictions. `addresses` stays empty
/// where a name must be looked up first.
[[nodiscard]] resolved_remote describe(std::size_t index, const remote_endpoint& x);
[[nodiscard]] resolved_local describe(std::size_t index, const local_endpoint& x);

/// Tells whether the endpoint's name must be looked up: an address makes that
/// needless.
[[nodiscard]] bool needs_resolution(const endpoint& x) noexcept;

/// Adds what the Local Endpoints say of interfaces: those they name, and
/// whether one of them names none, or a stack has none of them.
void add_locals(std::span<const resolved_local> locals, std::span<const ranked_stack> stacks,
                path_request& to);

/// Adds the interfaces by which Remote Endpoints want their groups reached.
void add_groups(std::span<const resolved_remote> remotes, path_request& to);

/// Returns what `input` knows of addresses of one of its Remote Endpoints; null if nothing.
[[nodiscard]] experience_lookup experience_at(const gather_input& input,
                                              const resolved_remote& remote);

/// Returns the leaves in the order in which to try them: by path, then by
/// stack, then by Remote Endpoint and address (RFC 6724, families taking
/// turns, those known to be dead last). Each is there once.
///
/// For a stack, endpoints restricted to it replace those without restriction.
/// Each remote address is paired with one Local Endpoint of its family; other
/// local addresses follow after all remote ones had their chance. Left out is
/// what a path does not reach, and local addresses of other interfaces.
[[nodiscard]] std::vector<candidate> gather(const gather_input& input);

/// Returns the leaves not tried yet, in their new order, after remotes of
/// `input` have grown: `started` ones, in the order of their start, are left
/// out, `untried` ones keep their ids and nodes, and at each node the families
/// go on taking turns where the attempts stopped. Drops what is in `input` no
/// more. Paths and stacks have to be those of the call before.
[[nodiscard]] std::vector<candidate> regather(const gather_input& input,
                                              std::span<const candidate> started,
                                              std::span<const candidate> untried);

}  // namespace taps
