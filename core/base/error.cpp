#include "taps/core/base/error.hpp"

#include <array>
#include <cerrno>
#include <system_error>

namespace taps {

namespace {

constexpr std::array<std::string_view, 18> names{
    "None",
    "InvalidConfiguration",
    "NoCandidates",
    "ResolutionFailed",
    "EstablishmentFailed",
    "PolicyProhibited",
    "NotCloneable",
    "MessageTooLarge",
    "ProtocolFailed",
    "InvalidMessageProperties",
    "DeframingFailed",
    "ConnectionAborted",
    "Timeout",
    "NoMoreData",
    "LocalAbort",
    "ConnectionClosed",
    "NotSupported",
    "ReadOnly",
};
static_assert(names.size() == static_cast<std::size_t>(errc::read_only) + 1);

}  // namespace

std::string_view to_string(errc reason) noexcept {
  auto index = static_cast<std::size_t>(reason);
  return index < names.size() ? names[index] : "Unknown";
}

std::string to_string(const error& what) {
  std::string result{to_string(what.reason())};
  if (!what.text().empty()) {
    result += ": ";
    result += what.text();
  }
  return result;
}

bool is_shortage(const error& x) noexcept {
  switch (x.os_code()) {
  case EMFILE:
  case ENFILE:
  case ENOBUFS:
  case ENOMEM:
  case ENOSPC:
    return true;
  default:
    return false;
  }
}

error os_error(errc reason, std::string_view what, int os_code) {
  std::string text{what};
  text += ": ";
  text += std::generic_category().message(os_code);
  return {reason, std::move(text), os_code};
}

}  // namespace taps
