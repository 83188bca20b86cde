// Data with the handshake (RFC 9622, sections 6.2.5 and 7.1; RFC 9623, section 5), as TCP Fast Open
// does it, against plain servers. In a network namespace of its own, for its settings.

#include "taps/tests/conformance/support/effects_fixture.hpp"

#include <netinet/tcp.h>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;

namespace {

using id = property_id;

class fast_open : public effects {
protected:
  void SetUp() override {
    TAPS_NEEDS_NAMESPACE();
    permit(3);
  }

  static void permit(int bits) {
    shell("sysctl -q -w net.ipv4.tcp_fastopen=" + std::to_string(bits));
  }

  static posix_socket server(int family = AF_INET, int protocol = 0) {
    auto made = posix_bind(0, family, SOCK_STREAM, 16, protocol);
    const int queue = 16;
    ::setsockopt(made.get(), IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof queue);
    return made;
  }

  static message_context replayable() { return message_context{}.with_safely_replayable(); }

  void initiate_with(const preconnection& pre, std::string data,
                     message_context context = replayable()) {
    me_ = make_owner();
    made_ = initiate_with_send(pre, me_.actor, slice::copy_of(data), std::move(context));
    observe(made_, event_set::sent);
  }

  /// Whether the server took what came with the handshake.
  bool went_with_handshake() {
    tcp_info info{};
    socklen_t size = sizeof info;
    ::getsockopt(socket_of(made_), IPPROTO_TCP, TCP_INFO, &info, &size);
    return (info.tcpi_options & TCPI_OPT_SYN_DATA) != 0;
  }

  /// A Connection to `where` for the sake of the cookie.
  void get_cookie(const posix_socket& where, const preconnection& pre) {
    initiate_with(pre, "first");
    auto peer = posix_accept(where);
    EXPECT_EQ(peer.read(5), "first");
    me_.log->wait("ready");
    close(made_);
    peer.close();
    me_.log->wait("closed");
  }

  /// What a server gets when the Connection closes after `more`.
  std::string all_at(const posix_socket& where, const std::string& more) {
    me_.log->wait("ready");
    taps::send(made_, more);
    close(made_);
    auto peer = posix_accept(where);
    return peer.read();
  }
};

}  // namespace

TEST_F(fast_open, with_a_cookie_the_message_travels_with_the_handshake) {
  for (const auto family : {AF_INET, AF_INET6}) {
    auto there = server(family);
    const auto pre = to(remote_endpoint{}
                            .with_ip_address(family == AF_INET ? "127.0.0.1" : "::1")
                            .with_port(there.port()));
    get_cookie(there, pre);
    initiate_with(pre, "question");
    me_.log->wait("ready");
    EXPECT_TRUE(went_with_handshake()) << family;
    EXPECT_EQ(all_at(there, ", more"), "question, more");
    me_.log->wait("closed");
    EXPECT_EQ(me_.log->count("sent"), 1u) << me_.log->names();
  }
}

TEST_F(fast_open, more_than_a_packet_arrives_whole) {
  auto there = server();
  const auto pre = to(loopback_remote(there.port()));
  get_cookie(there, pre);
  std::string large(300'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i)
    large[i] = static_cast<char>('a' + (i * 7 + i / 1000) % 26);
  initiate_with(pre, large);
  me_.log->wait("ready");
  EXPECT_TRUE(went_with_handshake());
  EXPECT_EQ(all_at(there, "end"), large + "end");
}

TEST_F(fast_open, several_paths) {
  auto there = server(AF_INET, IPPROTO_MPTCP);
  const auto pre = to(loopback_remote(there.port()),
                      reliable_inorder_stream().with(id::multipath, multipath_mode::active));
  get_cookie(there, pre);
  initiate_with(pre, "question");
  EXPECT_EQ(all_at(there, ", more"), "question, more");
}

TEST_F(fast_open, no_cookie_no_server_or_no_permission_is_not_noticed) {
  for (const auto bits : {3, 1, 0}) {
    permit(bits);
    auto there = posix_bind();
    const auto pre = to(loopback_remote(there.port()));
    for (int i = 0; i < 2; ++i) {
      initiate_with(pre, "question");
      me_.log->wait("ready");
      EXPECT_FALSE(went_with_handshake());
      EXPECT_EQ(all_at(there, ", more"), "question, more") << bits;
    }
  }
}

TEST_F(fast_open, only_if_it_may) {
  auto there = server();
  const auto pre = to(loopback_remote(there.port()));
  get_cookie(there, pre);
  const auto never = [&](const preconnection& x, message_context context, const char* why) {
    initiate_with(x, "question", std::move(context));
    me_.log->wait("ready");
    EXPECT_FALSE(went_with_handshake()) << why;
    EXPECT_EQ(all_at(there, ", more"), "question, more") << why;
  };
  never(pre, message_context{}, "not replayable");
  const auto with = [&](transport_properties x) {
    return to(loopback_remote(there.port()), std::move(x));
  };
  never(with(reliable_inorder_stream().prohibit(id::zero_rtt_msg)), replayable(), "prohibited");
  never(with(reliable_inorder_stream().avoid(id::zero_rtt_msg)), replayable(), "avoided");
  never(with(reliable_inorder_stream().with(id::isolate_session, true)), replayable(), "isolated");
}

TEST_F(fast_open, a_race_delivers_it_once) {
  black_hole hole;
  auto there = server();
  const auto live = to(loopback_remote(there.port()));
  get_cookie(there, live);
  auto both = to(loopback_remote(hole.port()));
  both.add_remote(loopback_remote(there.port()));
  initiate_with(both, "question");
  EXPECT_EQ(all_at(there, ", more"), "question, more");
  me_.log->wait("closed");
  EXPECT_EQ(me_.log->count("sent"), 1u);
}

TEST_F(fast_open, a_refusal_is_one_error) {
  closed_port nobody;
  initiate_with(to(loopback_remote(nobody.port())), "question");
  me_.log->wait("establishment_error");
  EXPECT_EQ(me_.log->names(), "establishment_error");
}

TEST_F(fast_open, required_but_not_permitted) {
  permit(2);
  auto me = make_owner();
  auto there = posix_bind();
  initiate(to(loopback_remote(there.port()), reliable_inorder_stream().require(id::zero_rtt_msg)),
           me.actor);
  const auto text = me.log->wait("establishment_error").reason.text();
  EXPECT_NE(text.find("net.ipv4.tcp_fastopen does not let clients"), std::string::npos) << text;
  permit(1);
  auto other = make_owner();
  listen(at(loopback_local(), reliable_inorder_stream().require(id::zero_rtt_msg)), other.actor);
  const auto also = other.log->wait("establishment_error").reason.text();
  EXPECT_NE(also.find("net.ipv4.tcp_fastopen does not let servers"), std::string::npos) << also;
}

TEST_F(fast_open, a_listener_takes_it_and_says_so) {
  // Nobody has a cookie of this address.
  const auto* address = "127.0.0.77";
  auto here = listen_at(at(local_endpoint{}.with_ip_address(address),
                           reliable_inorder_stream().prefer(id::zero_rtt_msg)),
                        [](auto*, const told& x) {
                          if (x.what == "connection_received" || x.what == "received_partial")
                            receive(x.connection);
                        });
  const auto pre = to(remote_endpoint{}.with_ip_address(address).with_port(here.port),
                      reliable_inorder_stream().prefer(id::zero_rtt_msg));
  initiate_with(pre, "first");
  EXPECT_FALSE(here.by.log->wait("received_partial").context.early_data());
  initiate_with(pre, "question");
  const auto early = here.by.log->wait("received_partial", 2);
  EXPECT_EQ(early.data.view(), "question");
  EXPECT_TRUE(early.context.early_data());
  me_.log->wait("ready");
  EXPECT_EQ(properties_of(made_).get("zeroRttMsg"), property_value{true});
  EXPECT_GT(properties_of(made_).get("zero-rtt-msg-max-len").get_or<std::int64_t>(0), 500);
  EXPECT_EQ(properties_of(early.connection).get("zeroRttMsg"), property_value{true});
  taps::send(made_, "more");
  const auto late = here.by.log->wait("received_partial", 3);
  EXPECT_EQ(late.data.view(), "more");
  EXPECT_FALSE(late.context.early_data());
}

TEST_F(fast_open, what_the_host_does_not_permit_reads_as_such) {
  permit(2);
  auto there = posix_bind();
  connect(to(loopback_remote(there.port()), reliable_inorder_stream().prefer(id::zero_rtt_msg)));
  EXPECT_EQ(properties_of(made_).get("zeroRttMsg"), property_value{false});
  EXPECT_EQ(properties_of(made_).get("zero-rtt-msg-max-len"),
            property_value{special::not_applicable});
}
