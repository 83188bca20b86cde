#pragma once

#include "taps/actors/handles.hpp"

#include <caf/actor_addr.hpp>

#include <mutex>
#include <vector>

namespace taps {

/// The Connections that make a Connection Group (RFC 9622, section 7.4), in the order in which they
/// came. Keeps none of them alive. For all threads.
class connection_group {
public:
  void add(const caf::actor_addr& who);
  void remove(const caf::actor_addr& who);
  [[nodiscard]] connection_list members() const;

private:
  mutable std::mutex mutex_;
  std::vector<caf::actor_addr> members_;
};

}  // namespace taps
