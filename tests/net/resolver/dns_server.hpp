#pragma once

#include "taps/core/endpoint/ip_address.hpp"
#include "taps/net/reactor/reactor.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace taps::testing {

/// A DNS server on a loopback port of the kernel's choice, in the reactor of the test: it answers
/// what the test put into `zone`, when the test wants it. Names it does not have do not exist.
class dns_server : public io_source {
public:
  using question = std::pair<std::string, ip_family>;

  struct answer {
    std::vector<ip_address> addresses;
    std::uint32_t ttl = 60;
    /// 0 success, 2 server failure, 3 no such name, 5 refused.
    int code = 0;
    /// The name is an alias for this one, for `alias_ttl` seconds.
    std::string alias;
    std::uint32_t alias_ttl = 60;
  };

  explicit dns_server(reactor& loop, ip_family family = ip_family::v4);

  std::map<question, answer> zone;
  /// Keeps answers until `release`; lost ones are never sent.
  bool hold = false;

  /// Sends what was held.
  void release();

  /// `address:port`, as the options of a resolver want it.
  [[nodiscard]] const std::string& address() const noexcept { return address_; }
  /// What was asked so far.
  [[nodiscard]] const std::vector<question>& asked() const noexcept { return asked_; }

  void on_io(std::uint32_t events) override;

private:
  struct reply {
    sockaddr_storage to;
    socklen_t to_size;
    std::string bytes;
  };

  void respond(std::string_view request, const sockaddr_storage& from, socklen_t size);
  void send(const reply& x);

  reactor* loop_;
  sys::descriptor socket_;
  std::string address_;
  std::vector<question> asked_;
  std::vector<reply> held_;
};

}  // namespace taps::testing
