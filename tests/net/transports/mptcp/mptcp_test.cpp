// What goes over the wire, by the kernel's own counters, in a network namespace of our own.

#include "taps/net/transports/mptcp/descriptor.hpp"
#include "taps/net/transports/mptcp/transport.hpp"
#include "taps/net/transports/tcp/descriptor.hpp"
#include "taps/tests/support/network_namespace/network_namespace.hpp"
#include "taps/tests/support/recording_sink/plain_socket.hpp"
#include "taps/tests/support/recording_sink/recording_sink.hpp"

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <fstream>
#include <sstream>

namespace taps::testing {

namespace {

std::shared_ptr<const transport_properties> with(property_id id, property_value value) {
  return std::make_shared<transport_properties>(transport_properties{}.with(id, std::move(value)));
}

std::shared_ptr<const transport_properties> with(multipath_mode mode) {
  return with(property_id::multipath, mode);
}

/// Returns a counter of the namespace, such as how many SYNs offered several paths.
unsigned long counter(const std::string& name) {
  std::ifstream in{"/proc/self/net/netstat"};
  std::string names;
  std::string values;
  while (std::getline(in, names) && std::getline(in, values)) {
    std::istringstream keys{names};
    std::istringstream numbers{values};
    std::string key;
    std::string number;
    while (keys >> key && numbers >> number)
      if (key == name)
        return std::stoul(number);
  }
  ADD_FAILURE() << "the kernel does not count " << name;
  return 0;
}

unsigned long offers() { return counter("MPCapableSYNTX"); }

class mptcp_test : public ::testing::Test {
protected:
  void SetUp() override {
    TAPS_NEEDS_NAMESPACE();
    made_ = make_mptcp_transport(loop);
    if (made_ == nullptr)
      GTEST_SKIP() << "the kernel has no MPTCP";
  }

  socket_address listen(std::shared_ptr<const transport_properties> properties = nullptr) {
    listen_request request;
    request.local = {ip_address::loopback(ip_family::v4), 0, 0};
    request.properties = std::move(properties);
    auto made = made_->listen(request, inbound);
    EXPECT_TRUE(made) << to_string(made.failure());
    listener = std::move(*made);
    return listener->local();
  }

  void connect(const socket_address& remote,
               std::shared_ptr<const transport_properties> properties) {
    connect_request request;
    request.remote = remote;
    request.properties = std::move(properties);
    auto made = made_->connect(request, client);
    ASSERT_TRUE(made) << to_string(made.failure());
    client.instance = std::move(*made);
    ASSERT_TRUE(run([&] { return client.ready == 1; }));
  }

  recording_sink& accepted() {
    EXPECT_TRUE(run([&] { return !inbound.accepted.empty(); }));
    return *inbound.accepted.back();
  }

  /// Data arrives in both directions.
  void exchange(recording_sink& one, recording_sink& other) {
    one.instance->set_demand(true);
    other.instance->set_demand(true);
    one.send("question");
    ASSERT_TRUE(run([&] { return other.data == "question"; }));
    other.send("answer");
    ASSERT_TRUE(run([&] { return one.data == "answer"; }));
  }

  /// For the next connection.
  void restart() {
    inbound.accepted.clear();
    client.instance.reset();
    client.ready = 0;
    client.data.clear();
  }

  bool run(const std::function<bool()>& done) { return run_until(loop, done); }

  reactor loop;
  std::unique_ptr<transport> made_;
  recording_acceptor_sink inbound;
  std::unique_ptr<acceptor> listener;
  recording_sink client;
};

}  // namespace

TEST_F(mptcp_test, both_ends_speak_it) {
  for (const auto mode : {multipath_mode::active, multipath_mode::passive}) {
    const auto before = offers();
    connect(listen(), with(mode));
    EXPECT_EQ(offers(), before + 1);
    exchange(client, accepted());
    EXPECT_EQ(&client.instance->spoken(), &mptcp_descriptor());
    EXPECT_EQ(&accepted().instance->spoken(), &mptcp_descriptor());
    EXPECT_EQ(&client.instance->descriptor(), &mptcp_descriptor());
    restart();
  }
}

TEST_F(mptcp_test, disabled_offers_nothing) {
  const auto before = offers();
  const auto where = listen();
  connect(where, with(multipath_mode::disabled));
  exchange(client, accepted());
  EXPECT_EQ(&client.instance->spoken(), &tcp_descriptor());
  EXPECT_EQ(&accepted().instance->spoken(), &tcp_descriptor());
  restart();
  connect(where, nullptr);
  EXPECT_EQ(&client.instance->spoken(), &tcp_descriptor()) << "the default of Initiate";
  EXPECT_EQ(offers(), before);
}

TEST_F(mptcp_test, disabled_takes_no_offer) {
  connect(listen(with(multipath_mode::disabled)), with(multipath_mode::active));
  exchange(client, accepted());
  EXPECT_EQ(&accepted().instance->spoken(), &tcp_descriptor());
  EXPECT_EQ(&client.instance->spoken(), &tcp_descriptor());
}

TEST_F(mptcp_test, a_peer_without_it_is_seen) {
  auto waiting = plain_socket::listening();
  connect(waiting.local(), with(multipath_mode::active));
  auto peer = waiting.accept();
  client.instance->set_demand(true);
  peer.send("hello");
  ASSERT_TRUE(run([&] { return client.data == "hello"; }));
  EXPECT_EQ(&client.instance->descriptor(), &mptcp_descriptor());
  EXPECT_EQ(&client.instance->spoken(), &tcp_descriptor());
  client.instance->close();
  peer.close();
  ASSERT_TRUE(run([&] { return client.terminated(); }));
  EXPECT_EQ(&client.instance->spoken(), &tcp_descriptor()) << "also afterwards";
}

TEST_F(mptcp_test, one_port_serves_peers_of_both) {
  const auto where = listen();
  plain_socket peer{AF_INET, SOCK_STREAM};
  ASSERT_EQ(peer.connect(where), 0);
  auto& plain = accepted();
  EXPECT_EQ(&plain.instance->spoken(), &tcp_descriptor());
  plain.send("hello");
  EXPECT_EQ(peer.receive(5), "hello");
  plain_socket other{AF_INET, SOCK_STREAM, IPPROTO_MPTCP};
  ASSERT_EQ(other.connect(where), 0);
  ASSERT_TRUE(run([&] { return inbound.accepted.size() == 2; }));
  EXPECT_EQ(&accepted().instance->spoken(), &mptcp_descriptor());
}

TEST_F(mptcp_test, what_the_listening_socket_refuses_plain_peers_get) {
  const auto where = listen(with(property_id::conn_timeout, duration{std::chrono::seconds{7}}));
  plain_socket peer{AF_INET, SOCK_STREAM};
  ASSERT_EQ(peer.connect(where), 0);
  auto& plain = accepted();
  // The only sockets with the peer's port are its own and the accepted one.
  int found = 0;
  for (int fd = 3; fd < 64; ++fd) {
    sockaddr_in to{};
    socklen_t size = sizeof to;
    int timeout = 0;
    socklen_t length = sizeof timeout;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&to), &size) == 0 &&
        ntohs(to.sin_port) == plain.instance->remote().port &&
        ::getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, &length) == 0)
      found = timeout;
  }
  EXPECT_EQ(found, 7000);
  // And peers of several paths are no worse off than without the wish.
  connect(where, with(multipath_mode::active));
  exchange(client, accepted());
  EXPECT_TRUE(accepted().instance->set_property(property_id::conn_timeout,
                                                duration{std::chrono::seconds{3}}));
}

TEST_F(mptcp_test, subflows_are_what_the_namespace_allows) {
  shell("ip mptcp limits set subflow 2 add_addr_accepted 2");
  shell("ip mptcp endpoint add 127.0.0.2 dev lo subflow");
  const auto before = counter("MPJoinAckRx");
  connect(listen(), with(multipath_mode::active));
  exchange(client, accepted());
  EXPECT_TRUE(run([&] {
    loop.wake();
    return counter("MPJoinAckRx") > before;
  }));
  shell("ip mptcp endpoint flush");
}

TEST_F(mptcp_test, no_hop_limit) {
  connect_request request;
  request.remote = listen();
  request.properties = with(multipath_mode::active);
  request.hop_limit = 3;
  const auto refused = made_->connect(request, client);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().reason(), errc::not_supported);
}

TEST_F(mptcp_test, switched_off_it_is_not_there) {
  shell("sysctl -q -w net.mptcp.enabled=0");
  EXPECT_EQ(make_mptcp_transport(loop), nullptr);
  shell("sysctl -q -w net.mptcp.enabled=1");
  EXPECT_NE(make_mptcp_transport(loop), nullptr);
}

}  // namespace taps::testing
