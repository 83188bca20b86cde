#pragma once

#include "taps/tests/conformance/support/fixture.hpp"
#include "taps/tests/conformance/support/name_server.hpp"

namespace taps::testing {

/// Keeps the name server alive for longer than who asks it.
class with_name_server {
protected:
  name_server names_;
};

/// Transport services that ask a name server of the test, so that no query leaves the machine.
class conformance_names : protected with_name_server, public conformance {
protected:
  conformance_names() : conformance(asking(names_.address())) {}

  static transport_services_options asking(const std::string& server) {
    auto result = options();
    result.dns.servers = {server};
    return result;
  }
};

}  // namespace taps::testing
