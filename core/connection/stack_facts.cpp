#include "taps/core/connection/stack_facts.hpp"

#include "taps/core/base/letters.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace taps {

namespace {

/// Which Selection Property reads back from which feature.
constexpr std::pair<feature, property_id> readable_features[] = {
    {feature::reliability, property_id::reliability},
    {feature::preserve_msg_boundaries, property_id::preserve_msg_boundaries},
    {feature::per_msg_reliability, property_id::per_msg_reliability},
    {feature::preserve_order, property_id::preserve_order},
    {feature::zero_rtt_msg, property_id::zero_rtt_msg},
    {feature::multistreaming, property_id::multistreaming},
    {feature::full_checksum_send, property_id::full_checksum_send},
    {feature::full_checksum_recv, property_id::full_checksum_recv},
    {feature::congestion_control, property_id::congestion_control},
    {feature::keep_alive, property_id::keep_alive},
    {feature::soft_error_notify, property_id::soft_error_notify},
    {feature::active_read_before_send, property_id::active_read_before_send},
};

bool honours(const transport_descriptor& stack, property_id what) {
  return std::find(stack.honours.begin(), stack.honours.end(), what) != stack.honours.end();
}

}  // namespace

void tell_facts(const channel& carrier, const transport_properties& asked, connection_facts& to) {
  const auto& instance = carrier.instance();
  const auto& stack = instance.spoken();
  const auto limits = instance.limits();
  to.singular_transmission_msg_max_len = limits.singular_transmission;
  to.send_msg_max_len = to.can_send ? limits.send : 0;
  to.recv_msg_max_len = to.can_receive ? limits.receive : 0;
  to.zero_rtt_msg_max_len = limits.zero_rtt;
  to.stack = stack.name;
  to.local_endpoint = instance.local();
  to.remote_endpoint = instance.remote();
  for (auto [what, id] : readable_features) {
    const auto how = stack.features.get(what);
    // What can be on or off is on when the application wanted it, unless the instance knows better.
    to.provides(id, how == support::always || (how == support::on_request &&
                                               instance.provides(what).value_or(
                                                   asked.preference_of(id) >= preference::prefer)));
  }
  to.provides(property_id::retransmit_notify,
              honours(stack, property_id::retransmit_notify) &&
                  asked.preference_of(property_id::retransmit_notify) >= preference::prefer);
  if (carrier.preserves_boundaries())
    to.provides(property_id::preserve_msg_boundaries);
}

result<void> check_specific(const transport_descriptor& stack, std::string_view name) {
  const auto match = find_property(name);
  const auto full = match ? match.info->name : name;
  const auto dot = full.find('.');
  // Vendors' namespaces begin with an underscore.
  if (dot == std::string_view::npos || full.front() == '_')
    return {};
  const auto space = full.substr(0, dot);
  if (std::equal(space.begin(), space.end(), stack.specific.begin(), stack.specific.end(),
                 [](char x, char y) { return to_lower(x) == y; }))
    return {};
  return {errc::not_supported, std::string{full} + ": this Connection speaks " +
                                   std::string{stack.name} + ", which has no such property"};
}

result<void> check_against(const transport_descriptor& stack, const message_properties& asked,
                           const connection_properties& own) {
  const auto invalid = [](std::string text) {
    return error{errc::invalid_message_properties, std::move(text)};
  };
  const auto never = [&](feature what) { return stack.features.get(what) == support::never; };
  if (never(feature::preserve_order) && asked.ordered.value_or(false))
    return invalid("msgOrdered: true, but " + std::string{stack.name} + " keeps no order");
  if (never(feature::reliability) && asked.reliable.value_or(false))
    return invalid("msgReliable: true, but " + std::string{stack.name} + " is not reliable");
  if (never(feature::replay_protection) &&
      !asked.safely_replayable.value_or(own.get(property_id::safely_replayable).get_or(false)))
    return invalid("safelyReplayable: false, but " + std::string{stack.name} +
                   " may deliver a Message twice");
  return {};
}

}  // namespace taps
