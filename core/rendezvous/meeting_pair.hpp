#pragma once

#include "taps/core/endpoint/socket_address.hpp"

#include <cstddef>

namespace taps {

/// What a Rendezvous tries: a local address, by its number, and a remote one.
struct meeting_pair {
  std::size_t base = 0;
  socket_address remote;

  friend auto operator<=>(const meeting_pair&, const meeting_pair&) noexcept = default;
};

/// Whether two addresses are the same place; the scope is the local host's business.
[[nodiscard]] inline bool same_place(const socket_address& x, const socket_address& y) noexcept {
  return x.address == y.address && x.port == y.port;
}

}  // namespace taps
