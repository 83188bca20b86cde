#include "taps/actors/config.hpp"

#include "taps/core/message/framer_stack.hpp"

namespace taps {

bool preconnection_config::framing_preserves_boundaries() const {
  return preserves_boundaries(framers);
}

}  // namespace taps
