#pragma once

#include "taps/core/base/result.hpp"
#include "taps/core/properties/property_set.hpp"
#include "taps/core/properties/property_table.hpp"

#include <optional>
#include <string_view>

namespace taps {

/// Sets of properties for common needs (RFC 9622, appendix B.2).
enum class profile : std::uint8_t {
  reliable_inorder_stream = 1,
  reliable_message = 2,
  unreliable_datagram = 3,
};

/// How a Connection comes about; a few defaults depend on it.
enum class establishment : std::uint8_t { initiate, listen, rendezvous };

/// What an application asks of its Connections: Selection Properties, initial Connection
/// Properties and default Message Properties (RFC 9622, section 6.2). A value; it stores only what
/// was set.
///
/// Setting a property again replaces the value; a failure keeps the old one. Chainable calls report
/// no errors: the first one stays in the object, `check_consistency` returns it, and every action
/// that gets the object fails with it.
class transport_properties {
public:
  transport_properties() = default;
  explicit transport_properties(profile x);

  // -- setting -------------------------------------------------------------------------

  /// Fails with `InvalidConfiguration` for a value of the wrong type or range, and with `ReadOnly`.
  result<void> set(property_id id, property_value value);

  /// As above. The name may be spelled in any way `find_property` knows, and values of NEATPy's
  /// names follow its rules. Properties of vendors and other protocols are stored as they are;
  /// any other unknown name is an `InvalidConfiguration`.
  result<void> set(std::string_view name, property_value value);

  /// Sets from text, as of a command line.
  result<void> set_text(std::string_view name, std::string_view text);

  transport_properties& require(property_id id) { return chain(id, preference::require); }
  transport_properties& prefer(property_id id) { return chain(id, preference::prefer); }
  transport_properties& no_preference(property_id id) {
    return chain(id, preference::no_preference);
  }
  transport_properties& avoid(property_id id) { return chain(id, preference::avoid); }
  transport_properties& prohibit(property_id id) { return chain(id, preference::prohibit); }

  result<void> require(std::string_view name) { return set(name, preference::require); }
  result<void> prefer(std::string_view name) { return set(name, preference::prefer); }
  result<void> no_preference(std::string_view name) { return set(name, preference::no_preference); }
  result<void> avoid(std::string_view name) { return set(name, preference::avoid); }
  result<void> prohibit(std::string_view name) { return set(name, preference::prohibit); }

  /// Adds an entry to `interface` or `pvd`, or replaces the one of that name:
  /// `require(property_id::interface, "wifi")`.
  transport_properties& require(property_id id, std::string_view entry) {
    return chain(id, preference::require, entry);
  }
  transport_properties& prefer(property_id id, std::string_view entry) {
    return chain(id, preference::prefer, entry);
  }
  transport_properties& avoid(property_id id, std::string_view entry) {
    return chain(id, preference::avoid, entry);
  }
  transport_properties& prohibit(property_id id, std::string_view entry) {
    return chain(id, preference::prohibit, entry);
  }

  /// Chainable `set`.
  transport_properties& with(property_id id, property_value value);
  transport_properties& with(std::string_view name, property_value value);

  /// Returns to the default.
  void reset(property_id id) { values_.erase(id); }
  result<void> reset(std::string_view name);

  // -- reading -------------------------------------------------------------------------

  /// Returns the value set, else the default; defaults that depend on the way of establishment are
  /// those of Initiate.
  [[nodiscard]] property_value get(property_id id) const {
    return effective(id, establishment::initiate);
  }

  /// As above, for any known spelling and stored foreign names; fails for other names.
  [[nodiscard]] result<property_value> get(std::string_view name) const;

  /// Returns the value set, else the default for this way of establishment.
  [[nodiscard]] property_value effective(property_id id, establishment how) const;

  [[nodiscard]] bool is_explicit(property_id id) const noexcept {
    return values_.find(id) != nullptr;
  }

  /// Returns the Preference, `no_preference` for a property of another type.
  [[nodiscard]] preference preference_of(property_id id,
                                         establishment how = establishment::initiate) const;

  /// The values set, in the order of the ids, and the foreign ones.
  [[nodiscard]] const property_set& explicit_values() const noexcept { return values_; }

  // -- typed reading --------------------------------------------------------------------

  /// Absent: Disabled.
  [[nodiscard]] std::optional<duration> connection_timeout() const {
    return optional<duration>(property_id::conn_timeout);
  }
  /// Absent: Disabled.
  [[nodiscard]] std::optional<duration> keep_alive_timeout() const {
    return optional<duration>(property_id::keep_alive_timeout);
  }
  /// Absent: Disabled.
  [[nodiscard]] std::optional<duration> idle_timeout() const {
    return optional<duration>(property_id::idle_timeout);
  }
  /// Absent: Unlimited.
  [[nodiscard]] std::optional<std::int64_t> group_connection_limit() const {
    return optional<std::int64_t>(property_id::group_conn_limit);
  }
  /// Returns the integer value, absent when the property has its special value.
  [[nodiscard]] std::optional<std::int64_t> number(property_id id) const {
    return optional<std::int64_t>(id);
  }
  /// Returns a Boolean property; a Preference counts as in `property_value::truth`.
  [[nodiscard]] bool flag(property_id id) const { return get(id).truth(); }

  [[nodiscard]] taps::capacity_profile capacity_profile() const {
    return get(property_id::conn_capacity_profile).get_or(capacity_profile::default_profile);
  }
  [[nodiscard]] taps::direction direction() const {
    return get(property_id::direction).get_or(direction::bidirectional);
  }
  [[nodiscard]] multipath_mode multipath(establishment how) const {
    return effective(property_id::multipath, how).get_or(multipath_mode::disabled);
  }
  [[nodiscard]] interface_preferences interfaces() const {
    return get(property_id::interface).get_or(interface_preferences{});
  }
  [[nodiscard]] interface_preferences pvds() const {
    return get(property_id::pvd).get_or(interface_preferences{});
  }

  // -- checking and comparing --------------------------------------------------------------

  /// Returns the first error of a chainable call.
  [[nodiscard]] result<void> check() const;

  friend bool operator==(const transport_properties&, const transport_properties&) = default;

  template<class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, transport_properties& x) {
    return f(x.values_, x.failure_);
  }

private:
  transport_properties& chain(property_id id, preference level);
  transport_properties& chain(property_id id, preference level, std::string_view entry);
  transport_properties& note(result<void> outcome);
  void store(property_id id, property_value value);

  template<class T>
  std::optional<T> optional(property_id id) const {
    auto value = get(id);
    auto* typed = value.get_if<T>();
    return typed ? std::optional<T>{*typed} : std::nullopt;
  }

  property_set values_;
  error failure_;
};

/// Return properties with the explicit values of a profile.
[[nodiscard]] transport_properties reliable_inorder_stream();
[[nodiscard]] transport_properties reliable_message();
[[nodiscard]] transport_properties unreliable_datagram();

/// Finds properties that contradict each other whatever the stack; the `InvalidConfiguration` names
/// both. Also returns the error of a failed chainable call.
[[nodiscard]] result<void> check_consistency(const transport_properties& x);

}  // namespace taps
