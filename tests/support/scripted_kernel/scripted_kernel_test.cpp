#include "taps/tests/support/scripted_kernel/scripted_kernel.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>

namespace taps::testing {

namespace {

/// A connected pair of stream sockets.
struct pair_of_sockets {
  explicit pair_of_sockets(sys::kernel& os) {
    std::array<int, 2> fds{-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
    near = {os, fds[0]};
    far = {os, fds[1]};
  }

  sys::descriptor near;
  sys::descriptor far;
};

TEST(scripted_kernel, fails_as_often_as_told_and_then_asks_the_real_kernel) {
  scripted_kernel os;
  os.fail_next("socket", EMFILE, 2);
  EXPECT_EQ(os.socket(AF_UNIX, SOCK_STREAM, 0), -EMFILE);
  EXPECT_EQ(os.socket(AF_UNIX, SOCK_STREAM, 0), -EMFILE);
  sys::descriptor fd{os, os.socket(AF_UNIX, SOCK_STREAM, 0)};
  EXPECT_TRUE(fd);
  EXPECT_EQ(os.num_calls("socket"), 3u);
  EXPECT_EQ(os.unused(), "");
}

TEST(scripted_kernel, refuses_unscripted_calls_when_told_so) {
  scripted_kernel os{scripted_kernel::unscripted::refuse};
  EXPECT_EQ(os.socket(AF_UNIX, SOCK_STREAM, 0), -ENOSYS);
  os.answer_next("socket", 77);
  EXPECT_EQ(os.socket(AF_UNIX, SOCK_STREAM, 0), 77);
  const std::vector<scripted_kernel::recorded_call> expected{
      {"socket", scripted_kernel::any_fd, -ENOSYS}, {"socket", scripted_kernel::any_fd, 77}};
  EXPECT_EQ(os.calls(), expected);
}

TEST(scripted_kernel, keeps_a_script_for_one_descriptor_from_others) {
  scripted_kernel os;
  pair_of_sockets x{os};
  os.fail_next("write", EAGAIN, 1, x.far.get());
  EXPECT_EQ(os.write(x.near.get(), "a", 1), 1);
  EXPECT_NE(os.unused(), "");
  EXPECT_EQ(os.write(x.far.get(), "a", 1), -EAGAIN);
  EXPECT_EQ(os.write(x.far.get(), "a", 1), 1);
}

TEST(scripted_kernel, makes_writes_and_reads_short) {
  scripted_kernel os;
  pair_of_sockets x{os};
  os.limit_write(3);
  std::array<iovec, 2> pieces{{{const_cast<char*>("ab"), 2}, {const_cast<char*>("cdef"), 4}}};
  EXPECT_EQ(os.writev(x.near.get(), pieces), 3);
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  EXPECT_EQ(os.sendmsg(x.near.get(), &message, 0), 3);
  EXPECT_EQ(os.write(x.near.get(), "vwxyz", 5), 3);
  std::array<char, 16> got{};
  os.limit_read(2);
  EXPECT_EQ(os.read(x.far.get(), got.data(), got.size()), 2);
  os.limit_read(0);
  EXPECT_EQ(os.read(x.far.get(), got.data() + 2, got.size() - 2), 7);
  EXPECT_STREQ(got.data(), "abcabcvwx");
}

TEST(scripted_kernel, hands_out_data_that_nobody_sent) {
  scripted_kernel os{scripted_kernel::unscripted::refuse};
  os.data_next("recvmsg", "hello");
  os.data_next("read", "");
  std::array<char, 2> first{};
  std::array<char, 8> second{};
  std::array<iovec, 2> pieces{{{first.data(), first.size()}, {second.data(), second.size()}}};
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  EXPECT_EQ(os.recvmsg(5, &message, 0), 5);
  EXPECT_EQ(first[1], 'e');
  EXPECT_STREQ(second.data(), "llo");
  EXPECT_EQ(os.read(5, first.data(), first.size()), 0);
}

TEST(scripted_kernel, runs_an_action_right_before_the_call) {
  scripted_kernel os;
  pair_of_sockets x{os};
  os.before_next(
      "read", [&] { os.write(x.near.get(), "late", 4); }, x.far.get());
  std::array<char, 8> got{};
  EXPECT_EQ(os.read(x.far.get(), got.data(), got.size()), 4);
  EXPECT_EQ(os.read(x.far.get(), got.data(), got.size()), -EAGAIN);
}

TEST(scripted_kernel, reports_a_hangup_along_with_data) {
  scripted_kernel os;
  pair_of_sockets x{os};
  sys::descriptor epoll{os, os.epoll_create()};
  int context = 0;
  ASSERT_EQ(os.epoll_ctl(epoll.get(), EPOLL_CTL_ADD, x.far.get(), EPOLLIN, &context), 0);
  os.write(x.near.get(), "x", 1);
  os.report(x.far.get(), EPOLLHUP);
  std::array<epoll_event, 4> events{};
  ASSERT_EQ(os.epoll_wait(epoll.get(), events, -1), 1);
  EXPECT_EQ(events[0].events, std::uint32_t{EPOLLIN | EPOLLHUP});
  EXPECT_EQ(events[0].data.ptr, &context);
  ASSERT_EQ(os.epoll_wait(epoll.get(), events, -1), 1);
  EXPECT_EQ(events[0].events, std::uint32_t{EPOLLIN});
}

TEST(scripted_kernel, reports_without_the_real_kernel) {
  scripted_kernel os{scripted_kernel::unscripted::refuse};
  int context = 0;
  os.answer_next("epoll_ctl", 0);
  ASSERT_EQ(os.epoll_ctl(3, EPOLL_CTL_ADD, 9, EPOLLIN, &context), 0);
  os.report(9, EPOLLERR);
  std::array<epoll_event, 4> events{};
  ASSERT_EQ(os.epoll_wait(3, events, -1), 1);
  EXPECT_EQ(events[0].events, std::uint32_t{EPOLLERR});
  EXPECT_EQ(events[0].data.ptr, &context);
  EXPECT_EQ(os.epoll_wait(3, events, -1), -ENOSYS);
}

TEST(scripted_kernel, moves_a_stopped_clock_by_the_timeout) {
  scripted_kernel os;
  os.stop_clock();
  const auto start = os.now();
  sys::descriptor epoll{os, os.epoll_create()};
  std::array<epoll_event, 1> events{};
  EXPECT_EQ(os.epoll_wait(epoll.get(), events, 3'600'000), 0);
  EXPECT_EQ(os.now() - start, std::chrono::hours{1});
  os.advance(std::chrono::seconds{1});
  EXPECT_EQ(os.now() - start, std::chrono::seconds{3601});
}

TEST(scripted_kernel_death, ends_the_program_on_a_call_that_does_not_exist) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  scripted_kernel os;
  EXPECT_DEATH(os.fail_next("acept", EMFILE), "there is no call \"acept\"");
}

}  // namespace

}  // namespace taps::testing
