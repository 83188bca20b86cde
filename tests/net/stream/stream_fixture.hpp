#pragma once

#include "taps/net/transports/mptcp/transport.hpp"
#include "taps/net/transports/tcp/transport.hpp"
#include "taps/tests/support/recording_sink/plain_socket.hpp"
#include "taps/tests/support/recording_sink/recording_sink.hpp"
#include "taps/tests/support/scripted_kernel/scripted_kernel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace taps::testing {

/// A loop with one kind of byte streams on a kernel that can be scripted.
class stream_fixture : public ::testing::TestWithParam<const stream_kind*> {
protected:
  /// The plain kind, of which the others are extensions.
  static bool is_plain() { return GetParam() == &tcp_kind(); }

  static socket_address loopback(ip_family family = ip_family::v4) {
    return {ip_address::loopback(family), 0, 0};
  }

  socket_address listen(ip_family family = ip_family::v4) {
    listen_request request;
    request.local = loopback(family);
    auto made = transport.listen(request, inbound);
    EXPECT_TRUE(made) << to_string(made.failure());
    listener = std::move(*made);
    return listener->local();
  }

  /// Starts to connect; the descriptor goes to `fd`.
  void start(recording_sink& sink, const connect_request& request) {
    os.forget_calls();
    auto made = transport.connect(request, sink);
    ASSERT_TRUE(made) << to_string(made.failure());
    sink.instance = std::move(*made);
    for (const auto& call : os.calls()) {
      if (call.name == "socket")
        fd = static_cast<int>(call.answer);
    }
  }
  void start(recording_sink& sink, const socket_address& remote) {
    connect_request request;
    request.remote = remote;
    start(sink, request);
  }

  /// Connects `client` and `peer`, a program without Tapline.
  void connect_to_peer(std::shared_ptr<const transport_properties> properties = nullptr) {
    auto waiting = plain_socket::listening();
    connect_request request;
    request.remote = waiting.local();
    request.properties = std::move(properties);
    start(client, request);
    peer = waiting.accept();
    ASSERT_TRUE(run([&] { return client.ready == 1; }));
  }

  bool run(const std::function<bool()>& done) { return run_until(loop, done); }

  /// Runs `work` beside the loop until it returns.
  void beside(const std::function<void()>& work) {
    std::atomic<bool> done = false;
    std::thread thread{[&] {
      work();
      done = true;
      loop.wake();
    }};
    EXPECT_TRUE(run([&] { return done.load(); }));
    thread.join();
  }

  int option(int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(fd, level, name, &value, &size);
    return value;
  }

  static std::string pattern(std::size_t size) {
    std::string result(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
      result[i] = static_cast<char>('a' + (i * 7 + i / 1000) % 26);
    return result;
  }

  scripted_kernel os;
  reactor loop{os};
  stream_transport transport{loop, *GetParam()};
  recording_acceptor_sink inbound;
  std::unique_ptr<acceptor> listener;
  recording_sink client;
  plain_socket peer;
  int fd = -1;
};

/// Has the tests of a suite run for each kind.
#define TAPS_FOR_ALL_STREAMS(suite)                                                                \
  INSTANTIATE_TEST_SUITE_P(, suite, ::testing::Values(&tcp_kind(), &mptcp_kind()),                 \
                           [](const auto& x) { return std::string{x.param->descriptor.name}; })

}  // namespace taps::testing
