#include "taps/actors/messages.hpp"

#include <caf/atom.hpp>
#include <caf/make_message.hpp>

#include <algorithm>

namespace taps {

// -- property_list ------------------------------------------------------------------------

property_list::property_list(connection_properties properties, connection_facts facts)
    : source_(std::make_shared<source>(source{std::move(properties), std::move(facts)})) {}

property_value property_list::get(std::string_view name) const {
  if (source_) {
    auto value = source_->properties.get(name, source_->facts);
    return value ? *value : property_value{};
  }
  const auto match = find_property(name);
  const auto full = match ? match.info->name : name;
  auto i = std::find_if(list_.begin(), list_.end(), [&](const auto& x) { return x.name == full; });
  return i == list_.end() ? property_value{} : i->value;
}

std::vector<named_property> property_list::all() const {
  return source_ ? source_->properties.snapshot(source_->facts) : list_;
}

// -- event_set ------------------------------------------------------------------------------

std::string to_string(event_set x) {
  std::string result;
  const auto add = [&](event_set bit, std::string_view name) {
    if (has(x, bit))
      result.append(result.empty() ? "" : "|").append(name);
  };
  add(event_set::sent, "sent");
  add(event_set::soft_error, "soft_error");
  add(event_set::path_change, "path_change");
  return result.empty() ? "none" : result;
}

// -- errors -----------------------------------------------------------------------------------

namespace {

std::string text_of(const caf::message& context) {
  return context.match_elements<std::string>() ? context.get_as<std::string>(0) : std::string{};
}

}  // namespace

caf::error to_caf_error(const error& reason) {
  return {static_cast<std::uint8_t>(reason.reason()), caf::atom("taps"),
          caf::make_message(reason.text())};
}

error from_caf_error(const caf::error& reason) {
  if (reason.category() == caf::atom("taps"))
    return {static_cast<errc>(reason.code()), text_of(reason.context())};
  return {errc::protocol_failed, caf::to_string(reason)};
}

// -- registration ---------------------------------------------------------------------------------

void add_messages(caf::actor_system_config& config) {
  config.add_message_type<connection>("taps::connection")
      .add_message_type<listener>("taps::listener")
      .add_message_type<send_command>("taps::send_command")
      .add_message_type<receive_command>("taps::receive_command")
      .add_message_type<close_command>("taps::close_command")
      .add_message_type<abort_command>("taps::abort_command")
      .add_message_type<observe_command>("taps::observe_command")
      .add_message_type<clone_command>("taps::clone_command")
      .add_message_type<set_property_command>("taps::set_property_command")
      .add_message_type<get_properties_command>("taps::get_properties_command")
      .add_message_type<property_list>("taps::property_list")
      .add_message_type<get_report_command>("taps::get_report_command")
      .add_message_type<establishment_report>("taps::establishment_report")
      .add_message_type<grouped_connections_command>("taps::grouped_connections_command")
      .add_message_type<connection_list>("taps::connection_list")
      .add_message_type<stop_command>("taps::stop_command")
      .add_message_type<new_connection_limit_command>("taps::new_connection_limit_command")
      .add_message_type<ready>("taps::ready")
      .add_message_type<rendezvous_done>("taps::rendezvous_done")
      .add_message_type<establishment_error>("taps::establishment_error")
      .add_message_type<connection_received>("taps::connection_received")
      .add_message_type<stopped>("taps::stopped")
      .add_message_type<clone_error>("taps::clone_error")
      .add_message_type<sent>("taps::sent")
      .add_message_type<expired>("taps::expired")
      .add_message_type<send_error>("taps::send_error")
      .add_message_type<received>("taps::received")
      .add_message_type<received_partial>("taps::received_partial")
      .add_message_type<receive_error>("taps::receive_error")
      .add_message_type<soft_error>("taps::soft_error")
      .add_message_type<path_change>("taps::path_change")
      .add_message_type<closed>("taps::closed")
      .add_message_type<connection_error>("taps::connection_error");
  config.add_error_category(caf::atom("taps"),
                            [](std::uint8_t code, caf::atom_value, const caf::message& text) {
                              const error result{static_cast<errc>(code), text_of(text)};
                              return to_string(result);
                            });
}

}  // namespace taps
