#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace taps::testing {

/// A dnsmasq process on 127.0.0.1 that knows all of the zone `test`; gone with the object.
class dnsmasq {
public:
  static constexpr const char* path = "/usr/sbin/dnsmasq";

  /// Tells whether the program is there.
  [[nodiscard]] static bool installed();

  /// Starts it with options that say what is in the zone, e.g. `--host-record=a.test,192.0.2.1`.
  explicit dnsmasq(const std::vector<std::string>& records);
  dnsmasq(const dnsmasq&) = delete;
  dnsmasq& operator=(const dnsmasq&) = delete;
  ~dnsmasq();

  [[nodiscard]] bool running() const noexcept { return process_ > 0; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] const std::string& log() const noexcept { return log_; }

private:
  void start(const std::vector<std::string>& records);
  void wait_until_started(int log);
  void stop();

  pid_t process_ = -1;
  std::uint16_t port_ = 0;
  std::string log_;
  /// Kept open, so that the process can go on talking.
  int log_pipe_ = -1;
};

}  // namespace taps::testing
