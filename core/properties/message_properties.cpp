#include "taps/core/properties/message_properties.hpp"

#include <string>

namespace taps {

namespace {

using id = property_id;

/// Calls `f` with the member behind a property; returns `otherwise` if there is none.
template<class Properties, class Result, class F>
Result with_member(Properties& x, id which, Result otherwise, F f) {
  switch (which) {
  case id::msg_lifetime:
    return f(x.lifetime);
  case id::msg_priority:
    return f(x.priority);
  case id::msg_ordered:
    return f(x.ordered);
  case id::safely_replayable:
    return f(x.safely_replayable);
  case id::final:
    return f(x.final);
  case id::msg_checksum_len:
    return f(x.checksum_length);
  case id::msg_reliable:
    return f(x.reliable);
  case id::msg_capacity_profile:
    return f(x.capacity_profile);
  case id::no_fragmentation:
    return f(x.no_fragmentation);
  case id::no_segmentation:
    return f(x.no_segmentation);
  default:
    return otherwise;
  }
}

/// A special value as the member stores it.
template<class T>
constexpr T beyond_any = T{};
template<>
constexpr duration beyond_any<duration> = infinite_lifetime;
template<>
constexpr std::int64_t beyond_any<std::int64_t> = full_checksum;

error not_of_messages(const property_info& info) {
  std::string text{info.name};
  ((text += " is no Message Property but a ") += to_string(info.kind));
  return {errc::invalid_configuration, std::move(text)};
}

template<class T>
property_value as_value(id which, T x) {
  auto& info = info_of(which);
  if constexpr (std::is_same_v<T, duration> || std::is_same_v<T, std::int64_t>)
    if (info.special_value && x == beyond_any<T>)
      return *info.special_value;
  return x;
}

}  // namespace

result<void> message_properties::set(property_id which, property_value value) {
  auto& info = info_of(which);
  if (info.kind != property_kind::message)
    return info.writable() ? not_of_messages(info) : read_only_property(info);
  auto checked = check_value(info, std::move(value));
  if (!checked)
    return checked.failure();
  with_member(*this, which, false, [&](auto& member) {
    using type = typename std::remove_reference_t<decltype(member)>::value_type;
    member = checked->template get_or<type>(beyond_any<type>);
    return true;
  });
  return {};
}

result<void> message_properties::set(std::string_view name, property_value value) {
  auto match = find_property(name);
  if (!match)
    return unknown_property(name);
  auto& info = *match.info;
  if (!match.neatpy || info.kind != property_kind::message)
    return set(info.id, std::move(value));
  auto converted = from_neatpy(info, std::move(value));
  if (!converted)
    return converted.failure();
  if (info.neatpy == neatpy_rule::both_flags)
    no_segmentation = converted->get_or(false);
  return set(info.id, std::move(*converted));
}

std::optional<property_value> message_properties::get(property_id which) const {
  return with_member(*this, which, std::optional<property_value>{},
                     [&](auto& member) -> std::optional<property_value> {
                       if (member)
                         return as_value(which, *member);
                       return std::nullopt;
                     });
}

result<std::optional<property_value>> message_properties::get(std::string_view name) const {
  auto match = find_property(name);
  if (!match)
    return unknown_property(name);
  if (match.info->kind != property_kind::message)
    return not_of_messages(*match.info);
  return get(match.info->id);
}

void message_properties::reset(property_id which) {
  with_member(*this, which, false, [](auto& member) {
    member.reset();
    return true;
  });
}

result<void> message_properties::check() const {
  for (auto& info : all_properties()) {
    if (info.kind != property_kind::message)
      continue;
    if (auto value = get(info.id))
      if (auto checked = check_value(info, std::move(*value)); !checked)
        return checked.failure();
  }
  return {};
}

std::vector<property_set::entry> message_properties::entries() const {
  std::vector<property_set::entry> result;
  for (auto& info : all_properties())
    if (auto value = get(info.id))
      result.push_back({info.id, std::move(*value)});
  return result;
}

void message_properties::assign(const std::vector<property_set::entry>& entries) {
  *this = {};
  for (auto& [which, value] : entries)
    // What does not suit came from a faulty peer; it is left out.
    static_cast<void>(set(which, value));
}

}  // namespace taps
