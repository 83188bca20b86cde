#pragma once

#include "taps/core/base/timer_queue.hpp"
#include "taps/core/path/network.hpp"
#include "taps/net/reactor/reactor.hpp"

#include <functional>
#include <string>
#include <vector>

namespace taps {

struct path_monitor_options {
  /// Provisioning domains that the application declares; they replace derived ones of their name.
  std::vector<provisioning_domain> domains;
  /// Where the kernel shows its devices.
  std::string sysfs = "/sys";
  /// Where the system keeps resolver configuration per interface: each file below it that is named
  /// after an interface, or after its index, makes a provisioning domain of the interface's name.
  std::vector<std::string> resolver_folders = {
      "/run/systemd/netif/links", "/run/resolvconf/interface", "/run/NetworkManager/devices"};
};

/// Watches interfaces, addresses and routes of this host. Belongs to the thread of its reactor,
/// which it must not outlive. What it hands out may go anywhere.
class path_monitor final : public io_source {
public:
  using observer = std::function<void(network_ptr)>;

  /// `changed` is called from the reactor's loop after each change.
  path_monitor(reactor& loop, path_monitor_options options, observer changed);
  ~path_monitor() override;

  /// Looks once, and from then on at every change. The error of a host that does not tell; one that
  /// only lacks descriptors or memory is asked again, once a second.
  [[nodiscard]] result<void> start();

  /// Never null; unknown before `start`.
  [[nodiscard]] const network_ptr& current() const noexcept { return current_; }

private:
  void on_io(std::uint32_t events) override;
  void on_later() override;
  void on_timer();
  void look_soon();
  [[nodiscard]] result<void> subscribe();
  [[nodiscard]] result<void> catch_up();
  [[nodiscard]] result<network> look() const;

  reactor* loop_;
  path_monitor_options options_;
  observer changed_;
  sys::descriptor socket_;
  network_ptr current_ = std::make_shared<const network>();
  timer timer_;
  time_point next_look_{};
};

}  // namespace taps
