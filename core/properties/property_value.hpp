#pragma once

#include "taps/core/base/time.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace taps {

// -- types of properties ------------------------------------------------------------------

/// How much an application wants what a Selection Property names (RFC 9622, section 6.2).
enum class preference : std::int8_t {
  prohibit = -2,
  avoid = -1,
  no_preference = 0,
  prefer = 1,
  require = 2,
};

/// Whether a Connection may use several paths (section 6.2.14).
enum class multipath_mode : std::uint8_t { disabled, active, passive };

/// Where data flows, seen from the application (section 6.2.16).
enum class direction : std::uint8_t {
  bidirectional,
  unidirectional_send,
  unidirectional_receive,
};

/// What traffic a Connection or Message is (section 8.1.6). The values are the DSCPs used for it.
enum class capacity_profile : std::uint8_t {
  default_profile = 0,
  scavenger = 1,
  low_latency_interactive = 36,
  low_latency_non_interactive = 18,
  constant_rate_streaming = 28,
  capacity_seeking = 10,
};

/// Who goes next among the Connections of a group (section 8.1.5; RFC 8260, section 3).
enum class scheduler : std::uint8_t {
  first_come_first_served,
  round_robin,
  round_robin_per_packet,
  priority,
  fair_capacity,
  weighted_fair_queueing,
};

/// How several paths are used (section 8.1.7).
enum class multipath_policy : std::uint8_t { handover, interactive, aggregate };

/// Where a Connection is in its life (section 8.1.11.1).
enum class connection_state : std::uint8_t {
  establishing = 1,
  established = 2,
  closing = 3,
  closed = 4,
};

/// Values outside a property's normal type. No number stands for any of them.
enum class special : std::uint8_t {
  not_applicable,
  unlimited,
  disabled,
  full_coverage,
  infinite,
};

/// What the application thinks of one interface or provisioning domain: the name of an instance
/// (`eth0`) or of a type (`wifi`, `wired`, `cellular`, `loopback`).
struct interface_preference {
  preference level = preference::no_preference;
  std::string name;

  friend bool operator==(const interface_preference&, const interface_preference&) = default;

  template<class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, interface_preference& x) {
    return f(x.level, x.name);
  }
};

/// The value of `interface` and `pvd`: at most one entry per name.
using interface_preferences = std::vector<interface_preference>;

/// Return the name the RFC gives a value, e.g. `"No Preference"`.
[[nodiscard]] std::string_view to_string(preference x) noexcept;
[[nodiscard]] std::string_view to_string(multipath_mode x) noexcept;
[[nodiscard]] std::string_view to_string(direction x) noexcept;
[[nodiscard]] std::string_view to_string(capacity_profile x) noexcept;
[[nodiscard]] std::string_view to_string(scheduler x) noexcept;
[[nodiscard]] std::string_view to_string(multipath_policy x) noexcept;
[[nodiscard]] std::string_view to_string(connection_state x) noexcept;
[[nodiscard]] std::string_view to_string(special x) noexcept;
/// Returns for instance `"Require(wifi), Avoid(eth1)"`.
[[nodiscard]] std::string to_string(const interface_preferences& x);

// -- the value -------------------------------------------------------------------------------

namespace detail {

/// Converts without overflow: what does not fit becomes the nearest duration that does.
template<class Rep, class Period>
constexpr duration saturate(std::chrono::duration<Rep, Period> x) noexcept {
  using in_double = std::chrono::duration<double, duration::period>;
  if (in_double{x} >= in_double{duration::max()})
    return duration::max();
  if (in_double{x} <= in_double{duration::min()})
    return duration::min();
  return std::chrono::duration_cast<duration>(x);
}

/// As above, for numbers.
template<std::integral T>
constexpr std::int64_t saturate(T x) noexcept {
  return std::in_range<std::int64_t>(x) ? static_cast<std::int64_t>(x)
                                        : std::numeric_limits<std::int64_t>::max();
}

}  // namespace detail

/// The value of any property. Whether it suits a property is for `check_value` to say.
class property_value {
public:
  using storage = std::variant<special, bool, preference, std::int64_t, duration, multipath_mode,
                               direction, capacity_profile, scheduler, multipath_policy,
                               connection_state, std::string, interface_preferences>;

  /// "Not applicable".
  property_value() noexcept = default;

  // Implicit, so that `set(id, preference::require)`, `set(id, 5)` and `set(id, 30s)` just work; a
  // template for `bool`, lest pointers turn into it.
  template<std::same_as<bool> T>
  property_value(T x) noexcept : storage_(x) {}
  template<std::integral T>
  requires(!std::same_as<T, bool>) property_value(T x)
  noexcept : storage_(detail::saturate(x)) {}
  template<class Rep, class Period>
  property_value(std::chrono::duration<Rep, Period> x) noexcept : storage_(detail::saturate(x)) {}
  property_value(special x) noexcept : storage_(x) {}
  property_value(preference x) noexcept : storage_(x) {}
  property_value(multipath_mode x) noexcept : storage_(x) {}
  property_value(direction x) noexcept : storage_(x) {}
  property_value(capacity_profile x) noexcept : storage_(x) {}
  property_value(scheduler x) noexcept : storage_(x) {}
  property_value(multipath_policy x) noexcept : storage_(x) {}
  property_value(connection_state x) noexcept : storage_(x) {}
  property_value(std::string x) noexcept : storage_(std::move(x)) {}
  property_value(std::string_view x) : storage_(std::string{x}) {}
  property_value(const char* x) : storage_(std::string{x}) {}
  property_value(interface_preferences x) noexcept : storage_(std::move(x)) {}

  template<class T>
  [[nodiscard]] bool holds() const noexcept {
    return std::holds_alternative<T>(storage_);
  }

  /// Returns the value if it is a `T` (numbers: `std::int64_t`; durations: `taps::duration`).
  template<class T>
  [[nodiscard]] const T* get_if() const noexcept {
    return std::get_if<T>(&storage_);
  }

  template<class T>
  [[nodiscard]] T get_or(T fallback) const {
    auto* value = get_if<T>();
    return value ? *value : std::move(fallback);
  }

  /// Reads a Boolean or a Preference as a Boolean, as `Has` of RFC 9622, section 8.1 does: true for
  /// true, Require and Prefer.
  [[nodiscard]] bool truth() const noexcept {
    if (auto* level = get_if<preference>())
      return *level >= preference::prefer;
    return get_or(false);
  }

  [[nodiscard]] const storage& get() const noexcept { return storage_; }

  friend bool operator==(const property_value& x, const property_value& y) = default;

  /// Writes which type it is, then the value.
  template<class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, property_value& x) {
    auto index = static_cast<std::uint8_t>(x.storage_.index());
    if constexpr (Inspector::reads_state) {
      return std::visit([&](auto& value) { return f(index, value); }, x.storage_);
    } else {
      if (auto failed = f(index))
        return failed;
      return load(f, x.storage_, index);
    }
  }

private:
  /// Reads an alternative; an unknown index leaves "Not applicable".
  template<std::size_t I = 0, class Inspector>
  static typename Inspector::result_type load(Inspector& f, storage& x, std::uint8_t index) {
    if constexpr (I < std::variant_size_v<storage>) {
      if (index == I)
        return f(x.emplace<I>());
      return load<I + 1>(f, x, index);
    } else {
      x = special::not_applicable;
      return {};
    }
  }

  storage storage_;
};

/// Returns for instance `"Require"`, `"true"`, `"100"`, `"1.5s"` or `"Unlimited"`.
[[nodiscard]] std::string to_string(const property_value& x);

}  // namespace taps
