// Property names and values as text, as from a command line: what is taken is a value that the
// property may have, and printed it means the same.

#include "taps/core/properties/property_table.hpp"
#include "taps/core/properties/transport_properties.hpp"
#include "taps/tests/fuzz/fuzz_input.hpp"

using namespace taps;
using namespace taps::testing;

namespace {

void check_value_text(const property_info& info, const std::string& text) {
  const auto value = parse_value(info, text);
  const auto where = std::string{info.name} + " = " + text;
  if (!value) {
    require(value.failure().text().find(info.name) != std::string::npos,
            "a failure names the property", where);
    return;
  }
  const auto checked = check_value(info, *value);
  require(checked && *checked == *value, "what is taken may be set", where);
  if (info.type == property_type::interface_list)
    return;
  // For people, so long numbers may lose their end: but once only.
  const auto printed = to_string(*value);
  const auto again = parse_value(info, printed);
  require(again.has_value(), "what is printed can be read", where + " printed " + printed);
  require(to_string(*again) == printed, "what is read means the same", where);
}

void check_set(const std::string& name, const std::string& text) {
  transport_properties properties;
  const auto untouched = properties;
  if (const auto done = properties.set_text(name, text); !done) {
    require(!done.failure().text().empty(), "a failure has a text", name);
    require(properties == untouched, "a failure changes nothing", name + " = " + text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz_input input{data, size};
  const auto all = all_properties();
  const auto& info = all[input.below(all.size())];
  auto name = std::string{info.name};
  // Another spelling, or a name that may be none.
  if (const auto at = input.byte(); at < 128 && !name.empty())
    name[at % name.size()] = static_cast<char>(input.byte());
  constexpr std::string_view words[]{
      "",     "require", "prohibit:",           "prefer:",   "unlimited", "-1",
      "true", "1e308",   "9223372036854775807", "0.0000001", "infinite",  "scavenger,",
      "min",  "ms"};
  const auto prefix = std::string{words[input.below(std::size(words))]};
  const auto text = prefix + input.text("0123456789.-+e,: smuneifr");
  check_value_text(info, text);
  check_value_text(info, prefix);
  check_value_text(info, text.substr(0, 6));
  const auto match = find_property(name);
  require(!match || find_property(match.info->name).info == match.info,
          "a property has one name of the RFC", name);
  check_set(name, text);
  return 0;
}
