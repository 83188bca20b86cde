#pragma once

#include "taps/core/endpoint/socket_address.hpp"
#include "taps/core/properties/message_properties.hpp"
#include "taps/core/properties/transport_properties.hpp"

#include <bitset>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taps {

/// A property with its full name, as GetProperties returns it.
struct named_property {
  std::string name;
  property_value value;

  friend bool operator==(const named_property&, const named_property&) = default;

  template<class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, named_property& x) {
    return f(x.name, x.value);
  }
};

/// What only the Connection itself knows: the values of read-only properties.
struct connection_facts {
  connection_state state = connection_state::establishing;
  /// A stack was chosen, now or earlier; decides how Selection Properties read.
  bool established = false;
  bool can_send = false;
  bool can_receive = false;
  /// Absent: not applicable.
  std::optional<std::uint64_t> singular_transmission_msg_max_len;
  std::uint64_t send_msg_max_len = 0;
  std::uint64_t recv_msg_max_len = 0;
  /// Absent: not applicable.
  std::optional<std::uint64_t> zero_rtt_msg_max_len;
  std::string stack;
  /// Absent before there is a stack.
  std::optional<socket_address> local_endpoint;
  std::optional<socket_address> remote_endpoint;
  std::uint64_t queued_bytes = 0;
  std::string security_info;
  /// By id, the Selection Properties of type Preference that stack and path provide.
  std::bitset<num_properties> provided;

  connection_facts& provides(property_id id, bool yes = true) {
    provided.set(static_cast<std::size_t>(id), yes);
    return *this;
  }
};

/// The properties of one Connection: those of its preconnection, shared with all others of that
/// origin, and what was set on this Connection since. Copying (Clone) copies the latter.
class connection_properties {
public:
  explicit connection_properties(std::shared_ptr<const transport_properties> initial,
                                 establishment how = establishment::initiate);

  connection_properties(const connection_properties& other);
  connection_properties(connection_properties&&) noexcept = default;
  connection_properties& operator=(const connection_properties& other);
  connection_properties& operator=(connection_properties&&) noexcept = default;
  ~connection_properties() = default;

  // -- setting ---------------------------------------------------------------------------

  /// Fails with `ReadOnly` for Selection Properties and read-only ones, with `InvalidConfiguration`
  /// for bad values and unknown names; the old value stays. Whether the stack has the protocol of
  /// a protocol-specific property is for the caller to check.
  result<void> set(property_id id, property_value value);
  result<void> set(std::string_view name, property_value value);

  /// Undoes what was set on this Connection itself.
  void take_back(property_id id);

  /// True for what a change must also be told to the other Connections of the group.
  [[nodiscard]] static bool is_shared(property_id id) noexcept { return info_of(id).shared; }

  // -- reading ---------------------------------------------------------------------------

  /// Returns a Connection or Message Property, or a Selection Property as it was asked for.
  [[nodiscard]] property_value get(property_id id) const;

  /// Returns any property, read-only ones included; Selection Properties of type Preference are
  /// Booleans once established.
  [[nodiscard]] property_value get(property_id id, const connection_facts& facts) const;
  [[nodiscard]] result<property_value> get(std::string_view name,
                                           const connection_facts& facts) const;

  /// GetProperties (RFC 9622, section 8.1): everything, in the order of the ids, then vendors' own.
  [[nodiscard]] std::vector<named_property> snapshot(const connection_facts& facts) const;

  [[nodiscard]] const std::shared_ptr<const transport_properties>& initial() const noexcept {
    return initial_;
  }
  /// Returns what was set on this Connection itself; null for nothing.
  [[nodiscard]] const property_set* changes() const noexcept { return overrides_.get(); }
  [[nodiscard]] establishment how() const noexcept { return how_; }

private:
  [[nodiscard]] property_set& overrides();
  [[nodiscard]] const property_value* find(property_id id) const noexcept;

  std::shared_ptr<const transport_properties> initial_;
  /// Null until something is set.
  std::unique_ptr<property_set> overrides_;
  establishment how_;
};

}  // namespace taps
