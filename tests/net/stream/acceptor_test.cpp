#include "taps/tests/net/stream/stream_fixture.hpp"

#include <sys/resource.h>

#include <cerrno>
#include <fcntl.h>

namespace taps::testing {

namespace {

class stream_acceptor_test : public stream_fixture {
protected:
  listen_request at(const socket_address& local, port_sharing sharing = port_sharing::none) {
    listen_request request;
    request.local = local;
    request.sharing = sharing;
    return request;
  }

  static plain_socket connected(const socket_address& to) {
    plain_socket result{to.address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM};
    EXPECT_EQ(result.connect(to), 0);
    return result;
  }
};

TAPS_FOR_ALL_STREAMS(stream_acceptor_test);

TEST_P(stream_acceptor_test, accepts_all_who_come) {
  const auto address = listen();
  std::vector<plain_socket> clients;
  for (int i = 0; i < 200; ++i)
    clients.push_back(connected(address));
  ASSERT_TRUE(run([&] { return inbound.accepted.size() == 200; }));
  EXPECT_TRUE(inbound.soft_errors.empty());
  EXPECT_EQ(inbound.accepted[7]->instance->local(), address);
  inbound.accepted[7]->send("for seven");
  EXPECT_EQ(clients[7].receive(9), "for seven");
}

TEST_P(stream_acceptor_test, goes_on_after_connections_that_died_in_the_queue) {
  const auto address = listen();
  os.fail_next("accept", ECONNABORTED, 3);
  const auto one = connected(address);
  ASSERT_TRUE(run([&] { return inbound.accepted.size() == 1; }));
  EXPECT_TRUE(inbound.soft_errors.empty());
  EXPECT_EQ(os.unused(), "");
}

TEST_P(stream_acceptor_test, backs_off_without_descriptors_and_recovers) {
  const auto address = listen();
  os.stop_clock();
  os.fail_next("accept", EMFILE, 4);
  const auto one = connected(address);
  const auto begin = os.now();
  ASSERT_TRUE(run([&] { return inbound.accepted.size() == 1; }));
  EXPECT_EQ(os.now() - begin, std::chrono::milliseconds{50 + 100 + 200 + 400});
  ASSERT_EQ(inbound.soft_errors.size(), 1u) << "told once";
  EXPECT_EQ(inbound.soft_errors[0].text(),
            "accept on " + to_string(address) + ": Too many open files");
  // Recovered means that the next time is a first time.
  os.fail_next("accept", ENFILE);
  const auto two = connected(address);
  ASSERT_TRUE(run([&] { return inbound.accepted.size() == 2; }));
  EXPECT_EQ(inbound.soft_errors.size(), 2u);
}

TEST_P(stream_acceptor_test, survives_a_real_lack_of_descriptors) {
  const auto address = listen();
  std::vector<plain_socket> clients;
  for (int i = 0; i < 5; ++i)
    clients.push_back(connected(address));
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  // The lowest free number is the first that is not allowed any more.
  const auto next_free = ::fcntl(0, F_DUPFD_CLOEXEC, 0);
  ::close(next_free);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(next_free);
  ::setrlimit(RLIMIT_NOFILE, &tight);
  EXPECT_TRUE(run([&] { return !inbound.soft_errors.empty(); }));
  EXPECT_TRUE(inbound.accepted.empty());
  ::setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_TRUE(run([&] { return inbound.accepted.size() == 5; }));
  EXPECT_EQ(inbound.soft_errors.size(), 1u);
}

TEST_P(stream_acceptor_test, a_port_in_use_is_named) {
  auto taken = plain_socket::listening();
  for (const auto sharing : {port_sharing::none, port_sharing::first, port_sharing::further}) {
    const auto refused = transport.listen(at(taken.local(), sharing), inbound);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.failure(), errc::establishment_failed);
    EXPECT_EQ(refused.failure().os_code(), EADDRINUSE);
    EXPECT_NE(
        refused.failure().text().find("port " + std::to_string(taken.local().port) + " is in use"),
        std::string::npos)
        << refused.failure().text();
  }
}

TEST_P(stream_acceptor_test, a_strangers_shared_port_is_in_use_too) {
  plain_socket stranger{AF_INET, SOCK_STREAM};
  stranger.option(SOL_SOCKET, SO_REUSEPORT, 1);
  ASSERT_EQ(stranger.bind(loopback()), 0);
  ::listen(stranger.get(), 1);
  EXPECT_FALSE(transport.listen(at(stranger.local(), port_sharing::first), inbound));
  EXPECT_TRUE(transport.listen(at(stranger.local(), port_sharing::further), inbound))
      << "this is what the first one is for";
}

TEST_P(stream_acceptor_test, the_first_one_keeps_the_port_and_lets_other_shards_in) {
  auto first = transport.listen(at(loopback(), port_sharing::first), inbound);
  ASSERT_TRUE(first);
  const auto address = (*first)->local();
  EXPECT_NE(address.port, 0);
  for (const auto sharing : {port_sharing::none, port_sharing::first})
    EXPECT_FALSE(transport.listen(at(address, sharing), inbound)) << "of another Listener";
  auto second = transport.listen(at(address, port_sharing::further), inbound);
  ASSERT_TRUE(second) << second.failure().text();
  EXPECT_EQ((*second)->local(), address);
  EXPECT_FALSE(transport.listen(at(address, port_sharing::first), inbound));
  std::vector<plain_socket> clients;
  for (int i = 0; i < 20; ++i)
    clients.push_back(connected(address));
  EXPECT_TRUE(run([&] { return inbound.accepted.size() == 20; }));
}

TEST_P(stream_acceptor_test, what_lingers_of_an_earlier_listener_does_not_keep_the_port) {
  auto first = transport.listen(at(loopback(), port_sharing::first), inbound);
  ASSERT_TRUE(first);
  const auto address = (*first)->local();
  const auto old = connected(address);
  ASSERT_TRUE(run([&] { return inbound.accepted.size() == 1; }));
  first->reset();
  auto again = transport.listen(at(address, port_sharing::first), inbound);
  ASSERT_TRUE(again) << again.failure().text();
  EXPECT_TRUE(transport.listen(at(address, port_sharing::further), inbound));
  EXPECT_FALSE(transport.listen(at(address, port_sharing::first), inbound));
}

TEST_P(stream_acceptor_test, both_ip_versions_have_the_port_to_themselves) {
  auto first = transport.listen(at({ip_address::any(ip_family::v6), 0, 0}), inbound);
  ASSERT_TRUE(first);
  const auto port = (*first)->local().port;
  auto second = transport.listen(at({ip_address::any(ip_family::v4), port, 0}), inbound);
  ASSERT_TRUE(second);
  const auto one = connected({ip_address::loopback(ip_family::v4), port, 0});
  const auto two = connected({ip_address::loopback(ip_family::v6), port, 0});
  ASSERT_TRUE(run([&] { return inbound.accepted.size() == 2; }));
  EXPECT_NE(inbound.accepted[0]->instance->remote().address.family(),
            inbound.accepted[1]->instance->remote().address.family());
}

TEST_P(stream_acceptor_test, may_be_destroyed_by_what_it_brings) {
  const auto address = listen();
  inbound.hook = [&](recording_sink&) { listener.reset(); };
  const auto one = connected(address);
  const auto two = connected(address);
  ASSERT_TRUE(run([&] { return inbound.accepted.size() == 1; }));
  settle(loop);
  EXPECT_EQ(inbound.accepted.size(), 1u);
  inbound.accepted[0]->send("alive");
  EXPECT_EQ(loop.num_sources(), 1u);
  plain_socket late{AF_INET, SOCK_STREAM};
  EXPECT_EQ(late.connect(address), ECONNREFUSED);
}

TEST_P(stream_acceptor_test, destroyed_while_backing_off_leaves_no_timer) {
  const auto address = listen();
  os.fail_next("accept", EMFILE);
  const auto one = connected(address);
  ASSERT_TRUE(run([&] { return !inbound.soft_errors.empty(); }));
  listener.reset();
  EXPECT_EQ(loop.timers().size(), 0u);
}

}  // namespace

}  // namespace taps::testing
