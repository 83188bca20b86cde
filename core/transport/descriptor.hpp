#pragma once

#include "taps/core/properties/property_id.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace taps {

/// What a protocol instance carries between its ends.
enum class data_unit : std::uint8_t { byte_stream, datagram, message };

/// How far a stack provides what a Selection Property asks for.
enum class support : std::uint8_t {
  /// It cannot: fails Require.
  never,
  /// It can, or can do without: meets both Require and Prohibit.
  on_request,
  /// It cannot do without: fails Prohibit.
  always,
};

/// The Selection Properties that describe what a protocol does; the columns of a feature vector.
enum class feature : std::uint8_t {
  reliability,
  preserve_msg_boundaries,
  per_msg_reliability,
  preserve_order,
  zero_rtt_msg,
  multistreaming,
  full_checksum_send,
  full_checksum_recv,
  congestion_control,
  keep_alive,
  multipath,
  soft_error_notify,
  active_read_before_send,
  unidirectional,
  replay_protection,
  encryption,
};
inline constexpr std::size_t num_features = 16;

/// Returns the name of the Selection Property behind a feature, or of the feature itself.
[[nodiscard]] std::string_view to_string(feature what) noexcept;

/// Returns the property by which an application asks for a feature; absent for encryption, which
/// the Security Parameters decide.
[[nodiscard]] std::optional<property_id> property_of(feature what) noexcept;

[[nodiscard]] std::string_view to_string(support what) noexcept;
[[nodiscard]] std::string_view to_string(data_unit what) noexcept;

/// Feature by feature, what a protocol or stack provides. Starts out as "never" throughout; a layer
/// that sets nothing for a feature leaves it to what it runs over.
class feature_vector {
public:
  constexpr feature_vector& set(feature what, support how) noexcept {
    values_[static_cast<std::size_t>(what)] = how;
    decided_[static_cast<std::size_t>(what)] = true;
    return *this;
  }

  /// Tells whether `set` was called for the feature, even if with "never".
  [[nodiscard]] constexpr bool decides(feature what) const noexcept {
    return decided_[static_cast<std::size_t>(what)];
  }

  [[nodiscard]] constexpr support get(feature what) const noexcept {
    return values_[static_cast<std::size_t>(what)];
  }

private:
  std::array<support, num_features> values_{};
  std::array<bool, num_features> decided_{};
};

/// Before anything is known from earlier races, how likely a stack is to get through to a peer.
enum class reachability : std::uint8_t { assumed, unknown };

/// What a protocol says of itself. All that selection, ranking and documentation know about it:
/// nothing outside its folder mentions it by name.
struct transport_descriptor {
  std::string_view name;
  data_unit unit = data_unit::byte_stream;
  /// For a layer: what it needs below itself, whoever provides that. Absent for base protocols.
  std::optional<data_unit> runs_over;
  feature_vector features;
  /// Properties with an effect on this protocol; all others are stored only.
  std::vector<property_id> honours;
  /// What is to be known of properties here: why one has no effect, or less than it says. For the
  /// documentation.
  std::vector<std::pair<property_id, std::string_view>> remarks;
  /// Namespace of the protocol-specific properties that its Connections have; empty for none.
  std::string_view specific;
  /// Round trips until it is ready, without those of what it runs over.
  unsigned round_trips = 0;
  /// True when initiating involves no packet, so that "ready" says nothing about the peer.
  bool connectionless = false;
  /// True when one transport connection carries several Connections.
  bool multiplexes = false;
  /// Carries from one sender to multicast groups, in that direction only, and nowhere else: whoever
  /// initiates sends, whoever listens receives.
  bool multicast = false;
  reachability reach = reachability::assumed;
  /// What an instance turns into when the peer does not speak this protocol, null for a protocol
  /// that then fails. It serves peers of that one, too, when it listens, and has the same ports: so
  /// one of the two listens at a place. `protocol::spoken` says what an instance has become.
  const transport_descriptor* falls_back_to = nullptr;
  /// Breaks ties between stacks that the properties do not tell apart; lower goes first.
  int default_order = 0;
};

}  // namespace taps
