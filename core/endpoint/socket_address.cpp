#include "taps/core/endpoint/socket_address.hpp"

namespace taps {

std::string to_string(const socket_address& x) {
  const auto port = ":" + std::to_string(x.port);
  const auto scope = x.scope != 0 ? "%" + std::to_string(x.scope) : std::string{};
  if (x.address.is_v4())
    return to_string(x.address) + scope + port;
  return "[" + to_string(x.address) + scope + "]" + port;
}

}  // namespace taps

std::size_t
std::hash<taps::socket_address>::operator()(const taps::socket_address& x) const noexcept {
  const auto rest = (std::uint64_t{x.scope} << 16 | x.port) + 1;
  return std::hash<taps::ip_address>{}(x.address) ^
         static_cast<std::size_t>(rest * 0x9e3779b97f4a7c15ull);
}
