#include "taps/core/establishment/lessons.hpp"

#include "taps/tests/core/candidate/protocols.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace {

struct lessons_test : ::testing::Test {
  leaf_id start(const protocol_stack& stack, std::string_view address, std::size_t remote = 0) {
    candidate x;
    x.id = ++last_;
    x.stack = &stack;
    x.remote = {*ip_address::parse(address), 80};
    x.remote_index = remote;
    tested.started(now, x);
    return last_;
  }

  void fail(leaf_id leaf, int code = ECONNREFUSED) {
    tested.failed(leaf, os_error(errc::establishment_failed, "connect", code));
  }

  std::vector<std::string> lessons() const {
    std::vector<std::string> result;
    for (const auto& x : tested.lessons(places))
      result.push_back(to_string(x.where) + " " + std::string{x.stack} +
                       (x.succeeded ? " works " + std::to_string(x.handshake / 1ms) : " fails"));
    return result;
  }

  const protocol_stack stream = make_stack(tcp());
  const protocol_stack message = make_stack(sctp());
  const protocol_stack datagram = make_stack(udp());
  std::vector<history_place> places{{"", "a", {{}, 80}}, {"", "b", {{}, 80}}};
  time_point now = time_point{} + 1h;
  lesson_book tested;

private:
  leaf_id last_ = 0;
};

}  // namespace

TEST_F(lessons_test, a_success_is_about_the_endpoint_and_its_address) {
  const auto x = start(stream, "192.0.2.1");
  now += 20ms;
  tested.won(now, x);
  EXPECT_THAT(lessons(), ElementsAre("192.0.2.1:80 tcp works 20", "a:80 tcp works 20"));
}

TEST_F(lessons_test, an_endpoint_that_is_an_address_is_one_place) {
  places[0] = {"", "", {*ip_address::parse("192.0.2.1"), 80}};
  tested.won(now, start(stream, "192.0.2.1"));
  EXPECT_THAT(lessons(), ElementsAre("192.0.2.1:80 tcp works 0"));
}

TEST_F(lessons_test, what_framers_take_is_no_part_of_the_handshake) {
  const auto x = start(stream, "192.0.2.1");
  now += 20ms;
  tested.reached(now, x, attempt_stage::framing);
  now += 1s;
  tested.won(now, x);
  EXPECT_EQ(lessons()[0], "192.0.2.1:80 tcp works 20");
}

TEST_F(lessons_test, a_stack_fails_when_all_its_attempts_do) {
  fail(start(stream, "192.0.2.1"));
  fail(start(stream, "192.0.2.2"));
  const auto x = start(message, "192.0.2.1");
  start(message, "192.0.2.2");
  fail(x);
  EXPECT_THAT(lessons(), ElementsAre("192.0.2.1:80 tcp fails", "a:80 tcp fails",
                                     "192.0.2.2:80 tcp fails", "192.0.2.1:80 sctp fails"));
}

TEST_F(lessons_test, a_stack_that_won_did_not_fail) {
  fail(start(stream, "192.0.2.1"));
  tested.won(now, start(stream, "192.0.2.2"));
  EXPECT_THAT(lessons(), ElementsAre("192.0.2.1:80 tcp fails", "192.0.2.2:80 tcp works 0",
                                     "a:80 tcp works 0"));
}

TEST_F(lessons_test, endpoints_are_told_apart) {
  fail(start(stream, "192.0.2.1", 0));
  tested.won(now, start(stream, "192.0.2.2", 1));
  EXPECT_THAT(lessons(), ElementsAre("192.0.2.1:80 tcp fails", "a:80 tcp fails",
                                     "192.0.2.2:80 tcp works 0", "b:80 tcp works 0"));
}

TEST_F(lessons_test, cancelled_attempts_teach_nothing) {
  start(stream, "192.0.2.1");
  EXPECT_THAT(lessons(), IsEmpty());
}

TEST_F(lessons_test, what_this_host_lacks_teaches_nothing) {
  for (const auto code : {EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL, EADDRINUSE, ENETUNREACH,
                          ENETDOWN, EPERM, EACCES, EAFNOSUPPORT, EPROTONOSUPPORT})
    fail(start(stream, "192.0.2.1"), code);
  tested.failed(start(stream, "192.0.2.1"), {errc::protocol_failed, "the candidate broke down"});
  EXPECT_THAT(lessons(), IsEmpty());
}

TEST_F(lessons_test, what_a_framer_fails_over_teaches_nothing) {
  const auto x = start(stream, "192.0.2.1");
  tested.reached(now, x, attempt_stage::framing);
  fail(x);
  EXPECT_THAT(lessons(), IsEmpty());
}

TEST_F(lessons_test, success_without_a_peer_teaches_nothing) {
  tested.won(now, start(datagram, "192.0.2.1"));
  EXPECT_THAT(lessons(), IsEmpty());
}
