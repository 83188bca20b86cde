#include "taps/core/candidate/stack.hpp"

#include "taps/core/base/letters.hpp"

#include <algorithm>

namespace taps {

namespace {

feature_vector combine(const feature_vector& below, const transport_descriptor& layer) {
  auto result = below;
  if (layer.unit == data_unit::byte_stream)
    result.set(feature::preserve_msg_boundaries, support::never);
  for (std::size_t i = 0; i < num_features; ++i) {
    const auto what = static_cast<feature>(i);
    if (layer.features.decides(what))
      result.set(what, layer.features.get(what));
  }
  return result;
}

bool encrypts(const transport_descriptor& x) noexcept {
  return x.features.get(feature::encryption) != support::never;
}

bool fits(const protocol_stack& below, const transport_descriptor& layer) {
  return layer.runs_over == below.unit && !below.multicast() &&
         !(encrypts(layer) && !below.security.empty()) &&
         std::find(below.parts.begin(), below.parts.end(), &layer) == below.parts.end();
}

void add_with_layers(protocol_stack stack,
                     const std::vector<const transport_descriptor*>& protocols,
                     std::vector<protocol_stack>& result) {
  result.push_back(stack);
  for (const auto* layer : protocols)
    if (fits(stack, *layer))
      add_with_layers(add_layer(stack, *layer), protocols, result);
}

}  // namespace

bool protocol_stack::falls_back_to(const protocol_stack& other) const noexcept {
  return base().falls_back_to == &other.base() &&
         std::equal(parts.begin() + 1, parts.end(), other.parts.begin() + 1, other.parts.end());
}

bool protocol_stack::uses(std::string_view protocol) const noexcept {
  return equal_but_for_case(name, protocol) ||
         std::any_of(parts.begin(), parts.end(),
                     [&](const auto* part) { return equal_but_for_case(part->name, protocol); });
}

protocol_stack make_stack(const transport_descriptor& base) {
  protocol_stack result;
  result.parts = {&base};
  result.name = base.name;
  result.unit = base.unit;
  result.features = base.features;
  result.honours = base.honours;
  std::sort(result.honours.begin(), result.honours.end());
  result.round_trips = base.round_trips;
  result.connectionless = base.connectionless;
  result.multiplexes = base.multiplexes;
  result.reach = base.reach;
  result.default_order = base.default_order;
  if (encrypts(base))
    result.security = base.name;
  return result;
}

protocol_stack add_layer(const protocol_stack& below, const transport_descriptor& layer) {
  auto result = below;
  result.parts.push_back(&layer);
  result.name = std::string{layer.name} + "/" + below.name;
  result.unit = layer.unit;
  result.features = combine(below.features, layer);
  auto& honours = result.honours;
  honours.insert(honours.end(), layer.honours.begin(), layer.honours.end());
  std::sort(honours.begin(), honours.end());
  honours.erase(std::unique(honours.begin(), honours.end()), honours.end());
  result.round_trips += layer.round_trips;
  result.connectionless = below.connectionless && layer.connectionless;
  if (layer.features.decides(feature::multistreaming))
    result.multiplexes = layer.multiplexes;
  else
    result.multiplexes = below.multiplexes || layer.multiplexes;
  if (layer.reach == reachability::unknown)
    result.reach = reachability::unknown;
  result.default_order += layer.default_order;
  if (encrypts(layer))
    result.security = layer.name;
  return result;
}

std::vector<protocol_stack>
compose_stacks(const std::vector<const transport_descriptor*>& protocols) {
  std::vector<protocol_stack> result;
  for (const auto* base : protocols)
    if (!base->runs_over)
      add_with_layers(make_stack(*base), protocols, result);
  return result;
}

}  // namespace taps
