#include "taps/tests/support/name_servers/dns_relay.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace taps::testing {

namespace {

/// Returns a datagram socket at a port of the kernel's choice.
int bound_socket(sockaddr_in& address) {
  const auto fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  return fd;
}

unsigned number_at(std::string_view bytes, std::size_t at) {
  if (at + 1 >= bytes.size())
    return 0;
  return static_cast<unsigned>(static_cast<unsigned char>(bytes[at]) << 8 |
                               static_cast<unsigned char>(bytes[at + 1]));
}

/// Returns the type of the question of a message.
unsigned type_of(std::string_view message) {
  std::size_t at = 12;
  while (at < message.size() && message[at] != 0)
    at += 1 + static_cast<unsigned char>(message[at]);
  return number_at(message, at + 1);
}

}  // namespace

dns_relay::dns_relay(std::uint16_t server) {
  sockaddr_in here{};
  front_ = bound_socket(here);
  address_ = "127.0.0.1:" + std::to_string(ntohs(here.sin_port));
  back_ = bound_socket(here);
  here.sin_port = htons(server);
  EXPECT_EQ(::connect(back_, reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
  thread_ = std::thread{[this] { run(); }};
}

dns_relay::~dns_relay() {
  stop_ = true;
  thread_.join();
  ::close(front_);
  ::close(back_);
}

void dns_relay::delay(dns_type type, std::chrono::milliseconds x) {
  std::lock_guard guard{mutex_};
  delays_[type] = x;
}

std::vector<unsigned> dns_relay::asked() const {
  std::lock_guard guard{mutex_};
  return asked_;
}

void dns_relay::run() {
  while (!stop_) {
    std::array<pollfd, 2> sockets{pollfd{front_, POLLIN, 0}, pollfd{back_, POLLIN, 0}};
    ::poll(sockets.data(), sockets.size(), milliseconds_left());
    if (sockets[0].revents != 0)
      take_question();
    if (sockets[1].revents != 0)
      take_answer();
    send_what_is_due();
  }
}

/// How long to wait at most: `stop_` rings no bell.
int dns_relay::milliseconds_left() const {
  auto until = clock::now() + std::chrono::milliseconds{20};
  for (const auto& x : held_)
    until = std::min(until, x.due);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now());
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

void dns_relay::take_question() {
  std::array<char, 2048> bytes;
  sockaddr_in from{};
  socklen_t size = sizeof from;
  const auto n =
      ::recvfrom(front_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
  if (n < 12)
    return;
  const std::string_view message{bytes.data(), static_cast<std::size_t>(n)};
  clients_[number_at(message, 0)] = from;
  {
    std::lock_guard guard{mutex_};
    asked_.push_back(type_of(message));
  }
  ::send(back_, message.data(), message.size(), 0);
}

void dns_relay::take_answer() {
  std::array<char, 4096> bytes;
  const auto n = ::recv(back_, bytes.data(), bytes.size(), 0);
  if (n < 12)
    return;
  std::string message{bytes.data(), static_cast<std::size_t>(n)};
  std::lock_guard guard{mutex_};
  const auto found = delays_.find(type_of(message));
  if (found == delays_.end())
    held_.push_back({clock::now(), std::move(message)});
  else if (found->second != std::chrono::milliseconds::max())
    held_.push_back({clock::now() + found->second, std::move(message)});
}

void dns_relay::send_what_is_due() {
  const auto now = clock::now();
  for (const auto& x : held_) {
    const auto to = clients_.find(number_at(x.bytes, 0));
    if (x.due <= now && to != clients_.end())
      ::sendto(front_, x.bytes.data(), x.bytes.size(), 0,
               reinterpret_cast<const sockaddr*>(&to->second), sizeof to->second);
  }
  std::erase_if(held_, [&](const held_answer& x) { return x.due <= now; });
}

}  // namespace taps::testing
