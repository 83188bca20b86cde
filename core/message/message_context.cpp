#include "taps/core/message/message_context.hpp"

namespace taps {

namespace {

std::string metadata_key(std::string_view framer, std::string_view key) {
  std::string result{framer};
  result += '\0';
  result += key;
  return result;
}

const message_properties default_properties{};
const socket_address no_address{};

}  // namespace

// -- Message Properties -----------------------------------------------------------------

result<void> message_context::add(std::string_view property, const property_value& value) {
  auto changed = properties();
  if (auto done = changed.set(property, value); !done)
    return done;
  own().properties = std::move(changed);
  return {};
}

const message_properties& message_context::properties() const noexcept {
  return state_ ? state_->properties : default_properties;
}

message_context& message_context::with_properties(message_properties properties) {
  own().properties = std::move(properties);
  return *this;
}

message_context& message_context::with_safely_replayable(bool value) {
  own().properties.safely_replayable = value;
  return *this;
}

message_context& message_context::with_final(bool value) {
  own().properties.final = value;
  return *this;
}

// -- framer metadata ------------------------------------------------------------------------

message_context& message_context::add(std::string_view framer, std::string_view key,
                                      std::string_view value) {
  own().metadata.insert_or_assign(metadata_key(framer, key), std::string{value});
  return *this;
}

std::optional<std::string> message_context::get(std::string_view framer,
                                                std::string_view key) const {
  if (!state_)
    return std::nullopt;
  auto i = state_->metadata.find(metadata_key(framer, key));
  return i == state_->metadata.end() ? std::nullopt : std::optional{i->second};
}

// -- where and how a Message came ----------------------------------------------------------------

const socket_address& message_context::local_endpoint() const noexcept {
  return state_ ? state_->local : no_address;
}

const socket_address& message_context::remote_endpoint() const noexcept {
  return state_ ? state_->remote : no_address;
}

std::optional<std::uint8_t> message_context::ecn() const noexcept {
  if (!state_ || state_->ecn < 0)
    return std::nullopt;
  return static_cast<std::uint8_t>(state_->ecn);
}

bool message_context::early_data() const noexcept { return state_ && state_->early_data; }

bool message_context::final() const noexcept { return state_ && state_->final; }

message_context& message_context::set_endpoints(const socket_address& local,
                                                const socket_address& remote) {
  own().local = local;
  own().remote = remote;
  return *this;
}

message_context& message_context::set_ecn(std::uint8_t codepoint) {
  own().ecn = codepoint;
  return *this;
}

message_context& message_context::set_early_data(bool value) {
  own().early_data = value;
  return *this;
}

message_context& message_context::set_final(bool value) {
  own().final = value;
  return *this;
}

// -- identity -----------------------------------------------------------------------------------

std::shared_ptr<const message_properties> message_context::shared_properties() const noexcept {
  if (!state_)
    return nullptr;
  return {state_, &state_->properties};
}

message_context::state& message_context::own() {
  if (!state_)
    state_ = std::make_shared<state>();
  else if (state_.use_count() > 1)
    state_ = std::make_shared<state>(*state_);
  return *state_;
}

}  // namespace taps
