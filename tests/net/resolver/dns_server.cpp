#include "taps/tests/net/resolver/dns_server.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <array>

namespace taps::testing {

namespace {

constexpr std::size_t header_size = 12;

void put16(std::string& out, unsigned x) {
  out += static_cast<char>(x >> 8 & 0xff);
  out += static_cast<char>(x & 0xff);
}

void put32(std::string& out, std::uint32_t x) {
  put16(out, x >> 16);
  put16(out, x & 0xffff);
}

void put_name(std::string& out, std::string_view name) {
  while (!name.empty()) {
    const auto label = name.substr(0, name.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    name.remove_prefix(std::min(label.size() + 1, name.size()));
  }
  out += '\0';
}

/// Reads the name that starts at `at` and moves `at` behind it.
std::string get_name(std::string_view bytes, std::size_t& at) {
  std::string result;
  while (at < bytes.size() && bytes[at] != 0) {
    const auto size = static_cast<unsigned char>(bytes[at]);
    result += (result.empty() ? "" : ".") + std::string{bytes.substr(at + 1, size)};
    at += 1 + size;
  }
  ++at;
  return result;
}

constexpr unsigned type_of(ip_family family) { return family == ip_family::v4 ? 1 : 28; }

void put_record(std::string& out, std::string_view name, unsigned type, std::uint32_t ttl,
                std::string_view data) {
  put_name(out, name);
  put16(out, type);
  put16(out, 1);
  put32(out, ttl);
  put16(out, static_cast<unsigned>(data.size()));
  out += data;
}

/// Returns the records of an answer and counts them.
std::string records_of(const std::string& name, ip_family family, const dns_server::answer& x,
                       unsigned& count) {
  std::string result;
  if (!x.alias.empty()) {
    std::string target;
    put_name(target, x.alias);
    put_record(result, name, 5, x.alias_ttl, target);
    ++count;
  }
  const auto& owner = x.alias.empty() ? name : x.alias;
  for (const auto& address : x.addresses) {
    const auto* bytes = reinterpret_cast<const char*>(address.bytes().data());
    put_record(result, owner, type_of(family), x.ttl,
               {bytes, family == ip_family::v4 ? std::size_t{4} : std::size_t{16}});
    ++count;
  }
  return result;
}

}  // namespace

dns_server::dns_server(reactor& loop, ip_family family) : loop_(&loop) {
  auto& os = loop.os();
  sockaddr_storage storage{};
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  socklen_t size = sizeof storage;
  const bool v4 = family == ip_family::v4;
  storage.ss_family = v4 ? AF_INET : AF_INET6;
  if (v4)
    reinterpret_cast<sockaddr_in&>(storage).sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  else
    reinterpret_cast<sockaddr_in6&>(storage).sin6_addr = in6addr_loopback;
  socket_ = {os, os.socket(storage.ss_family, SOCK_DGRAM, 0)};
  EXPECT_EQ(os.bind(socket_.get(), address, size), 0);
  EXPECT_EQ(os.getsockname(socket_.get(), address, &size), 0);
  // The port lies at the same place in both.
  const auto port = ntohs(reinterpret_cast<sockaddr_in&>(storage).sin_port);
  address_ = (v4 ? "127.0.0.1:" : "[::1]:") + std::to_string(port);
  EXPECT_TRUE(loop.add(socket_.get(), EPOLLIN, *this));
}

void dns_server::on_io(std::uint32_t) {
  std::array<char, 512> bytes;
  sockaddr_storage from{};
  iovec piece{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  const auto size = loop_->os().recvmsg(socket_.get(), &message, 0);
  if (size > static_cast<ssize_t>(header_size))
    respond({bytes.data(), static_cast<std::size_t>(size)}, from, message.msg_namelen);
}

void dns_server::respond(std::string_view request, const sockaddr_storage& from, socklen_t size) {
  auto at = header_size;
  const auto name = get_name(request, at);
  const auto type = static_cast<unsigned char>(request.at(at + 1));
  const auto family = type == type_of(ip_family::v4) ? ip_family::v4 : ip_family::v6;
  asked_.emplace_back(name, family);
  const auto found = zone.find(asked_.back());
  const auto code = found == zone.end() ? 3u : static_cast<unsigned>(found->second.code);
  unsigned count = 0;
  const auto records =
      found == zone.end() ? std::string{} : records_of(name, family, found->second, count);
  reply x{from, size, std::string{request.substr(0, 2)}};
  put16(x.bytes, 0x8180u | code);
  put16(x.bytes, 1);
  put16(x.bytes, count);
  put32(x.bytes, 0);
  x.bytes += request.substr(header_size, at + 4 - header_size);
  x.bytes += records;
  if (hold)
    held_.push_back(std::move(x));
  else
    send(x);
}

void dns_server::send(const reply& x) {
  auto to = x.to;
  iovec piece{const_cast<char*>(x.bytes.data()), x.bytes.size()};
  msghdr message{};
  message.msg_name = &to;
  message.msg_namelen = x.to_size;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  loop_->os().sendmsg(socket_.get(), &message, 0);
}

void dns_server::release() {
  hold = false;
  for (const auto& x : std::exchange(held_, {}))
    send(x);
}

}  // namespace taps::testing
