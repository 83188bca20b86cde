#include "taps/core/transport/protocol.hpp"

#include "taps/core/transport/meeting.hpp"

namespace taps {

result<std::unique_ptr<protocol>> protocol::open_stream() {
  return {errc::not_supported, std::string{descriptor().name} + " carries one stream only"};
}

const transport_descriptor& protocol::spoken() const { return descriptor(); }

void acceptor::join(std::span<const std::uint32_t>) {}

result<void> protocol::set_property(property_id, const property_value&) { return {}; }

std::optional<bool> protocol::provides(feature) const { return std::nullopt; }

result<std::unique_ptr<meeting>> transport::meet(const meeting_request&, meeting_sink&) {
  return {errc::not_supported, std::string{descriptor().name} + " has no Rendezvous"};
}

}  // namespace taps
