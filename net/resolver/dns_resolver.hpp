#pragma once

#include "taps/core/transport/resolver.hpp"
#include "taps/net/reactor/reactor.hpp"

#include <memory>
#include <string>
#include <vector>

namespace taps {

/// How names are looked up; everything empty means: as the system is configured when the resolver
/// is made. Where that names no server, the one of this machine is asked, never a public one.
struct dns_options {
  /// Servers instead of those of the system, as `address`, `address:port` or `[address]:port`.
  std::vector<std::string> servers{};
  /// How long the first try at a server may take (further rounds take twice as long as the one
  /// before), and how many tries each server gets.
  std::chrono::milliseconds timeout{2000};
  int tries = 3;
  /// Reads this instead of /etc/hosts; for tests. Changes are noticed. A name in the file is not
  /// asked for, not even for the family that the file has no address of.
  std::string hosts_file{};
  /// Questions leave by this interface only; empty for any.
  std::string interface {};
};

/// Makes the resolver of a shard. It must not outlive the reactor; queries that outlive the
/// resolver are cancelled. Answers are cached by their TTL; one question that several ask at a time
/// goes out once. Names below `localhost` are loopback, unasked (RFC 6761, section 6.3).
[[nodiscard]] result<std::unique_ptr<resolver>> make_dns_resolver(reactor& loop,
                                                                  const dns_options& options = {});

}  // namespace taps
