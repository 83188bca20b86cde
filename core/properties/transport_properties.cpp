#include "taps/core/properties/transport_properties.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>

namespace taps {

namespace {

using id = property_id;

/// NEATPy has a Preference where RFC 9622 has a mode.
std::optional<multipath_mode> mode_of(preference x) {
  if (x >= preference::prefer)
    return multipath_mode::active;
  if (x <= preference::avoid)
    return multipath_mode::disabled;
  return std::nullopt;
}

error contradiction(const std::string& x, const std::string& y) {
  return {errc::invalid_configuration, x + " contradicts " + y};
}

std::string said(id which, const property_value& value) {
  return std::string{to_string(which)} + " = " + to_string(value);
}

}  // namespace

transport_properties::transport_properties(profile x) {
  if (x == profile::unreliable_datagram) {
    avoid(id::reliability).avoid(id::preserve_order).no_preference(id::congestion_control);
    require(id::preserve_msg_boundaries).with(id::safely_replayable, true);
    return;
  }
  require(id::reliability).require(id::preserve_order).require(id::congestion_control);
  if (x == profile::reliable_message)
    require(id::preserve_msg_boundaries);
  else
    no_preference(id::preserve_msg_boundaries);
}

// -- setting -----------------------------------------------------------------------------------

void transport_properties::store(property_id which, property_value value) {
  // An explicit timeout is not for the peer to change (RFC 9622, section 8.2.3).
  if (which == id::conn_timeout)
    values_.erase(id::tcp_user_timeout_changeable);
  values_.set(which, std::move(value));
}

result<void> transport_properties::set(property_id which, property_value value) {
  auto& info = info_of(which);
  if (!info.writable())
    return read_only_property(info);
  if (auto* level = value.get_if<preference>(); level && which == id::multipath) {
    if (auto mode = mode_of(*level))
      store(which, *mode);
    else
      reset(which);
    return {};
  }
  auto checked = check_value(info, std::move(value));
  if (!checked)
    return checked.failure();
  store(which, std::move(*checked));
  return {};
}

result<void> transport_properties::set(std::string_view name, property_value value) {
  auto match = find_property(name);
  if (!match) {
    if (classify_foreign(name) == foreign_name::unknown)
      return unknown_property(name);
    values_.set_foreign(name, std::move(value));
    return {};
  }
  auto& info = *match.info;
  if (!match.neatpy || !info.writable() || info.neatpy == neatpy_rule::multipath)
    return set(info.id, std::move(value));
  auto converted = from_neatpy(info, std::move(value));
  if (!converted)
    return converted.failure();
  if (info.neatpy == neatpy_rule::both_flags)
    store(id::no_segmentation, *converted);
  store(info.id, std::move(*converted));
  return {};
}

result<void> transport_properties::set_text(std::string_view name, std::string_view text) {
  auto match = find_property(name);
  if (!match)
    return set(name, property_value{text});
  if (match.neatpy) {
    auto special = match.info->neatpy == neatpy_rule::minus_one && text == "-1";
    if (special)
      return set(match.info->id, *match.info->special_value);
  }
  auto value = parse_value(*match.info, text);
  if (!value)
    return value.failure();
  return set(name, std::move(*value));
}

transport_properties& transport_properties::note(result<void> outcome) {
  if (!outcome && !failure_)
    failure_ = outcome.failure();
  return *this;
}

transport_properties& transport_properties::chain(property_id which, preference level) {
  return note(set(which, level));
}

transport_properties& transport_properties::chain(property_id which, preference level,
                                                  std::string_view entry) {
  auto list = get(which).get_or(interface_preferences{});
  std::erase_if(list, [&](const interface_preference& x) { return x.name == entry; });
  list.push_back({level, std::string{entry}});
  return note(set(which, std::move(list)));
}

transport_properties& transport_properties::with(property_id which, property_value value) {
  return note(set(which, std::move(value)));
}

transport_properties& transport_properties::with(std::string_view name, property_value value) {
  return note(set(name, std::move(value)));
}

result<void> transport_properties::reset(std::string_view name) {
  auto match = find_property(name);
  if (!match) {
    if (classify_foreign(name) == foreign_name::unknown)
      return unknown_property(name);
    values_.erase_foreign(name);
    return {};
  }
  if (!match.info->writable())
    return read_only_property(*match.info);
  if (match.neatpy && match.info->neatpy == neatpy_rule::both_flags)
    reset(id::no_segmentation);
  reset(match.info->id);
  return {};
}

// -- reading -----------------------------------------------------------------------------------

property_value transport_properties::effective(property_id which, establishment how) const {
  if (auto* value = values_.find(which))
    return *value;
  auto& info = info_of(which);
  switch (which) {
  case id::use_temporary_local_address:
    return how == establishment::initiate ? preference::prefer : preference::avoid;
  case id::multipath:
    return how == establishment::listen ? multipath_mode::passive : multipath_mode::disabled;
  case id::tcp_user_timeout_changeable:
    return !is_explicit(id::conn_timeout);
  default:
    break;
  }
  if (info.rule != default_rule::follows)
    return default_value(which);
  auto followed = effective(info.followed, how);
  return info.type == property_type::boolean ? property_value{followed.truth()} : followed;
}

result<property_value> transport_properties::get(std::string_view name) const {
  if (auto match = find_property(name)) {
    auto value = get(match.info->id);
    auto* level = value.get_if<preference>();
    if (level && match.neatpy && match.info->neatpy == neatpy_rule::inverted)
      value = inverted(*level);
    return value;
  }
  if (auto* value = values_.find_foreign(name))
    return *value;
  return unknown_property(name);
}

preference transport_properties::preference_of(property_id which, establishment how) const {
  return effective(which, how).get_or(preference::no_preference);
}

// -- checking ----------------------------------------------------------------------------------

result<void> transport_properties::check() const {
  return failure_ ? result<void>{failure_} : result<void>{};
}

transport_properties reliable_inorder_stream() {
  return transport_properties{profile::reliable_inorder_stream};
}

transport_properties reliable_message() { return transport_properties{profile::reliable_message}; }

transport_properties unreliable_datagram() {
  return transport_properties{profile::unreliable_datagram};
}

namespace {

/// Two explicit values that no stack can meet together.
struct clash {
  id first;
  property_value first_value;
  id second;
  property_value second_value;
};

result<void> check_pairs(const transport_properties& x) {
  const std::initializer_list<clash> clashes{
      {id::reliability, preference::prohibit, id::per_msg_reliability, preference::require},
      {id::reliability, preference::prohibit, id::msg_reliable, true},
      {id::preserve_order, preference::prohibit, id::msg_ordered, true},
      {id::per_msg_reliability, preference::prohibit, id::msg_reliable, false},
  };
  for (auto& [first, first_value, second, second_value] : clashes) {
    if (!x.is_explicit(second) || x.get(first) != first_value || x.get(second) != second_value)
      continue;
    // Unreliable Messages are no contradiction on an unreliable transport.
    if (first == id::per_msg_reliability && x.preference_of(id::reliability) < preference::prefer)
      continue;
    return contradiction(said(first, first_value), said(second, second_value));
  }
  return {};
}

/// A minimum above the maximum.
result<void> check_rates(const transport_properties& x) {
  for (auto [low, high] : {std::pair{id::min_send_rate, id::max_send_rate},
                           std::pair{id::min_recv_rate, id::max_recv_rate}}) {
    auto least = x.number(low);
    auto most = x.number(high);
    if (least && most && *least > *most)
      return contradiction(said(low, *least), said(high, *most));
  }
  return {};
}

/// A checksum over everything, but only over a part.
result<void> check_checksums(const transport_properties& x) {
  for (auto [full, length] : {std::pair{id::full_checksum_send, id::msg_checksum_len},
                              std::pair{id::full_checksum_recv, id::recv_checksum_len}}) {
    // The default is Require as well, but gives way to an explicit length.
    if (x.is_explicit(full) && x.preference_of(full) == preference::require && x.number(length))
      return contradiction(said(full, preference::require), said(length, *x.number(length)));
  }
  return {};
}

/// An interface that is required and prohibited.
result<void> check_paths(const transport_properties& x) {
  for (auto which : {id::interface, id::pvd}) {
    auto list = x.get(which).get_or(interface_preferences{});
    for (auto& entry : list) {
      interface_preference opposite{preference::prohibit, entry.name};
      if (entry.level == preference::require &&
          std::find(list.begin(), list.end(), opposite) != list.end()) {
        std::string name{to_string(which)};
        return contradiction(name + " = Require(" + entry.name + ")",
                             name + " = Prohibit(" + entry.name + ")");
      }
    }
  }
  return {};
}

}  // namespace

result<void> check_consistency(const transport_properties& x) {
  for (auto outcome :
       {x.check(), check_pairs(x), check_rates(x), check_checksums(x), check_paths(x)})
    if (!outcome)
      return outcome;
  return {};
}

}  // namespace taps
