#pragma once

#include "taps/net/reactor/reactor.hpp"
#include "taps/net/resolver/dns_resolver.hpp"

#include <ares.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

namespace taps {

/// One c-ares channel on a reactor: its sockets are watched by the reactor and made through the
/// kernel seam, its time-outs are a timer. c-ares reads the real clock for these.
class dns_channel {
public:
  explicit dns_channel(reactor& loop);
  dns_channel(const dns_channel&) = delete;
  dns_channel& operator=(const dns_channel&) = delete;
  /// Queries that still run get their callbacks, with `ARES_EDESTRUCTION`.
  ~dns_channel();

  /// Prepares for queries; everything but `hosts_file` counts. The hosts file is not consulted.
  [[nodiscard]] result<void> open(const dns_options& options);

  /// Returns and forgets why the last socket could not be made, as an `errno`; 0 if it could.
  /// c-ares tells that like a server that cannot be reached.
  [[nodiscard]] int take_socket_error() noexcept { return std::exchange(socket_error_, 0); }

  /// Starts a query; the callback may come before this returns.
  void query(const std::string& name, ip_family family, ares_addrinfo_callback done, void* context);

  /// Starts a query for records that c-ares leaves to its caller to read.
  void query(const std::string& name, dns_record type, ares_callback done, void* context);

private:
  class watched_socket;

  void process(ares_socket_t readable, ares_socket_t writable);
  void arm_timer();
  void watch(int fd, bool read, bool write);
  static void on_timer(void* self);
  static void on_socket_state(void* self, ares_socket_t fd, int read, int write);
  int open_socket(int family, int type, int protocol);
  static const ares_socket_functions& socket_functions();

  reactor* loop_;
  std::string interface_;
  ares_channel channel_ = nullptr;
  std::map<int, std::unique_ptr<watched_socket>> sockets_;
  timer timer_{on_timer, this};
  int socket_error_ = 0;
};

}  // namespace taps
