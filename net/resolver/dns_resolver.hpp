#pragma once

#include "taps/core/transport/resolver.hpp"
#include "taps/net/reactor/reactor.hpp"

#include <memory>

namespace taps {

/// How names are looked up; everything empty means: as the system is configured.
struct dns_options {
  /// Servers instead of those of the system, as `address`, `address:port` or `[address]:port`.
  std::vector<std::string> servers;
  /// How long one try may take, and how many tries there are.
  std::chrono::milliseconds timeout{2000};
  int tries = 3;
  /// Reads this instead of /etc/hosts; for tests.
  std::string hosts_file;
};

/// Makes the resolver of a shard.
[[nodiscard]] result<std::unique_ptr<resolver>> make_dns_resolver(reactor& loop,
                                                                  const dns_options& options = {});

}  // namespace taps
