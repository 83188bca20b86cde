#include "taps/net/sys/kernel.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>

namespace taps::sys {

namespace {

sockaddr* as_sockaddr(sockaddr_in& x) { return reinterpret_cast<sockaddr*>(&x); }

sockaddr_in loopback() {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return result;
}

void expect_flags(int fd) {
  EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
}

TEST(linux_kernel, makes_descriptors_that_never_block_nor_leak_into_children) {
  auto& os = linux_kernel();
  descriptor listener{os, os.socket(AF_INET, SOCK_STREAM, 0)};
  ASSERT_TRUE(listener);
  expect_flags(listener.get());
  auto address = loopback();
  socklen_t size = sizeof address;
  ASSERT_EQ(os.bind(listener.get(), as_sockaddr(address), size), 0);
  ASSERT_EQ(os.listen(listener.get(), 4), 0);
  ASSERT_EQ(os.getsockname(listener.get(), as_sockaddr(address), &size), 0);
  EXPECT_EQ(os.accept(listener.get(), nullptr, nullptr), -EAGAIN);
  descriptor client{os, os.socket(AF_INET, SOCK_STREAM, 0)};
  const auto connected = os.connect(client.get(), as_sockaddr(address), size);
  EXPECT_TRUE(connected == 0 || connected == -EINPROGRESS) << connected;
  descriptor epoll{os, os.epoll_create()};
  std::array<epoll_event, 1> events{};
  ASSERT_EQ(os.epoll_ctl(epoll.get(), EPOLL_CTL_ADD, listener.get(), EPOLLIN, nullptr), 0);
  ASSERT_EQ(os.epoll_wait(epoll.get(), events, -1), 1);
  descriptor accepted{os, os.accept(listener.get(), nullptr, nullptr)};
  ASSERT_TRUE(accepted);
  expect_flags(accepted.get());
  descriptor event{os, os.eventfd()};
  expect_flags(event.get());
}

TEST(linux_kernel, returns_errors_as_negative_codes) {
  auto& os = linux_kernel();
  std::array<char, 1> byte{};
  const iovec piece{byte.data(), 1};
  EXPECT_EQ(os.socket(-1, SOCK_STREAM, 0), -EAFNOSUPPORT);
  EXPECT_EQ(os.read(-1, byte.data(), 1), -EBADF);
  EXPECT_EQ(os.write(-1, byte.data(), 1), -EBADF);
  EXPECT_EQ(os.writev(-1, {&piece, 1}), -EBADF);
  EXPECT_EQ(os.close(-1), -EBADF);
  EXPECT_EQ(os.epoll_ctl(-1, EPOLL_CTL_ADD, 0, EPOLLIN, nullptr), -EBADF);
}

TEST(linux_kernel, survives_a_peer_that_is_gone_without_a_signal) {
  auto& os = linux_kernel();
  ASSERT_NE(std::signal(SIGPIPE, SIG_DFL), SIG_ERR);
  std::array<int, 2> fds{-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
  descriptor near{os, fds[0]};
  os.close(fds[1]);
  const iovec piece{const_cast<char*>("x"), 1};
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(&piece);
  message.msg_iovlen = 1;
  EXPECT_EQ(os.write(near.get(), "x", 1), -EPIPE);
  EXPECT_EQ(os.writev(near.get(), {&piece, 1}), -EPIPE);
  EXPECT_EQ(os.sendmsg(near.get(), &message, 0), -EPIPE);
}

TEST(linux_kernel, writes_to_what_is_no_socket) {
  auto& os = linux_kernel();
  std::array<int, 2> fds{-1, -1};
  ASSERT_EQ(::pipe2(fds.data(), O_CLOEXEC), 0);
  descriptor out{os, fds[0]};
  descriptor in{os, fds[1]};
  std::array<iovec, 2> pieces{{{const_cast<char*>("b"), 1}, {const_cast<char*>("cd"), 2}}};
  EXPECT_EQ(os.write(in.get(), "a", 1), 1);
  EXPECT_EQ(os.writev(in.get(), pieces), 3);
  std::array<char, 8> got{};
  EXPECT_EQ(os.read(out.get(), got.data(), got.size()), 4);
  EXPECT_STREQ(got.data(), "abcd");
}

TEST(linux_kernel, reads_on_after_a_signal_but_says_so_when_waiting) {
  auto& os = linux_kernel();
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) {};  // without SA_RESTART
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  std::array<int, 2> fds{-1, -1};
  ASSERT_EQ(::pipe2(fds.data(), O_CLOEXEC), 0);
  descriptor out{os, fds[0]};
  descriptor in{os, fds[1]};
  descriptor epoll{os, os.epoll_create()};
  // The signals go on until both calls are through, so that they hit them while they block.
  std::atomic<int> stage{0};
  std::thread pest{[&, victim = ::pthread_self()] {
    for (int hits = 0; stage < 2; ++hits) {
      ::pthread_kill(victim, SIGUSR1);
      if (stage == 1 && hits > 100)
        os.write(in.get(), "x", 1);
      std::this_thread::yield();
    }
  }};
  std::array<epoll_event, 1> events{};
  const auto waited = os.epoll_wait(epoll.get(), events, -1);
  stage = 1;
  char got = 0;
  const auto read = os.read(out.get(), &got, 1);
  stage = 2;
  pest.join();
  EXPECT_EQ(waited, -EINTR);
  EXPECT_EQ(read, 1);
  ASSERT_EQ(::sigaction(SIGUSR1, &before, nullptr), 0);
}

TEST(descriptor, closes_once_through_its_kernel) {
  auto& os = linux_kernel();
  const auto fd = os.eventfd();
  {
    descriptor first{os, fd};
    descriptor second{std::move(first)};
    EXPECT_FALSE(first);
    EXPECT_EQ(second.get(), fd);
    descriptor third;
    third = std::move(second);
    EXPECT_EQ(third.get(), fd);
    EXPECT_NE(::fcntl(fd, F_GETFD), -1);
  }
  EXPECT_EQ(::fcntl(fd, F_GETFD), -1);
}

}  // namespace

}  // namespace taps::sys
