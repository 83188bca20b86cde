// A thousand races at once, half of whose candidates are dead: each has its winner, nothing stays.

#include "taps/tests/conformance/support/fixture.hpp"

#include <caf/event_based_actor.hpp>

#include <array>
#include <future>
#include <memory>
#include <sys/resource.h>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t candidates = 10;

/// Four descriptors per race: three attempts at most at a time, and what the Listener accepts.
std::size_t races() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr std::size_t wanted = 200;
#else
  constexpr std::size_t wanted = 1'000;
#endif
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  auto possible = static_cast<std::size_t>(limit.rlim_cur) / 12;
  if (possible < wanted)
    std::cout << "the descriptor limit leaves " << possible << " races\n";
  return std::min(possible, wanted);
}

/// What a wave of races came to.
struct tally {
  std::size_t ready = 0;
  std::size_t closed = 0;
  std::size_t refused = 0;
  std::size_t overtaken = 0;
  std::promise<void> over;
};

class many_races : public conformance {
protected:
  many_races() : conformance(without_history()) {
    sockaddr_storage any;
    const auto size = loopback(any, AF_INET, 0);
    for (auto& x : deaf_)
      EXPECT_EQ(::bind(x.get(), reinterpret_cast<sockaddr*>(&any), size), 0);
  }

  static transport_services_options without_history() {
    auto result = options();
    result.history.enabled = false;  // or the second wave would know the dead
    return result;
  }

  /// Half of the places are dead: three are silent, two refuse.
  preconnection course(std::uint16_t live) {
    std::vector<remote_endpoint> places;
    for (auto dead :
         {holes_[0].port(), deaf_[0].port(), holes_[1].port(), deaf_[1].port(), holes_[2].port()})
      places.push_back(loopback_remote(dead));
    for (std::size_t i = 0; i < candidates / 2; ++i)
      places.push_back(
          remote_endpoint{}.with_ip_address("127.0.0." + std::to_string(2 + i)).with_port(live));
    return net_
        .preconnection({}, places, reliable_inorder_stream(), security_parameters::disabled())
        .set_racing({.attempt_delay = 10ms});
  }

  void run_wave(const preconnection& pre, std::size_t count) {
    auto seen = std::make_shared<tally>();
    net_.spawn([=](caf::event_based_actor* self) -> caf::behavior {
      for (std::size_t i = 0; i < count; ++i)
        initiate(pre, self);
      return {
          [=](const ready& x) {
            ++seen->ready;
            check(x.report, *seen);
            taps::close(x.connection);
          },
          [=](const closed&) {
            if (++seen->closed == count) {
              seen->over.set_value();
              self->quit();
            }
          },
          [=](const establishment_error& x) { ADD_FAILURE() << to_string(x.reason); },
          [=](const connection_error& x) { ADD_FAILURE() << to_string(x.reason); },
      };
    });
    ASSERT_EQ(seen->over.get_future().wait_for(120s), std::future_status::ready);
    EXPECT_EQ(seen->ready, count);
    // Both dead places that refuse were tried by everybody, and all three silent ones.
    EXPECT_EQ(seen->refused, 2 * count);
    EXPECT_GE(seen->overtaken, 3 * count);
  }

  static void check(const establishment_report& report, tally& seen) {
    ASSERT_EQ(report.candidates.size(), candidates);
    ASSERT_NE(report.winner(), nullptr);
    EXPECT_NE(to_string(report.winner()->who.remote.address), "127.0.0.1");
    for (const auto& x : report.candidates) {
      seen.refused += x.fate == candidate_fate::failed ? 1 : 0;
      seen.overtaken += x.fate == candidate_fate::lost ? 1 : 0;
    }
  }

private:
  static posix_socket make_socket() {
    return posix_socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  }

  std::array<black_hole, 3> holes_;
  /// Bound, but they do not listen. (A port that nobody holds could be the next attempt's own.)
  std::array<posix_socket, 2> deaf_{make_socket(), make_socket()};
};

}  // namespace

TEST_F(many_races, a_thousand_at_once_leave_nothing) {
  const auto count = races();
  auto server = net_.spawn([](caf::event_based_actor* self) -> caf::behavior {
    self->set_default_handler(caf::drop);
    return {
        [](const connection_received& x) { receive(x.connection); },
        [](const received_partial& x) { taps::close(x.connection); },
    };
  });
  auto here = local_endpoint{}.with_port(0);
  auto listener = taps::listen(
      net_.preconnection(here, reliable_inorder_stream(), security_parameters::disabled()), server);
  auto pre = course(port_of(listener));
  run_wave(pre, count);  // What is kept has been allocated then.
  [[maybe_unused]] const auto before = resident_kilobytes();
  for (int i = 0; i < 3; ++i)
    run_wave(pre, count);
  caf::anon_send_exit(server, caf::exit_reason::kill);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // Less than a kilobyte for each race since: no actor of them, no report.
  EXPECT_LT(resident_kilobytes(), before + 2 * 1024);
#endif
}
