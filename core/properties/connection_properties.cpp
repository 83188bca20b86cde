#include "taps/core/properties/connection_properties.hpp"

#include <algorithm>
#include <utility>

namespace taps {

namespace {

using id = property_id;

property_value or_not_applicable(const std::optional<std::uint64_t>& x) {
  return x ? property_value{*x} : property_value{special::not_applicable};
}

std::string text_of(const std::optional<socket_address>& x) {
  return x ? to_string(*x) : std::string{};
}

property_value fact(id which, const connection_facts& facts) {
  switch (which) {
  case id::conn_state:
    return facts.state;
  case id::can_send:
    return facts.can_send;
  case id::can_receive:
    return facts.can_receive;
  case id::singular_transmission_msg_max_len:
    return or_not_applicable(facts.singular_transmission_msg_max_len);
  case id::send_msg_max_len:
    return facts.send_msg_max_len;
  case id::recv_msg_max_len:
    return facts.recv_msg_max_len;
  case id::zero_rtt_msg_max_len:
    return or_not_applicable(facts.zero_rtt_msg_max_len);
  case id::stack:
    return facts.stack;
  case id::local_endpoint:
    return text_of(facts.local_endpoint);
  case id::remote_endpoint:
    return text_of(facts.remote_endpoint);
  case id::queued_bytes:
    return facts.queued_bytes;
  case id::security_info:
    return facts.security_info;
  default:
    return special::not_applicable;
  }
}

}  // namespace

connection_properties::connection_properties(std::shared_ptr<const transport_properties> initial,
                                             establishment how)
    : initial_(std::move(initial)), how_(how) {
  // Those without any share one object of all defaults.
  static const auto none = std::make_shared<const transport_properties>();
  if (!initial_)
    initial_ = none;
}

connection_properties::connection_properties(const connection_properties& other)
    : initial_(other.initial_),
      overrides_(other.overrides_ ? std::make_unique<property_set>(*other.overrides_) : nullptr),
      how_(other.how_) {}

connection_properties& connection_properties::operator=(const connection_properties& other) {
  if (this != &other)
    *this = connection_properties{other};
  return *this;
}

void connection_properties::take_back(property_id id) {
  if (overrides_)
    overrides_->erase(id);
}

property_set& connection_properties::overrides() {
  if (!overrides_)
    overrides_ = std::make_unique<property_set>();
  return *overrides_;
}

const property_value* connection_properties::find(property_id which) const noexcept {
  return overrides_ ? overrides_->find(which) : nullptr;
}

// -- setting -----------------------------------------------------------------------------------

result<void> connection_properties::set(property_id which, property_value value) {
  auto& info = info_of(which);
  if (info.kind == property_kind::selection)
    return {errc::read_only,
            std::string{info.name} + " is a Selection Property: it cannot change on a Connection"};
  if (!info.writable())
    return read_only_property(info);
  auto checked = check_value(info, std::move(value));
  if (!checked)
    return checked.failure();
  auto& target = overrides();
  target.set(which, std::move(*checked));
  // An explicit timeout is not for the peer to change (RFC 9622, section 8.2.3).
  if (which == id::conn_timeout)
    target.set(id::tcp_user_timeout_changeable, false);
  return {};
}

result<void> connection_properties::set(std::string_view name, property_value value) {
  auto match = find_property(name);
  if (!match) {
    if (classify_foreign(name) == foreign_name::unknown)
      return unknown_property(name);
    overrides().set_foreign(name, std::move(value));
    return {};
  }
  auto& info = *match.info;
  if (!match.neatpy || !info.writable_on_connection())
    return set(info.id, std::move(value));
  auto converted = from_neatpy(info, std::move(value));
  if (!converted)
    return converted.failure();
  if (info.neatpy == neatpy_rule::both_flags)
    overrides().set(id::no_segmentation, *converted);
  return set(info.id, std::move(*converted));
}

// -- reading -----------------------------------------------------------------------------------

property_value connection_properties::get(property_id which) const {
  if (auto* value = find(which))
    return *value;
  auto& info = info_of(which);
  // A value that follows another one follows it after changes, too.
  if (info.rule == default_rule::follows && !initial_->is_explicit(which))
    if (auto* followed = find(info.followed))
      return *followed;
  return initial_->effective(which, how_);
}

property_value connection_properties::get(property_id which, const connection_facts& facts) const {
  auto& info = info_of(which);
  if (info.kind == property_kind::read_only)
    return fact(which, facts);
  auto provided = [&](id x) { return facts.provided.test(static_cast<std::size_t>(x)); };
  if (facts.established && info.kind == property_kind::selection &&
      info.type == property_type::preference)
    return provided(which);
  // Their defaults are what the stack turned out to provide.
  bool queried = which == id::msg_ordered || which == id::msg_reliable;
  if (facts.established && queried && !find(which) && !initial_->is_explicit(which))
    return provided(info.followed);
  return get(which);
}

result<property_value> connection_properties::get(std::string_view name,
                                                  const connection_facts& facts) const {
  if (auto match = find_property(name)) {
    auto value = get(match.info->id, facts);
    if (!match.neatpy || match.info->neatpy != neatpy_rule::inverted)
      return value;
    if (auto* level = value.get_if<preference>())
      return property_value{inverted(*level)};
    return property_value{!value.truth()};
  }
  if (overrides_)
    if (auto* value = overrides_->find_foreign(name))
      return *value;
  return initial_->get(name);
}

std::vector<named_property> connection_properties::snapshot(const connection_facts& facts) const {
  std::vector<named_property> result;
  result.reserve(num_properties);
  for (auto& info : all_properties())
    if (info.kind != property_kind::received)
      result.push_back({std::string{info.name}, get(info.id, facts)});
  auto foreign = overrides_ ? *overrides_ : property_set{};
  for (auto& [name, value] : initial_->explicit_values().foreign())
    if (!foreign.find_foreign(name))
      foreign.set_foreign(name, value);
  for (auto& [name, value] : foreign.foreign())
    result.push_back({name, value});
  return result;
}

}  // namespace taps
