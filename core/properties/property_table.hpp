#pragma once

#include "taps/core/base/result.hpp"
#include "taps/core/properties/property_id.hpp"
#include "taps/core/properties/property_value.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

namespace taps {

enum class property_kind : std::uint8_t {
  /// Chooses protocol stacks; fixed once a Connection exists.
  selection,
  /// Tunes a Connection; may be set before and at any time after.
  connection,
  /// Of one Message; on a preconnection or Connection the default for its Messages.
  message,
  /// Read-only, comes with a received Message.
  received,
  /// Read-only, of a Connection.
  read_only,
};

/// The type of a property's normal values.
enum class property_type : std::uint8_t {
  boolean,
  preference,
  integer,
  time_span,
  multipath_mode,
  direction,
  capacity_profile,
  scheduler,
  multipath_policy,
  connection_state,
  text,
  interface_list,
};

/// Where the value of a property comes from that nobody set.
enum class default_rule : std::uint8_t {
  /// From the table.
  fixed,
  /// Depends on whether one initiates, listens or meets.
  by_establishment,
  /// Is what another property says.
  follows,
};

/// What to do with a value that came with NEATPy's name.
enum class neatpy_rule : std::uint8_t {
  same,
  /// The property says the opposite: Require becomes Prohibit and so on.
  inverted,
  /// -1 is the special value.
  minus_one,
  /// A Preference for several paths.
  multipath,
  /// Stands for both `noFragmentation` and `noSegmentation`.
  both_flags,
};

/// All that is known of one property.
struct property_info {
  property_id id;
  /// The name of RFC 9622, or ours with its namespace.
  std::string_view name;
  property_kind kind;
  property_type type;
  /// Number behind the default value; nothing if that is `special_value`.
  std::optional<std::int64_t> default_number;
  /// The one value outside the type that is allowed.
  std::optional<special> special_value;
  /// Bounds of integers; durations have to be positive.
  std::int64_t min = 0;
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  /// Section of RFC 9622, or empty.
  std::string_view section = {};
  /// A change reaches all Connections of the group.
  bool shared = false;
  /// NEATPy's name where a change of spelling does not lead to it, or empty.
  std::string_view neatpy_name = {};
  neatpy_rule neatpy = neatpy_rule::same;
  default_rule rule = default_rule::fixed;
  /// For `default_rule::follows`.
  property_id followed = property_id::reliability;

  /// May be set on a running Connection.
  [[nodiscard]] constexpr bool writable_on_connection() const noexcept {
    return kind == property_kind::connection || kind == property_kind::message;
  }
  [[nodiscard]] constexpr bool writable() const noexcept {
    return kind != property_kind::received && kind != property_kind::read_only;
  }
};

/// The table, in the order of the ids.
[[nodiscard]] std::span<const property_info> all_properties() noexcept;

[[nodiscard]] const property_info& info_of(property_id id) noexcept;

/// Returns the name of the property, e.g. `"connPriority"`.
[[nodiscard]] std::string_view to_string(property_id id) noexcept;
[[nodiscard]] std::string_view to_string(property_kind kind) noexcept;

/// A property found by name.
struct property_match {
  const property_info* info = nullptr;
  /// The name was NEATPy's, so values follow its rules.
  bool neatpy = false;

  explicit operator bool() const noexcept { return info != nullptr; }
};

/// Looks a property up. Letter case does not matter, and camelCase, PascalCase, snake_case and
/// kebab-case are all understood, as are NEATPy's names.
[[nodiscard]] property_match find_property(std::string_view name) noexcept;

/// What a name stands for that `find_property` does not know.
enum class foreign_name : std::uint8_t {
  /// Generic, or of a namespace nobody owns: an error.
  unknown,
  /// Of a vendor (`_vendor.x`) or a protocol (`quic.x`): stored without being understood.
  storable,
};
[[nodiscard]] foreign_name classify_foreign(std::string_view name) noexcept;

/// Returns the default value from the table; those that depend on something as for Initiate with
/// all else default.
[[nodiscard]] property_value default_value(property_id id);

/// Checks type and range; returns the value in its canonical type (a bare number for a duration
/// counts seconds). The error names property, value and what is allowed. Not whether the
/// property may be set.
[[nodiscard]] result<property_value> check_value(const property_info& info, property_value value);

/// Converts a value that came with NEATPy's name, then checks it.
[[nodiscard]] result<property_value> from_neatpy(const property_info& info, property_value value);

/// The opposite of a Preference: Require and Prohibit, Prefer and Avoid change places.
[[nodiscard]] constexpr preference inverted(preference x) noexcept {
  return static_cast<preference>(-static_cast<int>(x));
}

/// Converts text, as from a command line, to a checked value: `"require"`, `"5"`, `"250ms"`,
/// `"unlimited"`, `"low-latency-interactive"`, `"prefer:wifi,prohibit:eth1"`.
[[nodiscard]] result<property_value> parse_value(const property_info& info, std::string_view text);

/// Errors that all setters share.
[[nodiscard]] error unknown_property(std::string_view name);
[[nodiscard]] error read_only_property(const property_info& info);

}  // namespace taps
