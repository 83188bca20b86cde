#pragma once

#include "taps/core/base/slice.hpp"
#include "taps/core/connection/receive_queue.hpp"
#include "taps/core/message/message_context.hpp"
#include "taps/core/properties/connection_properties.hpp"
#include "taps/core/racing/establishment_report.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/detail/stringification_inspector.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace taps {

// -- printing ------------------------------------------------------------------------------

/// The name of an enumerator, bare where CAF would put a string in quotes.
struct enumerator_name {
  std::string_view text;
};
inline std::string to_string(const enumerator_name& x) { return std::string{x.text}; }

/// Has `caf::deep_to_string` print enumerations by name. By itself CAF takes no `to_string` that
/// returns a view, and prints `<unprintable>`.
template<class Enum>
requires std::is_enum_v<Enum> && requires(Enum x) {
  { to_string(x) } -> std::same_as<std::string_view>;
}
void inspect(caf::detail::stringification_inspector& f, Enum& x) {
  f(enumerator_name{to_string(x)});
}

// -- commands ----------------------------------------------------------------------------
//
// What the free functions of `actions.hpp` send; applications that want an answer `request` them
// instead. A command sent without `request` is never answered: its failure comes as an event.

/// Send (RFC 9622, section 9.2).
struct send_command {
  slice data;
  message_context context;
  bool end_of_message = true;
  /// Also report success, as `sent`.
  bool wants_sent = false;
};

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, send_command& x) {
  return f(x.data, x.context, x.end_of_message, x.wants_sent);
}

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, receive_request& x) {
  return f(x.min_incomplete_length, x.max_length, x.count);
}

/// Receive (RFC 9622, section 9.3).
struct receive_command {
  receive_request request;
};

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, receive_command& x) {
  return f(x.request);
}

/// Close (RFC 9622, section 10).
struct close_command {};

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, close_command&) {
  return f();
}

/// Abort (RFC 9622, section 10).
struct abort_command {};

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, abort_command&) {
  return f();
}

/// SetProperty (RFC 9622, section 8.1). The answer to a request is an error or nothing.
struct set_property_command {
  std::string name;
  property_value value;
};

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, set_property_command& x) {
  return f(x.name, x.value);
}

/// GetProperties (RFC 9622, section 8.1): answered by `property_list`.
struct get_properties_command {};

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_properties_command&) {
  return f();
}

/// The properties of a Connection at one moment. Cheap to make and to copy; values are looked up
/// when they are asked for.
class property_list {
public:
  property_list() noexcept = default;
  property_list(connection_properties properties, connection_facts facts);
  explicit property_list(std::vector<named_property> properties) noexcept
      : list_(std::move(properties)) {}

  /// Returns the value of a property in any spelling; "Not applicable" if there is none.
  [[nodiscard]] property_value get(std::string_view name) const;

  /// Returns the value as a Boolean (RFC 9622, section 8.1).
  [[nodiscard]] bool has(std::string_view name) const { return get(name).truth(); }

  /// Returns all of them under their full names.
  [[nodiscard]] std::vector<named_property> all() const;

  template<class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, property_list& x) {
    if constexpr (Inspector::reads_state) {
      auto list = x.all();
      return f(list);
    } else {
      x.source_.reset();
      return f(x.list_);
    }
  }

private:
  struct source {
    connection_properties properties;
    connection_facts facts;
  };

  std::shared_ptr<const source> source_;
  /// After a journey between nodes.
  std::vector<named_property> list_;
};

/// Which optional events an owner wants; a set of bits.
enum class event_set : std::uint8_t {
  none = 0,
  sent = 1,
  soft_error = 2,
  path_change = 4,
  all = 7
};

constexpr event_set operator|(event_set x, event_set y) noexcept {
  return static_cast<event_set>(static_cast<unsigned>(x) | static_cast<unsigned>(y));
}
/// Returns the names of the events, separated by `|`.
[[nodiscard]] std::string to_string(event_set x);

constexpr bool has(event_set set, event_set what) noexcept {
  return (static_cast<unsigned>(set) & static_cast<unsigned>(what)) != 0;
}

/// Chooses the optional events of a Connection.
struct observe_command {
  event_set events = event_set::none;
};

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, observe_command& x) {
  return f(x.events);
}

/// Clone (RFC 9622, section 7.4): the order that equips the new Connection, spawned already.
struct clone_command {
  caf::strong_actor_ptr child;
};

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, clone_command& x) {
  return f(x.child);
}

/// How the Connection came about, for as long as it lives: answered by `establishment_report`.
/// Empty for one that a Listener accepted, and before the end of the establishment.
struct get_report_command {};

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_report_command&) {
  return f();
}

/// GroupedConnections (RFC 9622, section 7.4): answered by `connection_list`.
struct grouped_connections_command {};

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, grouped_connections_command&) {
  return f();
}

struct connection_list;

/// Stop (RFC 9622, section 7.2).
struct stop_command {};

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, stop_command&) {
  return f();
}

/// SetNewConnectionLimit (RFC 9622, section 7.2).
struct new_connection_limit_command {
  /// Absent for no limit.
  std::optional<std::uint64_t> limit;
};

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, new_connection_limit_command& x) {
  // -1 stands for no limit, as in NEATPy.
  auto number = x.limit ? static_cast<std::int64_t>(*x.limit) : std::int64_t{-1};
  if constexpr (Inspector::reads_state) {
    return f(number);
  } else {
    auto result = f(number);
    x.limit = number < 0 ? std::nullopt : std::optional{static_cast<std::uint64_t>(number)};
    return result;
  }
}

// -- handles --------------------------------------------------------------------------------

/// A Connection (RFC 9622, section 3). Counted; the Connection lives until its terminal event, with
/// or without handles.
using connection =
    caf::typed_actor<caf::reacts_to<send_command>, caf::reacts_to<receive_command>,
                     caf::reacts_to<close_command>, caf::reacts_to<abort_command>,
                     caf::reacts_to<observe_command>, caf::reacts_to<clone_command>,
                     caf::reacts_to<set_property_command>,
                     caf::replies_to<get_properties_command>::with<property_list>,
                     caf::replies_to<get_report_command>::with<establishment_report>,
                     caf::replies_to<grouped_connections_command>::with<connection_list>>;

/// The members of a Connection Group that have not ended.
struct connection_list {
  std::vector<connection> members;
};

template<class Inspector>
typename Inspector::result_type inspect(Inspector& f, connection_list& x) {
  return f(x.members);
}

/// A Listener (RFC 9622, section 7.2). It answers `get_properties_command` once it listens, with
/// `_tapline.localPort` (for who asked for port 0) and `_tapline.localEndpoint`, else with an
/// error.
using listener =
    caf::typed_actor<caf::reacts_to<stop_command>, caf::reacts_to<new_connection_limit_command>,
                     caf::replies_to<get_properties_command>::with<property_list>>;

}  // namespace taps
