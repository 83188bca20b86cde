#include "taps/actors/config.hpp"

#include "taps/core/message/framer_stack.hpp"

namespace taps {

bool preconnection_config::framing_preserves_boundaries() const {
  return preserves_boundaries(framers);
}

config_ptr isolated(const config_ptr& config) {
  if (!config->history || !config->properties->flag(property_id::isolate_session))
    return config;
  auto result = std::make_shared<preconnection_config>(*config);
  result->history = std::make_shared<shared_history>(config->history->options());
  return result;
}

}  // namespace taps
