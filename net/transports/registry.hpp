#pragma once

#include "taps/core/transport/protocol.hpp"
#include "taps/net/reactor/reactor.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace taps {

/// Makes the transport of one protocol for one shard; null when the kernel lacks it.
using transport_factory = std::function<std::unique_ptr<transport>(reactor&)>;

/// The protocols that come with Tapline, each once: the only place that lists them.
[[nodiscard]] const std::vector<transport_factory>& builtin_transports();

}  // namespace taps
