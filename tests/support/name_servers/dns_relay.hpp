#pragma once

#include "taps/tests/support/dns_message/dns_message.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace taps::testing {

/// Stands between a resolver and a DNS server, over UDP, and keeps answers back as the test wants
/// it. In a thread of its own; all functions are for any thread.
class dns_relay {
public:
  /// Relays to a port of this host.
  explicit dns_relay(std::uint16_t server);
  dns_relay(const dns_relay&) = delete;
  dns_relay& operator=(const dns_relay&) = delete;
  ~dns_relay();

  /// `address:port`, for the options of a resolver.
  [[nodiscard]] const std::string& address() const noexcept { return address_; }

  /// Keeps back answers to questions of this type for a while, or for ever.
  void delay(dns_type type, std::chrono::milliseconds x);
  void lose(dns_type type) { delay(type, std::chrono::milliseconds::max()); }

  /// The types of the questions that came, in their order.
  [[nodiscard]] std::vector<unsigned> asked() const;

private:
  using clock = std::chrono::steady_clock;

  struct held_answer {
    clock::time_point due;
    std::string bytes;
  };

  void run();
  void take_question();
  void take_answer();
  [[nodiscard]] int milliseconds_left() const;
  void send_what_is_due();

  int front_ = -1;
  int back_ = -1;
  std::string address_;
  std::map<unsigned, sockaddr_in> clients_;
  std::vector<held_answer> held_;
  mutable std::mutex mutex_;
  std::map<unsigned, std::chrono::milliseconds> delays_;
  std::vector<unsigned> asked_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace taps::testing
