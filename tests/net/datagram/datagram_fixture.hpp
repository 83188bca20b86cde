#pragma once

#include "taps/net/datagram/acceptor.hpp"
#include "taps/net/transports/udp/transport.hpp"
#include "taps/net/transports/udplite/transport.hpp"
#include "taps/tests/support/recording_sink/plain_socket.hpp"
#include "taps/tests/support/recording_sink/recording_sink.hpp"
#include "taps/tests/support/scripted_kernel/scripted_kernel.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

namespace taps::testing {

/// A loop with one kind of datagrams on a kernel that can be scripted.
class datagram_fixture : public ::testing::TestWithParam<const datagram_kind*> {
protected:
  static socket_address loopback(ip_family family = ip_family::v4) {
    return {ip_address::loopback(family), 0, 0};
  }

  static plain_socket unbound(ip_family family = ip_family::v4) {
    return {family == ip_family::v4 ? AF_INET : AF_INET6, SOCK_DGRAM, GetParam()->protocol};
  }
  static plain_socket bound(ip_family family = ip_family::v4) {
    auto result = unbound(family);
    EXPECT_EQ(result.bind(loopback(family)), 0);
    return result;
  }

  socket_address listen(const socket_address& local = loopback()) {
    listen_request request;
    request.local = local;
    auto made = transport.listen(request, inbound);
    EXPECT_TRUE(made) << to_string(made.failure());
    listener = std::move(*made);
    return {local.address.is_any() ? ip_address::loopback(local.address.family()) : local.address,
            listener->local().port, 0};
  }

  /// Starts a Connection and waits until it is ready; the descriptor goes to `fd`.
  void start(recording_sink& sink, const socket_address& remote,
             std::shared_ptr<const transport_properties> properties = nullptr) {
    connect_request request;
    request.remote = remote;
    request.properties = std::move(properties);
    os.forget_calls();
    auto made = transport.connect(request, sink);
    ASSERT_TRUE(made) << to_string(made.failure());
    sink.adopt(std::move(*made));
    for (const auto& call : os.calls()) {
      if (call.name == "socket")
        fd = static_cast<int>(call.answer);
    }
    EXPECT_EQ(sink.ready, 0) << "never from inside";
    ASSERT_TRUE(run([&] { return sink.ready == 1; }));
  }

  bool run(const std::function<bool()>& done) { return run_until(loop, done); }

  scripted_kernel os;
  reactor loop{os};
  datagram_transport transport{loop, *GetParam()};
  recording_acceptor_sink inbound;
  std::unique_ptr<acceptor> listener;
  recording_sink client;
  int fd = -1;
};

/// Has the tests of a suite run for each kind.
#define TAPS_FOR_ALL_DATAGRAMS(suite)                                                              \
  INSTANTIATE_TEST_SUITE_P(, suite, ::testing::Values(&udp_kind(), &udplite_kind()),               \
                           [](const auto& x) { return std::string{x.param->descriptor.name}; })

}  // namespace taps::testing
