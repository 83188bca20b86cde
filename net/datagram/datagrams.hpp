#pragma once

#include "taps/core/transport/outbound.hpp"
#include "taps/core/transport/rate_limit.hpp"
#include "taps/net/datagram/checksums.hpp"
#include "taps/net/reactor/reactor.hpp"
#include "taps/net/socket/native_address.hpp"

#include <array>
#include <memory>
#include <optional>
#include <vector>

namespace taps {

/// One received datagram.
struct datagram {
  slice data;
  socket_address from;
  /// Where it was sent to; known on listening sockets only.
  std::optional<ip_address> to;
  /// The ECN codepoint it arrived with.
  std::optional<std::uint8_t> ecn;
};

/// Reads and writes datagrams many at a time; the sockets of a shard share one. No state remains
/// between calls.
class datagram_io {
public:
  /// How many datagrams one call reads at most.
  static constexpr std::size_t batch = 8;
  using inbound_batch = std::array<datagram, batch>;

  explicit datagram_io(reactor& loop);

  /// Reads what is there, at most a batch; returns how many, or `-errno`.
  int receive(int fd, inbound_batch& result);

  /// Where datagrams go on a socket that is not connected, and which address they come from.
  struct route {
    native_address to;
    std::optional<ip_address> from;
  };

  struct outcome {
    /// The kernel has no room: what is left waits.
    bool blocked = false;
    /// The rate allows no more for now: what is left waits.
    bool limited = false;
    /// An ICMP error that came in for an earlier datagram, or 0.
    int soft_error = 0;
  };

  /// What holds for all that leaves by a socket, and for one Connection on it.
  struct manner {
    std::size_t max_size = 0;
    ip_family family = ip_family::v4;
    sent_checksums* checksums = nullptr;
    std::int64_t checksum_length = full_checksum;
    /// Of Messages that have none themselves; absent: as the socket marks them.
    std::optional<capacity_profile> profile{};
    /// Null for no limit.
    rate_limit* rate = nullptr;
  };

  /// Sends the complete Messages of `queue`; `where` is null on connected sockets. Those that can
  /// never go out are failed.
  outcome send(int fd, outbound_queue& queue, const manner& how, const route* where);

private:
  struct inbound_slot {
    native_address from;
    std::array<iovec, 2> room;
    alignas(cmsghdr) std::array<std::byte, 128> control;
  };

  void prepare(std::span<std::byte> space);
  void read_control(const msghdr& header, datagram& x) const;
  void gather(const outbound_queue& queue, const manner& how);
  void address(const route* where, const manner& how);
  [[nodiscard]] int write(int fd);

  reactor* loop_;
  std::array<inbound_slot, batch> slots_;
  std::array<mmsghdr, batch> inbound_;
  /// Where the tails of large datagrams go.
  std::unique_ptr<std::byte[]> tails_;
  std::vector<iovec> pieces_;
  std::vector<mmsghdr> outbound_;
  /// Size of the first complete Message.
  std::size_t first_size_ = 0;
  /// What all Messages gathered have in common.
  checksum_option checksum_;
  std::optional<capacity_profile> profile_;
  alignas(cmsghdr) std::array<std::byte, 64> control_;
};

}  // namespace taps
