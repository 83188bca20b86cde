#include "taps/core/properties/property_table.hpp"

#include "taps/core/base/letters.hpp"

#include <algorithm>
#include <array>

namespace taps {

namespace {

// -- the table ------------------------------------------------------------------------------

using enum property_kind;
using enum property_type;
using id = property_id;
using rule = neatpy_rule;

constexpr auto max_number = std::numeric_limits<std::int64_t>::max();

template<class Enum>
constexpr std::int64_t number(Enum x) {
  return static_cast<std::int64_t>(x);
}

// Builders for the kinds of rows; the rest of a row is set by the chained members.
struct row : property_info {
  constexpr row(property_id which, std::string_view full_name, property_kind what,
                property_type values, std::string_view where)
      : property_info{which, full_name, what, values, std::nullopt, std::nullopt} {
    section = where;
  }
  constexpr row preset(std::int64_t value) const {
    auto x = *this;
    x.default_number = value;
    return x;
  }
  /// Allows a special value; it is the default, unless there is a number.
  constexpr row or_special(special value) const {
    auto x = *this;
    x.special_value = value;
    return x;
  }
  constexpr row within(std::int64_t low, std::int64_t high = max_number) const {
    auto x = *this;
    x.min = low;
    x.max = high;
    return x;
  }
  constexpr row grouped() const {
    auto x = *this;
    x.shared = true;
    return x;
  }
  constexpr row neat(std::string_view other_name, neatpy_rule how = neatpy_rule::same) const {
    auto x = *this;
    x.neatpy_name = other_name;
    x.neatpy = how;
    return x;
  }
  constexpr row depends() const {
    auto x = *this;
    x.rule = default_rule::by_establishment;
    return x;
  }
  constexpr row follows(property_id other) const {
    auto x = *this;
    x.rule = default_rule::follows;
    x.followed = other;
    return x;
  }
};

constexpr row wish(id which, std::string_view name, std::string_view section,
                   enum preference level = preference::no_preference) {
  return row{which, name, selection, property_type::preference, section}.preset(number(level));
}

constexpr row flag(id which, std::string_view name, property_kind kind, std::string_view section,
                   bool value = false) {
  return row{which, name, kind, boolean, section}.preset(value ? 1 : 0);
}

constexpr row count(id which, std::string_view name, property_kind kind, std::string_view section,
                    std::int64_t least) {
  return row{which, name, kind, integer, section}.within(least);
}

constexpr row rate(id which, std::string_view name) {
  return count(which, name, connection, "8.1.8", 1)
      .or_special(special::unlimited)
      .grouped()
      .neat({}, rule::minus_one);
}

constexpr row timeout(id which, std::string_view name, std::string_view section) {
  return row{which, name, connection, time_span, section}
      .or_special(special::disabled)
      .grouped()
      .neat({}, rule::minus_one);
}

constexpr row report(id which, std::string_view name, property_type type,
                     std::string_view section = {}) {
  return row{which, name, read_only, type, section};
}

constexpr std::array<property_info, num_properties> table{
    // Selection Properties.
    wish(id::reliability, "reliability", "6.2.1", preference::require),
    wish(id::preserve_msg_boundaries, "preserveMsgBoundaries", "6.2.2"),
    wish(id::per_msg_reliability, "perMsgReliability", "6.2.3"),
    wish(id::preserve_order, "preserveOrder", "6.2.4", preference::require),
    wish(id::zero_rtt_msg, "zeroRttMsg", "6.2.5"),
    wish(id::multistreaming, "multistreaming", "6.2.6", preference::prefer),
    wish(id::full_checksum_send, "fullChecksumSend", "6.2.7", preference::require)
        .neat("per-msg-checksum-len-send", rule::inverted),
    wish(id::full_checksum_recv, "fullChecksumRecv", "6.2.8", preference::require)
        .neat("per-msg-checksum-len-recv", rule::inverted),
    wish(id::congestion_control, "congestionControl", "6.2.9", preference::require),
    wish(id::keep_alive, "keepAlive", "6.2.10"),
    row{id::interface, "interface", selection, interface_list, "6.2.11"},
    row{id::pvd, "pvd", selection, interface_list, "6.2.12"},
    wish(id::use_temporary_local_address, "useTemporaryLocalAddress", "6.2.13", preference::prefer)
        .neat("local-address-preference")
        .depends(),
    row{id::multipath, "multipath", selection, property_type::multipath_mode, "6.2.14"}
        .preset(number(multipath_mode::disabled))
        .neat({}, rule::multipath)
        .depends(),
    flag(id::advertises_altaddr, "advertisesAltaddr", selection, "6.2.15"),
    row{id::direction, "direction", selection, property_type::direction, "6.2.16"}.preset(
        number(direction::bidirectional)),
    wish(id::soft_error_notify, "softErrorNotify", "6.2.17"),
    wish(id::active_read_before_send, "activeReadBeforeSend", "6.2.18"),
    wish(id::retransmit_notify, "retransmitNotify", {}),

    // Connection Properties.
    count(id::recv_checksum_len, "recvChecksumLen", connection, "8.1.1", 0)
        .or_special(special::full_coverage)
        .grouped()
        .neat({}, rule::minus_one),
    count(id::conn_priority, "connPriority", connection, "8.1.2", 0).preset(100).neat("conn-prio"),
    timeout(id::conn_timeout, "connTimeout", "8.1.3"),
    timeout(id::keep_alive_timeout, "keepAliveTimeout", "8.1.4"),
    row{id::conn_scheduler, "connScheduler", connection, property_type::scheduler, "8.1.5"}
        .preset(number(scheduler::weighted_fair_queueing))
        .grouped(),
    row{id::conn_capacity_profile, "connCapacityProfile", connection,
        property_type::capacity_profile, "8.1.6"}
        .preset(number(capacity_profile::default_profile))
        .grouped(),
    row{id::multipath_policy, "multipathPolicy", connection, property_type::multipath_policy,
        "8.1.7"}
        .preset(number(multipath_policy::handover))
        .grouped(),
    rate(id::min_send_rate, "minSendRate"),
    rate(id::min_recv_rate, "minRecvRate"),
    rate(id::max_send_rate, "maxSendRate"),
    rate(id::max_recv_rate, "maxRecvRate"),
    count(id::group_conn_limit, "groupConnLimit", connection, "8.1.9", 1)
        .or_special(special::unlimited)
        .grouped()
        .neat({}, rule::minus_one),
    flag(id::isolate_session, "isolateSession", connection, "8.1.10").grouped(),
    count(id::tcp_user_timeout_value, "tcp.userTimeoutValue", connection, "8.2.1", 1)
        .preset(300)
        .grouped(),
    flag(id::tcp_user_timeout_enabled, "tcp.userTimeoutEnabled", connection, "8.2.2")
        .grouped()
        .neat("tcp.user-timeout"),
    flag(id::tcp_user_timeout_changeable, "tcp.userTimeoutChangeable", connection, "8.2.3", true)
        .grouped()
        .neat("tcp.user-timeout-recv"),
    count(id::sctp_udp_encaps_port, "sctp.udpEncapsPort", connection, {}, 1)
        .within(1, 65535)
        .preset(9899)
        .grouped(),
    count(id::retransmit_notify_threshold, "retransmitNotifyThreshold", connection, {}, 1)
        .or_special(special::disabled)
        .grouped()
        .neat({}, rule::minus_one),
    timeout(id::idle_timeout, "_tapline.idleTimeout", {}),

    // Message Properties.
    row{id::msg_lifetime, "msgLifetime", message, time_span, "9.1.3.1"}
        .or_special(special::infinite)
        .neat({}, rule::minus_one),
    count(id::msg_priority, "msgPriority", message, "9.1.3.2", 0).preset(100).neat("msg-prio"),
    flag(id::msg_ordered, "msgOrdered", message, "9.1.3.3", true).follows(id::preserve_order),
    flag(id::safely_replayable, "safelyReplayable", message, "9.1.3.4").neat("idempotent"),
    flag(id::final, "final", message, "9.1.3.5"),
    count(id::msg_checksum_len, "msgChecksumLen", message, "9.1.3.6", 0)
        .or_special(special::full_coverage)
        .neat({}, rule::minus_one),
    flag(id::msg_reliable, "msgReliable", message, "9.1.3.7", true).follows(id::reliability),
    row{id::msg_capacity_profile, "msgCapacityProfile", message, property_type::capacity_profile,
        "9.1.3.8"}
        .preset(number(capacity_profile::default_profile))
        .follows(id::conn_capacity_profile),
    flag(id::no_fragmentation, "noFragmentation", message, "9.1.3.9")
        .neat("singular-transmission", rule::both_flags),
    flag(id::no_segmentation, "noSegmentation", message, "9.1.3.10"),

    // Received Messages.
    row{id::ecn, "ecn", received, integer, "9.3.3.1"}.or_special(special::not_applicable),
    flag(id::early_data, "earlyData", received, "9.3.3.2"),

    // Connections.
    report(id::conn_state, "connState", property_type::connection_state, "8.1.11.1")
        .preset(number(connection_state::establishing))
        .neat("state"),
    flag(id::can_send, "canSend", read_only, "8.1.11.2").neat("send"),
    flag(id::can_receive, "canReceive", read_only, "8.1.11.3").neat("receive"),
    report(id::singular_transmission_msg_max_len, "singularTransmissionMsgMaxLen", integer,
           "8.1.11.4")
        .or_special(special::not_applicable),
    report(id::send_msg_max_len, "sendMsgMaxLen", integer, "8.1.11.5").preset(0),
    report(id::recv_msg_max_len, "recvMsgMaxLen", integer, "8.1.11.6").preset(0),
    report(id::zero_rtt_msg_max_len, "_neatpy.zeroRttMsgMaxLen", integer)
        .or_special(special::not_applicable)
        .neat("zero-rtt-msg-max-len"),
    report(id::stack, "_tapline.stack", text),
    report(id::local_endpoint, "_tapline.localEndpoint", text),
    report(id::remote_endpoint, "_tapline.remoteEndpoint", text),
    report(id::queued_bytes, "_tapline.queuedBytes", integer).preset(0),
    report(id::security_info, "_tapline.securityInfo", text),
};

/// NEATPy's second names.
constexpr std::array<std::pair<std::string_view, id>, 1> more_names{{
    {"receiving-final-messages", id::final},
}};

// -- names ------------------------------------------------------------------------------------

/// Compares what is left of names when case and word separators do not count. An underscore in
/// front is no separator: it marks the namespace of a vendor.
constexpr bool same_name(std::string_view x, std::string_view y) noexcept {
  auto separator = [](std::string_view name, std::size_t i) {
    return name[i] == '-' || (name[i] == '_' && i > 0);
  };
  std::size_t i = 0;
  std::size_t j = 0;
  for (;;) {
    while (i < x.size() && separator(x, i))
      ++i;
    while (j < y.size() && separator(y, j))
      ++j;
    if (i == x.size() || j == y.size())
      return i == x.size() && j == y.size();
    if (to_lower(x[i++]) != to_lower(y[j++]))
      return false;
  }
}

constexpr bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (static_cast<std::size_t>(table[i].id) != i)
      return false;
  return true;
}
static_assert(in_order());

constexpr bool names_differ() {
  for (std::size_t i = 0; i < table.size(); ++i) {
    auto& x = table[i];
    for (std::size_t j = 0; j < table.size(); ++j) {
      auto& y = table[j];
      if (i != j && same_name(x.name, y.name))
        return false;
      if (!x.neatpy_name.empty() &&
          (same_name(x.neatpy_name, y.name) || (i != j && same_name(x.neatpy_name, y.neatpy_name))))
        return false;
    }
  }
  return true;
}
static_assert(names_differ());

/// Namespaces of protocols (RFC 9622, section 4.1): IANA's keywords.
constexpr std::array<std::string_view, 7> protocols{"tcp", "udp",  "udplite", "sctp",
                                                    "tls", "dtls", "quic"};

}  // namespace

std::span<const property_info> all_properties() noexcept { return table; }

const property_info& info_of(property_id which) noexcept {
  auto index = static_cast<std::size_t>(which);
  return table[index < table.size() ? index : 0];
}

std::string_view to_string(property_id which) noexcept { return info_of(which).name; }

std::string_view to_string(property_kind kind) noexcept {
  switch (kind) {
  case selection:
    return "Selection Property";
  case connection:
    return "Connection Property";
  case message:
    return "Message Property";
  case received:
    return "property of received Messages";
  case read_only:
    return "read-only Connection Property";
  }
  return "unknown";
}

property_match find_property(std::string_view name) noexcept {
  for (auto& info : table) {
    if (same_name(info.name, name))
      return {&info, info.neatpy_name.empty() && name.find('-') != std::string_view::npos};
    if (!info.neatpy_name.empty() && same_name(info.neatpy_name, name))
      return {&info, true};
  }
  for (auto& [other, which] : more_names)
    if (same_name(other, name))
      return {&info_of(which), true};
  return {};
}

foreign_name classify_foreign(std::string_view name) noexcept {
  auto dot = name.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size())
    return foreign_name::unknown;
  auto space = name.substr(0, dot);
  if (space.front() == '_') {
    bool ours = same_name(space, "_tapline") || same_name(space, "_neatpy");
    return space.size() > 1 && !ours ? foreign_name::storable : foreign_name::unknown;
  }
  bool known = std::any_of(protocols.begin(), protocols.end(),
                           [&](std::string_view x) { return same_name(x, space); });
  return known ? foreign_name::storable : foreign_name::unknown;
}

}  // namespace taps
