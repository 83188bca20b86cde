#include "taps/core/properties/property_table.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace taps {

namespace {

using type = property_type;

// -- what is allowed ---------------------------------------------------------------------------

template<class Enum>
struct values_of;
template<>
struct values_of<preference> {
  static constexpr preference all[]{preference::require, preference::prefer,
                                    preference::no_preference, preference::avoid,
                                    preference::prohibit};
};
template<>
struct values_of<multipath_mode> {
  static constexpr multipath_mode all[]{multipath_mode::disabled, multipath_mode::active,
                                        multipath_mode::passive};
};
template<>
struct values_of<direction> {
  static constexpr direction all[]{direction::bidirectional, direction::unidirectional_send,
                                   direction::unidirectional_receive};
};
template<>
struct values_of<capacity_profile> {
  static constexpr capacity_profile all[]{
      capacity_profile::default_profile,         capacity_profile::scavenger,
      capacity_profile::low_latency_interactive, capacity_profile::low_latency_non_interactive,
      capacity_profile::constant_rate_streaming, capacity_profile::capacity_seeking};
};
template<>
struct values_of<scheduler> {
  static constexpr scheduler all[]{
      scheduler::first_come_first_served, scheduler::round_robin,
      scheduler::round_robin_per_packet,  scheduler::priority,
      scheduler::fair_capacity,           scheduler::weighted_fair_queueing};
};
template<>
struct values_of<multipath_policy> {
  static constexpr multipath_policy all[]{multipath_policy::handover, multipath_policy::interactive,
                                          multipath_policy::aggregate};
};
template<>
struct values_of<connection_state> {
  static constexpr connection_state all[]{connection_state::establishing,
                                          connection_state::established, connection_state::closing,
                                          connection_state::closed};
};

/// Calls `f` with a value-initialized object of the enumeration behind `x`; returns `otherwise` for
/// types that are none.
template<class Result, class F>
Result with_enum(type x, Result otherwise, F f) {
  switch (x) {
  case type::preference:
    return f(preference{});
  case type::multipath_mode:
    return f(multipath_mode{});
  case type::direction:
    return f(direction{});
  case type::capacity_profile:
    return f(capacity_profile{});
  case type::scheduler:
    return f(scheduler{});
  case type::multipath_policy:
    return f(multipath_policy{});
  case type::connection_state:
    return f(connection_state{});
  default:
    return otherwise;
  }
}

template<class Enum>
bool is_value(Enum x) {
  return std::find(std::begin(values_of<Enum>::all), std::end(values_of<Enum>::all), x) !=
         std::end(values_of<Enum>::all);
}

std::string range_text(const property_info& info) {
  if (info.max != std::numeric_limits<std::int64_t>::max())
    return std::to_string(info.min) + " to " + std::to_string(info.max);
  return std::to_string(info.min) + " or more";
}

/// Returns what may follow "must be".
std::string allowed(const property_info& info) {
  std::string result;
  if (info.type == type::boolean)
    result = "true or false";
  else if (info.type == type::integer)
    result = range_text(info);
  else if (info.type == type::time_span)
    result = "a duration above 0";
  else if (info.type == type::text)
    result = "text";
  else if (info.type == type::interface_list)
    result = "a list of preferences with distinct, non-empty names";
  else
    result = with_enum(info.type, std::string{}, [](auto x) {
      std::string names;
      for (auto value : values_of<decltype(x)>::all)
        (names += names.empty() ? "one of " : ", ") += to_string(value);
      return names;
    });
  if (info.special_value)
    (result += ", or ") += to_string(*info.special_value);
  return result;
}

error bad_value(const property_info& info, std::string_view given) {
  std::string text{info.name};
  ((text += ": ") += given) += ": must be ";
  return {errc::invalid_configuration, text + allowed(info)};
}

bool valid_list(const interface_preferences& x) {
  for (auto i = x.begin(); i != x.end(); ++i) {
    if (i->name.empty() || !is_value(i->level))
      return false;
    // An entry that is required and prohibited is for check_consistency to report.
    if (std::find(x.begin(), i, *i) != i)
      return false;
  }
  return true;
}

/// Tells whether a value that is not the special one suits.
bool suits(const property_info& info, const property_value& value) {
  switch (info.type) {
  case type::boolean:
    return value.holds<bool>();
  case type::integer: {
    auto* number = value.get_if<std::int64_t>();
    return number && *number >= info.min && *number <= info.max;
  }
  case type::time_span: {
    auto* time = value.get_if<duration>();
    return time && *time > duration::zero();
  }
  case type::text:
    return value.holds<std::string>();
  case type::interface_list: {
    auto* list = value.get_if<interface_preferences>();
    return list && valid_list(*list);
  }
  default:
    return with_enum(info.type, false, [&](auto x) {
      auto* typed = value.get_if<decltype(x)>();
      return typed && is_value(*typed);
    });
  }
}

// -- text ----------------------------------------------------------------------------------------

std::string folded(std::string_view text) {
  std::string result;
  for (auto c : text) {
    if (c >= 'A' && c <= 'Z')
      result += static_cast<char>(c - 'A' + 'a');
    else if (c != ' ' && c != '-' && c != '_' && c != '/')
      result += c;
  }
  return result;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

template<class Enum>
std::optional<Enum> parse_enum(std::string_view text) {
  auto wanted = folded(text);
  for (auto value : values_of<Enum>::all)
    if (folded(to_string(value)) == wanted)
      return value;
  if constexpr (std::is_same_v<Enum, preference>)
    if (wanted == "ignore")
      return preference::no_preference;
  return std::nullopt;
}

std::optional<bool> parse_bool(std::string_view text) {
  auto word = folded(text);
  if (word == "true" || word == "yes" || word == "on" || word == "1")
    return true;
  if (word == "false" || word == "no" || word == "off" || word == "0")
    return false;
  return std::nullopt;
}

/// Reads a number at the front of `text` and removes it.
template<class Number>
std::optional<Number> take_number(std::string_view& text) {
  Number result{};
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), result);
  if (failed != std::errc{})
    return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return result;
}

std::optional<property_value> parse_integer(std::string_view text) {
  auto number = take_number<std::int64_t>(text);
  if (!number || !text.empty())
    return std::nullopt;
  return property_value{*number};
}

std::optional<property_value> parse_duration(std::string_view text) {
  auto number = take_number<double>(text);
  if (!number || *number != *number)
    return std::nullopt;
  using namespace std::chrono;
  auto unit = folded(text);
  if (unit.empty() || unit == "s")
    return property_value{std::chrono::duration<double>{*number}};
  if (unit == "ms")
    return property_value{std::chrono::duration<double, std::milli>{*number}};
  if (unit == "us")
    return property_value{std::chrono::duration<double, std::micro>{*number}};
  if (unit == "ns")
    return property_value{std::chrono::duration<double, std::nano>{*number}};
  if (unit == "min")
    return property_value{std::chrono::duration<double, std::ratio<60>>{*number}};
  return std::nullopt;
}

std::optional<property_value> parse_list(std::string_view text) {
  interface_preferences list;
  for (text = trimmed(text); !text.empty();) {
    auto entry = trimmed(text.substr(0, text.find(',')));
    text.remove_prefix(std::min(text.size(), text.find(',') + (text.find(',') != text.npos)));
    auto colon = entry.find(':');
    auto level = parse_enum<preference>(entry.substr(0, colon));
    if (!level || colon == entry.npos)
      return std::nullopt;
    list.push_back({*level, std::string{trimmed(entry.substr(colon + 1))}});
  }
  return property_value{std::move(list)};
}

std::optional<property_value> parse(const property_info& info, std::string_view text) {
  if (info.special_value) {
    auto word = folded(text);
    if (word == folded(to_string(*info.special_value)) ||
        (word == "full" && *info.special_value == special::full_coverage))
      return property_value{*info.special_value};
  }
  switch (info.type) {
  case type::boolean:
    if (auto value = parse_bool(text))
      return property_value{*value};
    return std::nullopt;
  case type::integer:
    return parse_integer(text);
  case type::time_span:
    return parse_duration(text);
  case type::text:
    return property_value{text};
  case type::interface_list:
    return parse_list(text);
  default:
    return with_enum(info.type, std::optional<property_value>{},
                     [&](auto x) -> std::optional<property_value> {
                       if (auto value = parse_enum<decltype(x)>(text))
                         return property_value{*value};
                       return std::nullopt;
                     });
  }
}

}  // namespace

property_value default_value(property_id which) {
  auto& info = info_of(which);
  if (!info.default_number) {
    if (info.special_value)
      return *info.special_value;
    return info.type == type::text ? property_value{std::string{}}
                                   : property_value{interface_preferences{}};
  }
  auto number = *info.default_number;
  if (info.type == type::boolean)
    return number != 0;
  return with_enum(info.type, property_value{number},
                   [&](auto x) { return property_value{static_cast<decltype(x)>(number)}; });
}

result<property_value> check_value(const property_info& info, property_value value) {
  if (auto* odd = value.get_if<special>()) {
    if (info.special_value == *odd)
      return value;
    return bad_value(info, to_string(*odd));
  }
  // RFC 9622 speaks of plain numbers, and gives seconds where it gives a unit.
  if (auto* number = value.get_if<std::int64_t>(); number && info.type == type::time_span)
    value = std::chrono::duration<double>{static_cast<double>(*number)};
  if (!suits(info, value)) {
    auto given = to_string(value);
    return bad_value(info, given.empty() ? "\"\"" : given);
  }
  return value;
}

result<property_value> from_neatpy(const property_info& info, property_value value) {
  auto* number = value.get_if<std::int64_t>();
  if (number && info.special_value && info.neatpy == neatpy_rule::minus_one && *number == -1)
    return property_value{*info.special_value};
  if (number) {
    // NEATPy's enumerations are numbers: the same ones as ours.
    if (info.type == type::preference && *number >= -2 && *number <= 2)
      value = static_cast<preference>(*number);
    else if (info.type == type::capacity_profile && *number >= 0 && *number <= 63)
      value = static_cast<capacity_profile>(*number);
  }
  if (auto* level = value.get_if<preference>()) {
    if (info.neatpy == neatpy_rule::inverted)
      value = inverted(*level);
  }
  return check_value(info, std::move(value));
}

result<property_value> parse_value(const property_info& info, std::string_view text) {
  if (auto value = parse(info, trimmed(text)))
    return check_value(info, std::move(*value));
  return bad_value(info, text.empty() ? "\"\"" : text);
}

error unknown_property(std::string_view name) {
  std::string text{name};
  return {errc::invalid_configuration,
          text.empty() ? "a property without a name" : text + ": there is no such property"};
}

error read_only_property(const property_info& info) {
  std::string text{info.name};
  return {errc::read_only, text + " is read-only"};
}

}  // namespace taps
