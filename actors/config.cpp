#include "taps/actors/config.hpp"

#include <algorithm>

namespace taps {

bool preconnection_config::framing_preserves_boundaries() const {
  return std::any_of(framers.begin(), framers.end(),
                     [](const auto& make) { return make()->preserves_boundaries(); });
}

}  // namespace taps
