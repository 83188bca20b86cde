// SEL: which of the stacks of this machine gets the Connection.

#include "taps/tests/conformance/support/fixture.hpp"

using namespace taps;
using namespace taps::testing;

namespace {

using id = property_id;

/// Every stack fits, and none is wished for.
transport_properties any_stack() {
  return transport_properties{}
      .no_preference(id::reliability)
      .no_preference(id::preserve_order)
      .no_preference(id::congestion_control)
      .with(id::safely_replayable, true);
}

/// A plain peer that takes both streams and datagrams on one port.
class selection_fixture : public conformance {
protected:
  selection_fixture()
      : conformance(without_history()),
        // Nobody accepts: there must be room for all who come, else datagrams win the race.
        streams_(posix_bind(0, AF_INET, SOCK_STREAM, 1000)),
        datagrams_(posix_bind(streams_.port(), AF_INET, SOCK_DGRAM)) {}

  /// One choice must not teach the next.
  static transport_services_options without_history() {
    auto result = options();
    result.history.enabled = false;
    return result;
  }

  /// The stack that Initiate chooses, or the text of the failure.
  std::string chosen(const transport_properties& wanted, security_parameters security = plain(),
                     const std::string& protocol = {}) {
    auto me = make_owner();
    auto remote = loopback_remote(streams_.port());
    if (!protocol.empty())
      remote = remote.with_protocol(protocol);
    auto made = initiate(net_.preconnection(remote, wanted, security), me.actor);
    const auto first = me.log->wait_first();
    if (first.what != "ready")
      return to_string(first.reason);
    const auto result = to_string(properties_of(made).get("_tapline.stack"));
    abort(made);
    me.log->wait("connection_error");
    return result;
  }

  /// Nobody has tried to connect.
  bool untouched() const {
    pollfd wait[]{{streams_.get(), POLLIN, 0}, {datagrams_.get(), POLLIN, 0}};
    return ::poll(wait, 2, 0) == 0;
  }

  posix_socket streams_;
  posix_socket datagrams_;
};

using conformance_selection = selection_fixture;

}  // namespace

TEST_F(conformance_selection, SEL_03_although_the_same_port_takes_streams) {
  EXPECT_EQ(chosen(unreliable_datagram()), "udp");
  EXPECT_EQ(chosen(reliable_inorder_stream()), "tcp");
}

TEST_F(conformance_selection, SEL_04_the_text_names_what_is_missing) {
  const auto failure = chosen(unreliable_datagram().with(id::safely_replayable, false));
  EXPECT_EQ(failure.rfind("NoCandidates", 0), 0u) << failure;
  EXPECT_NE(failure.find("safelyReplayable"), std::string::npos) << failure;
  EXPECT_TRUE(untouched());
}

TEST_F(conformance_selection, SEL_05_without_the_full_checksum) {
  EXPECT_EQ(chosen(unreliable_datagram().prohibit(id::full_checksum_send)), "udp");
  EXPECT_EQ(chosen(unreliable_datagram().prohibit(id::full_checksum_send), plain(), "udplite"),
            "udplite");
  // Byte streams cannot do without.
  const auto failure = chosen(any_stack().prohibit(id::full_checksum_send), plain(), "tcp");
  EXPECT_NE(failure.find("always fullChecksumSend (Prohibit)"), std::string::npos) << failure;
}

TEST_F(conformance_selection, SEL_06_prefer_outranks_avoid) {
  // The stream stack meets what is preferred, and violates what is to be avoided.
  EXPECT_EQ(chosen(any_stack().prefer(id::congestion_control).avoid(id::reliability)), "tcp");
  EXPECT_EQ(chosen(any_stack().prefer(id::reliability).avoid(id::congestion_control)), "tcp");
  EXPECT_EQ(chosen(any_stack().prefer(id::preserve_msg_boundaries).avoid(id::reliability)), "udp");
  // Each way round alone.
  EXPECT_EQ(chosen(any_stack().avoid(id::reliability)), "udp");
  EXPECT_EQ(chosen(any_stack().prefer(id::congestion_control)), "tcp");
  EXPECT_EQ(chosen(any_stack().prefer(id::preserve_msg_boundaries)), "udp");
}

TEST_F(conformance_selection, SEL_06_more_hits_first) {
  EXPECT_EQ(chosen(any_stack()
                       .prefer(id::preserve_msg_boundaries)
                       .prefer(id::congestion_control)
                       .prefer(id::reliability)),
            "tcp");
}

TEST_F(conformance_selection, SEL_11_no_stack_and_no_packet) {
  for (const auto& wanted : {reliable_inorder_stream(), unreliable_datagram(), any_stack()}) {
    const auto failure = chosen(wanted, security_parameters{});
    EXPECT_EQ(failure.rfind("NoCandidates", 0), 0u) << failure;
    EXPECT_NE(failure.find("disabled"), std::string::npos) << failure;
  }
  EXPECT_TRUE(untouched());
}

TEST_F(conformance_selection, SEL_11_nor_a_listener) {
  for (const auto& wanted : {reliable_inorder_stream(), unreliable_datagram()}) {
    auto me = make_owner();
    auto listener = listen(net_.preconnection(loopback_local(), wanted), me.actor);
    const auto ev = me.log->wait("establishment_error");
    EXPECT_EQ(ev.listener, listener);
    EXPECT_EQ(ev.reason.reason(), errc::no_candidates) << to_string(ev.reason);
  }
}

/// Returns the protocol that a peer which knows both got, by the number of the accepted socket.
class conformance_multipath : public conformance {
protected:
  void SetUp() override {
    peer_ = posix_bind(0, AF_INET, SOCK_STREAM, 16, IPPROTO_MPTCP);
    if (peer_.get() < 0)
      GTEST_SKIP() << "the kernel has no MPTCP";
  }

  static int protocol_of(const posix_socket& x) {
    int result = 0;
    socklen_t size = sizeof result;
    ::getsockopt(x.get(), SOL_SOCKET, SO_PROTOCOL, &result, &size);
    return result;
  }

  posix_socket peer_;
};

TEST_F(conformance_multipath, SEL_13_disabled_offers_nothing) {
  for (const auto mode : {multipath_mode::disabled, multipath_mode::active}) {
    const auto offered = mode != multipath_mode::disabled;
    auto me = make_owner();
    auto made = initiate(
        to(loopback_remote(peer_.port()), reliable_inorder_stream().with(id::multipath, mode)),
        me.actor);
    EXPECT_EQ(me.log->wait("ready").report.winner()->who.stack, offered ? "mptcp" : "tcp");
    EXPECT_EQ(protocol_of(posix_accept(peer_)), offered ? IPPROTO_MPTCP : IPPROTO_TCP);
    EXPECT_EQ(to_string(properties_of(made).get("_tapline.stack")), offered ? "mptcp" : "tcp");
  }
}

TEST_F(conformance_multipath, SEL_13_not_even_by_name) {
  auto me = make_owner();
  auto made =
      initiate(to(loopback_remote(peer_.port()).with_protocol("mptcp"), reliable_inorder_stream()),
               me.actor);
  me.log->wait("ready");
  EXPECT_EQ(protocol_of(posix_accept(peer_)), IPPROTO_TCP);
}

TEST_F(conformance_multipath, SEL_13_a_fallback_is_seen) {
  auto plain_peer = posix_bind();
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(plain_peer.port()),
                          reliable_inorder_stream().with(id::multipath, multipath_mode::active)),
                       me.actor);
  EXPECT_EQ(me.log->wait("ready").report.winner()->who.stack, "mptcp");
  EXPECT_EQ(to_string(properties_of(made).get("_tapline.stack")), "tcp");
}

TEST_F(conformance_multipath, SEL_13_listeners_serve_both_on_one_port) {
  auto server = listen_at(at(loopback_local()));
  auto one = posix_connect(server.port);
  const auto first = server.by.log->wait("connection_received").connection;
  auto other = posix_connect(server.port, AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
  const auto second = server.by.log->wait("connection_received", 2).connection;
  EXPECT_EQ(to_string(properties_of(first).get("_tapline.stack")), "tcp");
  EXPECT_EQ(to_string(properties_of(second).get("_tapline.stack")), "mptcp");
}

TEST_F(conformance, SEL_07_each_clone_has_a_transport_connection_of_its_own) {
  auto server = posix_bind();
  auto me = make_owner();
  const auto made = initiate(to(loopback_remote(server.port()),
                                reliable_inorder_stream().prohibit(property_id::multistreaming)),
                             me.actor);
  me.log->wait("ready");
  const auto first = posix_accept(server);
  const auto other = clone(made, me.actor);
  me.log->wait("ready", 2);
  const auto second = posix_accept(server);
  EXPECT_EQ(properties_of(other).get("multistreaming"), property_value{false});
  taps::send(made, "one");
  taps::send(other, "two");
  EXPECT_EQ(first.read(3), "one");
  EXPECT_EQ(second.read(3), "two");
}

TEST_F(conformance_selection, SEL_12_a_hundred_times) {
  const auto wanted = any_stack().prefer(id::preserve_msg_boundaries).avoid(id::reliability);
  const auto first = chosen(wanted);
  for (int i = 0; i < 99; ++i)
    ASSERT_EQ(chosen(wanted), first) << "time " << i + 2;
}

TEST_F(conformance_selection, SEL_12_equal_stacks_a_hundred_times) {
  const auto first = chosen(any_stack());
  EXPECT_EQ(first, "tcp");
  for (int i = 0; i < 99; ++i)
    ASSERT_EQ(chosen(any_stack()), first) << "time " << i + 2;
}
