// What goes wrong gives the one right event or error, whose text names the cause, and leaves
// nothing behind although the owner lives on.

#include "taps/tests/conformance/support/names_fixture.hpp"

#include <sys/resource.h>

#include <ctime>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;

namespace {

using id = property_id;

class bad_input : public conformance_names {
protected:
  struct footprint {
    std::size_t residents = 0;
    std::size_t actors = 0;
    std::size_t descriptors = 0;

    friend bool operator==(const footprint&, const footprint&) = default;
    friend std::ostream& operator<<(std::ostream& out, const footprint& x) {
      return out << x.residents << " residents, " << x.actors << " actors, " << x.descriptors
                 << " descriptors";
    }
  };

  bad_input() { before_ = now(); }

  footprint now() {
    return {net_.num_residents(), system_.registry().running(), open_descriptors()};
  }

  /// From here on, what is there may stay.
  void keep() { before_ = now(); }

  /// Waits until the footprint is what it was.
  void expect_nothing_left() {
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (!(now() == before_) && std::chrono::steady_clock::now() < limit)
      std::this_thread::yield();
    EXPECT_EQ(now(), before_);
  }

  /// The owner heard of one event, of this kind, whose text has all of `causes`.
  void expect_only(const std::string& what, errc reason, const std::vector<std::string>& causes) {
    const auto ev = me_.log->wait(what);
    EXPECT_EQ(ev.reason.reason(), reason) << to_string(ev.reason);
    expect_causes(ev.reason, causes);
    expect_nothing_left();
    EXPECT_EQ(me_.log->names(), what);
  }

  static void expect_causes(const error& reason, const std::vector<std::string>& causes) {
    for (const auto& x : causes)
      EXPECT_NE(reason.text().find(x), std::string::npos)
          << '"' << x << "\" is not in: " << reason.text();
  }

  static std::string text(std::uint16_t port) { return std::to_string(port); }

  footprint before_;
  owner me_ = make_owner();
};

/// Leaves this process room for no further descriptors, or a few.
class no_descriptors {
public:
  explicit no_descriptors(int few_more = 0) {
    ::getrlimit(RLIMIT_NOFILE, &old_);
    // One more than the highest in use; what is free below is filled up.
    const auto high = ::dup(0);
    rlimit few = old_;
    few.rlim_cur = static_cast<rlim_t>(high) + 64;
    ::close(high);
    ::setrlimit(RLIMIT_NOFILE, &few);
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0))
      hogs_.push_back(fd);
    for (; few_more > 0; --few_more, hogs_.pop_back())
      ::close(hogs_.back());
  }
  ~no_descriptors() { release(); }
  void release() {
    for (auto fd : hogs_)
      ::close(fd);
    hogs_.clear();
    ::setrlimit(RLIMIT_NOFILE, &old_);
  }

private:
  rlimit old_{};
  std::vector<int> hogs_;
};

}  // namespace

// -- peers --------------------------------------------------------------------------------------

TEST_F(bad_input, no_listener) {
  closed_port nobody;
  initiate(to(loopback_remote(nobody.port())), me_.actor);
  expect_only("establishment_error", errc::establishment_failed,
              {"127.0.0.1:" + text(nobody.port()), "refused"});
}

TEST_F(bad_input, every_address_refused) {
  closed_port first;
  closed_port second;
  closed_port third;
  auto pre = to(loopback_remote(first.port()));
  pre.add_remote(loopback_remote(second.port())).add_remote(loopback_remote(third.port()));
  keep();
  const auto start = std::chrono::steady_clock::now();
  initiate(pre, me_.actor);
  expect_only(
      "establishment_error", errc::establishment_failed,
      {":" + text(first.port()), ":" + text(second.port()), ":" + text(third.port()), "refused"});
  // Two delays between attempts would be 500 ms.
  EXPECT_LT(std::chrono::steady_clock::now() - start, 250ms);
}

TEST_F(bad_input, unresolvable_name) {
  initiate(to(remote_endpoint{}.with_hostname("absent.test").with_port(7)), me_.actor);
  expect_only("establishment_error", errc::resolution_failed, {"absent.test"});
}

TEST_F(bad_input, black_holed_address) {
  black_hole hole;
  keep();
  initiate(to(loopback_remote(hole.port())), me_.actor, {.timeout = 100ms});
  expect_only("establishment_error", errc::establishment_failed,
              {"not established within", "127.0.0.1:" + text(hole.port()), "unfinished"});
}

TEST_F(bad_input, peer_reset_in_the_middle) {
  auto listener = posix_bind();
  auto made = initiate(to(loopback_remote(listener.port())), me_.actor);
  auto peer = posix_accept(listener);
  me_.log->wait("ready");
  receive(made);
  taps::send(made, std::string(64 << 20, 'x'), {}, {.notify = true});
  EXPECT_EQ(peer.read(1000).size(), 1000u);
  peer.reset();
  made = nullptr;
  const auto ev = me_.log->wait("connection_error");
  EXPECT_EQ(ev.reason.reason(), errc::connection_aborted);
  expect_causes(ev.reason, {"reset", "127.0.0.1:" + text(listener.port())});
  expect_nothing_left();
  EXPECT_EQ(me_.log->names(), "ready send_error receive_error connection_error");
}

TEST_F(bad_input, a_peers_reset_does_not_end_a_server) {
  auto server = listen_at(at(loopback_local()), [](auto*, const told& x) {
    if (x.what == "connection_received")
      receive(x.connection, {.count = 100});
    if (x.what == "received_partial")
      taps::send(x.connection, std::string(1 << 20, 'x'));
  });
  keep();
  for (std::size_t i = 1; i <= 10; ++i) {
    auto peer = posix_connect(server.port);
    ASSERT_TRUE(peer.send("x"));
    EXPECT_EQ(peer.read(100).size(), 100u);
    peer.reset();
    EXPECT_EQ(server.by.log->wait("connection_error", i).reason.reason(), errc::connection_aborted);
  }
  expect_nothing_left();
}

// -- owners -------------------------------------------------------------------------------------

TEST_F(bad_input, owner_killed_in_the_middle_of_a_transfer) {
  auto listener = posix_bind();
  auto pre = to(loopback_remote(listener.port()));
  keep();
  auto other = make_owner();
  auto made = initiate(pre, other.actor);
  auto peer = posix_accept(listener);
  receive(made, {.count = 100});
  taps::send(made, std::string(64 << 20, 'x'));
  EXPECT_EQ(peer.read(1000).size(), 1000u);
  caf::anon_send_exit(other.actor, caf::exit_reason::kill);
  int failure = 0;
  peer.read(static_cast<std::size_t>(-1), &failure);
  EXPECT_EQ(failure, ECONNRESET);
  expect_nothing_left();
}

TEST_F(bad_input, owner_killed_in_the_middle_of_a_race) {
  black_hole first;
  black_hole second;
  auto pre = to(loopback_remote(first.port()));
  pre.add_remote(loopback_remote(second.port()));
  pre.set_racing({.mode = racing_mode::simultaneous});
  keep();
  auto other = make_owner();
  auto made = initiate(pre, other.actor);
  settle(made);
  EXPECT_GT(net_.num_residents(), before_.residents);
  caf::anon_send_exit(other.actor, caf::exit_reason::kill);
  expect_nothing_left();
  EXPECT_EQ(other.log->names(), "");
}

TEST_F(bad_input, owner_killed_in_the_middle_of_a_query) {
  auto mute = posix_bind(0, AF_INET, SOCK_DGRAM);
  auto options = conformance::options();
  options.dns.servers = {"127.0.0.1:" + text(mute.port())};
  transport_services others{system_, options};
  auto pre = others.preconnection(remote_endpoint{}.with_hostname("slow.test").with_port(7),
                                  reliable_inorder_stream(), plain());
  keep();
  auto other = make_owner();
  initiate(pre, other.actor);
  pollfd asked{mute.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&asked, 1, 10000), 1);
  caf::anon_send_exit(other.actor, caf::exit_reason::kill);
  const auto limit = std::chrono::steady_clock::now() + 10s;
  while (others.num_residents() != 0 && std::chrono::steady_clock::now() < limit)
    std::this_thread::yield();
  EXPECT_EQ(others.num_residents(), 0u);
}

TEST_F(bad_input, owner_killed_while_listening) {
  auto server = listen_at(at(loopback_local()));
  auto peer = posix_connect(server.port);
  server.by.log->wait("connection_received");
  caf::anon_send_exit(server.by.actor, caf::exit_reason::kill);
  int failure = 0;
  peer.read(1, &failure);
  EXPECT_EQ(failure, ECONNRESET);
  server.by = {};
  server.listener = nullptr;
  expect_nothing_left();
  EXPECT_LT(posix_connect(server.port).get(), 0);
}

// -- ports ----------------------------------------------------------------------------------------

TEST_F(bad_input, port_in_use_by_a_stream) {
  auto taken = posix_bind();
  listen(at(loopback_local(taken.port())), me_.actor);
  expect_only("establishment_error", errc::establishment_failed,
              {"port " + text(taken.port()), "in use"});
}

TEST_F(bad_input, port_in_use_by_datagrams) {
  auto taken = posix_bind(0, AF_INET, SOCK_DGRAM);
  listen(at(loopback_local(taken.port()), unreliable_datagram()), me_.actor);
  expect_only("establishment_error", errc::establishment_failed,
              {"port " + text(taken.port()), "in use"});
}

TEST_F(bad_input, local_port_in_use) {
  auto taken = posix_bind();
  auto listener = posix_bind();
  initiate(net_.preconnection({loopback_local(taken.port())}, {loopback_remote(listener.port())},
                              reliable_inorder_stream(), plain()),
           me_.actor);
  expect_only("establishment_error", errc::establishment_failed,
              {"port " + text(taken.port()), "in use"});
}

// -- properties ---------------------------------------------------------------------------------

TEST_F(bad_input, unknown_property) {
  auto wanted = reliable_inorder_stream().with("connPriorty", 1);
  initiate(to(loopback_remote(9), wanted), me_.actor);
  expect_only("establishment_error", errc::invalid_configuration, {"connPriorty"});
  auto other = make_owner();
  listen(at(loopback_local(), wanted), other.actor);
  expect_causes(other.log->wait("establishment_error").reason, {"connPriorty"});
}

TEST_F(bad_input, value_out_of_range) {
  auto wanted = reliable_inorder_stream().with(id::conn_priority, -1);
  initiate(to(loopback_remote(9), wanted), me_.actor);
  expect_only("establishment_error", errc::invalid_configuration, {"connPriority", "-1"});
}

TEST_F(bad_input, value_of_the_wrong_type) {
  auto wanted = reliable_inorder_stream().with(id::interface, "eth0");
  initiate(to(loopback_remote(9), wanted), me_.actor);
  expect_only("establishment_error", errc::invalid_configuration, {"interface"});
}

TEST_F(bad_input, contradicting_properties) {
  auto wanted = transport_properties{}.prohibit(id::reliability).require(id::per_msg_reliability);
  initiate(to(loopback_remote(9), wanted), me_.actor);
  expect_only("establishment_error", errc::invalid_configuration,
              {"reliability", "perMsgReliability"});
  auto other = make_owner();
  listen(at(loopback_local(), wanted), other.actor);
  expect_causes(other.log->wait("establishment_error").reason,
                {"reliability", "perMsgReliability"});
}

TEST_F(bad_input, what_no_stack_can_do) {
  initiate(to(loopback_remote(9), reliable_inorder_stream().require(id::per_msg_reliability)),
           me_.actor);
  expect_only("establishment_error", errc::no_candidates, {"perMsgReliability"});
}

// -- Messages -----------------------------------------------------------------------------------

TEST_F(bad_input, message_too_large_for_a_datagram) {
  auto receiver = posix_bind(0, AF_INET, SOCK_DGRAM);
  auto made = initiate(to(loopback_remote(receiver.port()), unreliable_datagram()), me_.actor);
  taps::send(made, std::string(65508, 'x'), {}, {.notify = true});
  const auto ev = me_.log->wait("send_error");
  EXPECT_EQ(ev.reason.reason(), errc::message_too_large);
  expect_causes(ev.reason, {"65508", "65507"});
  taps::send(made, std::string(65507, 'y'), {}, {.notify = true});
  me_.log->wait("sent");
  EXPECT_EQ(receiver.read(65507).size(), 65507u);
  close(std::exchange(made, nullptr));
  me_.log->wait("closed");
  expect_nothing_left();
  EXPECT_EQ(me_.log->names(), "ready send_error sent closed");
}

// -- descriptors --------------------------------------------------------------------------------

TEST_F(bad_input, no_descriptor_to_connect_with) {
  auto listener = posix_bind();
  auto pre = to(loopback_remote(listener.port()));
  keep();
  {
    no_descriptors shortage;
    initiate(pre, me_.actor);
    const auto ev = me_.log->wait("establishment_error");
    EXPECT_EQ(ev.reason.reason(), errc::establishment_failed);
    expect_causes(ev.reason, {"Too many open files"});
    listen(at(loopback_local()), me_.actor);
    expect_causes(me_.log->wait("establishment_error", 2).reason, {"Too many open files"});
    initiate(to(remote_endpoint{}.with_hostname("name.invalid").with_port(1)), me_.actor);
    expect_causes(me_.log->wait("establishment_error", 3).reason,
                  {"name.invalid", "Too many open files"});
  }
  expect_nothing_left();
  EXPECT_EQ(me_.log->names(), "establishment_error establishment_error establishment_error");
  // It works again.
  abort(initiate(pre, me_.actor));
  me_.log->wait("connection_error");
  expect_nothing_left();
}

TEST_F(bad_input, descriptors_for_half_a_listener) {
  keep();
  {
    no_descriptors shortage{1};
    listen(at(local_endpoint{}), me_.actor);
    expect_causes(me_.log->wait_first().reason, {"Too many open files"});
  }
  expect_nothing_left();
  EXPECT_EQ(me_.log->names(), "establishment_error");
}

TEST_F(bad_input, no_descriptor_to_accept_with) {
  auto server = listen_at(at(loopback_local()), [](auto*, const told& x) {
    if (x.what == "connection_received")
      receive(x.connection, {.count = 100});
    if (x.what == "received_partial")
      taps::send(x.connection, x.data);
  });
  keep();
  {
    auto early = posix_connect(server.port);
    ASSERT_TRUE(early.send("x"));
    EXPECT_EQ(early.read(1), "x");
    std::vector<posix_socket> late;
    for (int i = 0; i < 8; ++i)
      late.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    no_descriptors shortage;
    sockaddr_storage address;
    const auto size = loopback(address, AF_INET, server.port);
    for (const auto& x : late) {
      ASSERT_EQ(::connect(x.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
      ASSERT_TRUE(x.send("y"));
    }
    // Nobody is served, and nobody spins on the event that stays.
    const auto spent = std::clock();
    pollfd wait{late.front().get(), POLLIN, 0};
    EXPECT_EQ(::poll(&wait, 1, 300), 0);
    EXPECT_LT(std::clock() - spent, CLOCKS_PER_SEC / 10);
    // Old Connections go on meanwhile.
    ASSERT_TRUE(early.send("z"));
    EXPECT_EQ(early.read(1), "z");
    EXPECT_EQ(server.by.log->count("connection_received"), 1u);
    shortage.release();
    for (const auto& x : late)
      EXPECT_EQ(x.read(1), "y");
    EXPECT_EQ(server.by.log->count("connection_received"), 9u);
    for (const auto& x : server.by.log->all())
      if (x.what == "connection_received")
        abort(x.connection);
    server.by.log->wait("connection_error", 9);
  }
  expect_nothing_left();
  EXPECT_EQ(server.by.log->count("establishment_error"), 0u);
}
