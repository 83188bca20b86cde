#include "taps/tests/support/nat/nat_box.hpp"

#include "taps/core/rendezvous/stun.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace taps::testing {

// -- hermit -------------------------------------------------------------------------------------

hermit::hermit() : thread_([this] { live(); }) {
  run([this] {
    EXPECT_EQ(::unshare(CLONE_NEWNET), 0);
    id_ = static_cast<int>(::syscall(SYS_gettid));
  });
  shell("ip link set lo up");
}

hermit::~hermit() {
  {
    std::lock_guard guard{mutex_};
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void hermit::live() {
  std::unique_lock guard{mutex_};
  for (;;) {
    changed_.wait(guard, [this] { return over_ || task_ != nullptr; });
    if (over_)
      return;
    (*task_)();
    task_ = nullptr;
    changed_.notify_all();
  }
}

void hermit::run(const std::function<void()>& task) {
  std::unique_lock guard{mutex_};
  task_ = &task;
  changed_.notify_all();
  changed_.wait(guard, [this] { return task_ == nullptr; });
}

void hermit::shell(const std::string& command) {
  run([&] { EXPECT_EQ(std::system(command.c_str()), 0) << command; });
}

// -- packets ------------------------------------------------------------------------------------

namespace {

constexpr std::size_t ip_header = 20;
constexpr std::size_t udp_header = 8;
constexpr std::byte tcp{6};
constexpr std::byte udp{17};

template<class Packet>
auto* field(Packet& x, std::size_t at) {
  return x.data() + at;
}

std::uint16_t number_at(const std::vector<std::byte>& x, std::size_t at) {
  return static_cast<std::uint16_t>(std::to_integer<int>(x[at]) << 8 |
                                    std::to_integer<int>(x[at + 1]));
}

void set_number(std::vector<std::byte>& x, std::size_t at, std::uint16_t value) {
  x[at] = static_cast<std::byte>(value >> 8);
  x[at + 1] = static_cast<std::byte>(value);
}

ip_address address_at(const std::vector<std::byte>& x, std::size_t at) {
  ip_address::v4_bytes raw;
  std::memcpy(raw.data(), field(x, at), 4);
  return ip_address{raw};
}

void set_address(std::vector<std::byte>& x, std::size_t at, const ip_address& value) {
  std::memcpy(field(x, at), value.bytes().data(), 4);
}

/// Addresses of an IPv4 packet without options.
socket_address source_of(const std::vector<std::byte>& x) {
  return {address_at(x, 12), number_at(x, ip_header)};
}
socket_address destination_of(const std::vector<std::byte>& x) {
  return {address_at(x, 16), number_at(x, ip_header + 2)};
}

/// Gives a UDP packet its ends and its checksums; that of UDP is left out.
void readdress(std::vector<std::byte>& x, const socket_address& from, const socket_address& to) {
  set_address(x, 12, from.address);
  set_address(x, 16, to.address);
  set_number(x, ip_header, from.port);
  set_number(x, ip_header + 2, to.port);
  set_number(x, ip_header + 6, 0);
  set_number(x, 10, 0);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < ip_header; i += 2)
    sum += number_at(x, i);
  while (sum > 0xffff)
    sum = (sum & 0xffff) + (sum >> 16);
  set_number(x, 10, static_cast<std::uint16_t>(~sum));
}

}  // namespace

// -- nat_box ------------------------------------------------------------------------------------

nat_box::nat_box() { EXPECT_EQ(::pipe2(stop_, O_CLOEXEC), 0); }

nat_box::~nat_box() {
  ::close(stop_[1]);
  if (thread_.joinable())
    thread_.join();
  ::close(stop_[0]);
  for (const auto& x : ports_)
    ::close(x.device);
}

void nat_box::attach(hermit& who, nat_type type, const std::string& inside,
                     const std::string& outside) {
  auto& made = ports_.emplace_back();
  made.type = type;
  made.inside = *ip_address::parse(inside);
  made.outside = *ip_address::parse(outside);
  who.run([&] {
    made.device = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    ifreq request{};
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    std::strcpy(request.ifr_name, "nat0");
    EXPECT_EQ(::ioctl(made.device, TUNSETIFF, &request), 0) << std::strerror(errno);
  });
  who.shell("ip addr add " + inside +
            "/24 dev nat0 && ip link set nat0 up && "
            "ip route add default dev nat0");
}

void nat_box::start(std::chrono::milliseconds delay) {
  delay_ = delay;
  thread_ = std::thread{[this] { live(); }};
}

int nat_box::opening_packets(std::size_t side) const {
  std::lock_guard guard{mutex_};
  return ports_[side].opening;
}

void nat_box::live() {
  for (;;) {
    std::array<pollfd, 3> waits{{{stop_[0], 0, 0}, {-1, 0, 0}, {-1, 0, 0}}};
    for (std::size_t i = 0; i < ports_.size(); ++i)
      waits[i + 1] = {ports_[i].device, POLLIN, 0};
    ::poll(waits.data(), waits.size(), queue_.empty() ? -1 : 1);
    if (waits[0].revents != 0)
      return;
    for (std::size_t i = 0; i < ports_.size(); ++i)
      if (waits[i + 1].revents != 0)
        take(ports_[i]);
    while (!queue_.empty() && queue_.top().due <= std::chrono::steady_clock::now()) {
      const auto& x = queue_.top();
      static_cast<void>(!::write(x.device, x.data.data(), x.data.size()));
      queue_.pop();
    }
  }
}

void nat_box::take(port& from) {
  packet data(2048);
  const auto n = ::read(from.device, data.data(), data.size());
  if (n < static_cast<ssize_t>(ip_header + udp_header) || data[0] != std::byte{0x45})
    return;
  data.resize(static_cast<std::size_t>(n));
  if (data[9] == tcp && data.size() > ip_header + 13 && data[ip_header + 13] == std::byte{2}) {
    std::lock_guard guard{mutex_};
    ++from.opening;
  }
  if (from.type != nat_type::router && data[9] != udp)
    return;
  translate(from, std::move(data));
}

void nat_box::translate(port& from, packet data) {
  const auto local = source_of(data);
  const auto remote = destination_of(data);
  const auto mapped = from.type == nat_type::router ? local : map(from, local, remote);
  if (remote.address == stun_address() && remote.port == stun_port && data[9] == udp) {
    answer_stun(from, data, mapped);
    return;
  }
  for (const auto& to : ports_) {
    if (to.type == nat_type::router) {
      if (remote.address != to.inside)
        continue;
      if (from.type != nat_type::router)
        readdress(data, mapped, remote);
      put(to, std::move(data));
      return;
    }
    const auto* inside = remote.address == to.outside ? let_in(to, mapped, remote.port) : nullptr;
    if (inside && data[9] == udp) {
      readdress(data, mapped, *inside);
      put(to, std::move(data));
      return;
    }
  }
}

socket_address nat_box::map(port& from, const socket_address& local, const socket_address& remote) {
  const auto key = std::pair{local, from.type == nat_type::symmetric ? remote : socket_address{}};
  auto& number = from.numbers[key];
  if (number == 0) {
    number = from.next++;
    from.mappings[number] = local;
  }
  from.contacts[number].push_back(remote);
  return {from.outside, number};
}

const socket_address* nat_box::let_in(const port& to, const socket_address& from,
                                      std::uint16_t number) const {
  const auto i = to.mappings.find(number);
  if (i == to.mappings.end())
    return nullptr;
  const auto known = std::ranges::any_of(to.contacts.at(number), [&](const socket_address& x) {
    return to.type == nat_type::full_cone ||
           (x.address == from.address &&
            (x.port == from.port || to.type == nat_type::address_restricted));
  });
  return known ? &i->second : nullptr;
}

void nat_box::answer_stun(port& to, const packet& request, const socket_address& mapped) {
  const auto asked = read_stun(std::span{request}.subspan(ip_header + udp_header));
  if (!asked || stun_silent_)
    return;
  const auto answer = write_stun(answer_to(*asked, mapped));
  packet data{request.begin(), request.begin() + ip_header + udp_header};
  data.insert(data.end(), answer.begin(), answer.end());
  set_number(data, 2, static_cast<std::uint16_t>(data.size()));
  set_number(data, ip_header + 4, static_cast<std::uint16_t>(udp_header + answer.size()));
  readdress(data, destination_of(request), source_of(request));
  put(to, std::move(data));
}

void nat_box::put(const port& to, packet data) {
  queue_.push({std::chrono::steady_clock::now() + delay_, ++number_, to.device, std::move(data)});
}

}  // namespace taps::testing
