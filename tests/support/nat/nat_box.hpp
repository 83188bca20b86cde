#pragma once

#include "taps/core/endpoint/socket_address.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <queue>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace taps::testing {

/// A host of its own within this program: a thread in a network namespace of its own. What it
/// starts is there, too: threads, and commands of `shell`.
class hermit {
public:
  hermit();
  hermit(const hermit&) = delete;
  hermit& operator=(const hermit&) = delete;
  ~hermit();

  /// Runs `task` there and waits for it.
  void run(const std::function<void()>& task);
  void shell(const std::string& command);
  /// The number of its thread, by which others find its namespace.
  [[nodiscard]] int id() const noexcept { return id_; }

private:
  void live();

  int id_ = -1;
  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void()>* task_ = nullptr;
  bool over_ = false;
  std::thread thread_;
};

/// How a host is attached (RFC 4787): which of its ports share a mapping, and who may answer.
enum class nat_type { router, full_cone, address_restricted, port_restricted, symmetric };

/// An Internet in user space: between the TUN devices of two hosts, each behind a NAT of its own,
/// and with a STUN server. IPv4 only; NATs pass UDP, routers anything.
class nat_box {
public:
  /// Its STUN server.
  static constexpr std::uint16_t stun_port = 3478;
  static ip_address stun_address() { return ip_address{ip_address::v4_bytes{192, 0, 2, 250}}; }

  nat_box();
  nat_box(const nat_box&) = delete;
  nat_box& operator=(const nat_box&) = delete;
  ~nat_box();

  /// Gives a host the device `nat0` with an address, and a way to everywhere. `outside` is what its
  /// NAT calls it; a router leaves its address alone.
  void attach(hermit& who, nat_type type, const std::string& inside, const std::string& outside);

  /// Starts to carry packets, each for so long.
  void start(std::chrono::milliseconds delay);

  /// Has STUN requests go unanswered.
  void silence_stun() noexcept { stun_silent_ = true; }
  /// How many packets that open a TCP connection came from that side.
  [[nodiscard]] int opening_packets(std::size_t side) const;

private:
  using packet = std::vector<std::byte>;

  struct port {
    int device = -1;
    nat_type type = nat_type::router;
    ip_address inside;
    ip_address outside;
    /// Where a mapping leads, by its number.
    std::map<std::uint16_t, socket_address> mappings;
    /// Whom it was used for.
    std::map<std::uint16_t, std::vector<socket_address>> contacts;
    /// Numbers by local end, and for symmetric NATs the remote one.
    std::map<std::pair<socket_address, socket_address>, std::uint16_t> numbers;
    std::uint16_t next = 40001;
    int opening = 0;
  };

  struct delayed {
    std::chrono::steady_clock::time_point due;
    std::size_t number;
    int device;
    packet data;
    bool operator<(const delayed& x) const {
      return std::pair{x.due, x.number} < std::pair{due, number};
    }
  };

  void live();
  void take(port& from);
  void translate(port& from, packet data);
  void answer_stun(port& to, const packet& request, const socket_address& mapped);
  [[nodiscard]] socket_address map(port& from, const socket_address& local,
                                   const socket_address& remote);
  [[nodiscard]] const socket_address* let_in(const port& to, const socket_address& from,
                                             std::uint16_t number) const;
  void put(const port& to, packet data);

  int stop_[2] = {-1, -1};
  std::vector<port> ports_;
  std::priority_queue<delayed> queue_;
  std::size_t number_ = 0;
  std::chrono::milliseconds delay_{0};
  std::atomic<bool> stun_silent_{false};
  mutable std::mutex mutex_;
  std::thread thread_;
};

}  // namespace taps::testing
