#pragma once

#include "taps/tests/conformance/support/posix.hpp"

#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace taps::testing {

/// A DNS server on a loopback port of its own, so that no test depends on the network around it. It
/// knows the IPv4 addresses of some names; all other names do not exist.
class name_server {
public:
  name_server()
      : socket_(posix_bind(0, AF_INET, SOCK_DGRAM)),
        address_("127.0.0.1:" + std::to_string(socket_.port())), thread_([this] { serve(); }) {}

  ~name_server() {
    // An empty datagram ends the thread.
    auto bell = posix_connect(socket_.port(), AF_INET, SOCK_DGRAM);
    ::send(bell.get(), "", 0, 0);
    thread_.join();
  }

  /// `address:port`.
  [[nodiscard]] const std::string& address() const noexcept { return address_; }

  void add(const std::string& name, const std::string& ipv4) {
    std::lock_guard guard{mutex_};
    zone_[name].push_back(ipv4);
  }

  /// The names asked for, once per query.
  [[nodiscard]] std::vector<std::string> asked() const {
    std::lock_guard guard{mutex_};
    return asked_;
  }

private:
  static constexpr std::size_t header_size = 12;
  static constexpr char type_a = 1;
  static constexpr char no_such_name = 3;

  void serve() {
    for (;;) {
      char buffer[512];
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      auto* sender = reinterpret_cast<sockaddr*>(&from);
      const auto n = ::recvfrom(socket_.get(), buffer, sizeof buffer, 0, sender, &size);
      if (n == 0)
        return;
      if (n < static_cast<ssize_t>(header_size))
        continue;
      const auto reply = answer({buffer, static_cast<std::size_t>(n)});
      ::sendto(socket_.get(), reply.data(), reply.size(), 0, sender, size);
    }
  }

  std::string answer(const std::string& query) {
    std::string name;
    auto at = header_size;
    while (at < query.size() && query[at] != 0) {
      const auto length = static_cast<std::size_t>(query[at]);
      name += (name.empty() ? "" : ".") + query.substr(at + 1, length);
      at += length + 1;
    }
    const auto type = at + 2 < query.size() ? query[at + 2] : '\0';
    std::lock_guard guard{mutex_};
    asked_.push_back(name);
    const auto found = zone_.find(name);
    const auto exists = found != zone_.end();
    std::vector<std::string> addresses;
    if (exists && type == type_a)
      addresses = found->second;
    // The query's id; a response of one that recurses; the question; the answers.
    auto reply =
        query.substr(0, 2) + '\x81' + (exists ? '\x80' : static_cast<char>(0x80 | no_such_name));
    reply += std::string{"\0\1\0", 3} + static_cast<char>(addresses.size()) + std::string(4, '\0');
    reply += query.substr(header_size, at + 5 - header_size);
    for (const auto& x : addresses) {
      in_addr address{};
      ::inet_pton(AF_INET, x.c_str(), &address);
      // The name of the question, A, IN, a minute, four bytes.
      reply += std::string{"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4", 12};
      reply.append(reinterpret_cast<const char*>(&address), sizeof address);
    }
    return reply;
  }

  posix_socket socket_;
  std::string address_;
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<std::string>> zone_;
  std::vector<std::string> asked_;
  std::thread thread_;
};

}  // namespace taps::testing
