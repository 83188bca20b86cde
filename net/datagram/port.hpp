#pragma once

#include "taps/core/transport/protocol.hpp"
#include "taps/net/datagram/datagrams.hpp"
#include "taps/net/datagram/kind.hpp"
#include "taps/net/datagram/membership.hpp"
#include "taps/net/datagram/options.hpp"
#include "taps/net/reactor/reactor.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace taps {

class datagram_child;
class datagram_port;

/// The two ends of a datagram on a listening socket, but for the local port.
struct datagram_flow {
  socket_address remote;
  ip_address local;

  friend bool operator==(const datagram_flow&, const datagram_flow&) noexcept = default;

  struct hash {
    std::size_t operator()(const datagram_flow& x) const noexcept {
      return std::hash<socket_address>{}(x.remote) * 31 + std::hash<ip_address>{}(x.local);
    }
  };
};

/// The sockets of a Listener at one place, one per shard. The kernel divides flows among them
/// by their number, so that it must not change while there are Connections: datagrams would go to
/// sockets that know nothing of them. Until all sockets are there none hears anything, and none
/// closes before all have nothing to do any more. For all threads.
class datagram_place final : public shared_place {
public:
  /// Makes a socket deaf; before it is bound.
  static void deafen(sys::kernel& os, int socket);
  /// Adds a deaf socket. It comes back by `keep`.
  void join(sys::kernel& os, int socket);
  void complete() override;
  /// Keeps a socket that has nothing to do any more until all have.
  void keep(sys::descriptor socket);

private:
  std::mutex mutex_;
  std::vector<std::pair<sys::kernel*, int>> deaf_;
  std::vector<sys::descriptor> idle_;
};

/// Looks at datagrams before Connections get them.
class datagram_filter {
public:
  virtual ~datagram_filter() = default;
  /// Returns false for one that no Connection is to get. May end the life of all that the port
  /// brought.
  virtual bool pass(datagram_port& port, const datagram& x) = 0;
};

/// The socket of a Listener and the Connections that share it (RFC 9623, section 4.7.2): each
/// datagram goes to the Connection of its flow; without one it makes one. The acceptor and the
/// Connections hold it together, so it outlives a Listener that stopped.
class datagram_port final : public io_source, public std::enable_shared_from_this<datagram_port> {
public:
  /// How many Connections there may be at once; further peers are dropped.
  static constexpr std::size_t max_children = 65536;

  /// `place` is null for a socket alone.
  datagram_port(reactor& loop, const datagram_kind& kind, sys::descriptor socket,
                std::shared_ptr<datagram_io> io, std::shared_ptr<datagram_place> place,
                const listen_request& request, acceptor_sink& sink);
  ~datagram_port() override;

  /// Registers the socket.
  [[nodiscard]] result<void> start();

  /// Has a group heard at these interfaces, and no others. For as long as this lives: the
  /// Connections of its senders need it, too.
  [[nodiscard]] result<void> join(std::span<const std::uint32_t> interfaces) {
    return membership_ ? membership_->hear_at(interfaces) : result<void>{};
  }

  /// From now on, new peers are dropped.
  void stop_accepting() noexcept { sink_ = nullptr; }

  void set_filter(std::shared_ptr<datagram_filter> filter) noexcept { filter_ = std::move(filter); }

  /// Makes a Connection to a peer that has not been heard of. Null if there is one.
  [[nodiscard]] std::unique_ptr<datagram_child> open(const socket_address& remote);

  /// Whether there is a Connection for what comes from there.
  [[nodiscard]] bool has_flow(const datagram& x) const { return children_.contains(flow_of(x)); }

  /// Sends one datagram past all Connections, if there is room.
  void send_past(const socket_address& to, std::span<const std::byte> data);

  [[nodiscard]] const socket_address& local() const noexcept { return local_; }
  [[nodiscard]] const std::shared_ptr<datagram_place>& shared() const noexcept { return place_; }

  /// What its Connections begin with.
  [[nodiscard]] const datagram_wishes& wishes() const noexcept { return wishes_; }
  [[nodiscard]] sent_checksums& checksums() noexcept { return checksums_; }
  [[nodiscard]] const datagram_kind& kind() const noexcept { return *kind_; }

  // -- for the Connections -------------------------------------------------------------

  /// Sends what `queue` holds; if some stays behind, `datagram_child::on_room` follows. Returns
  /// true if the rate is what keeps it.
  bool flush(datagram_child& child, outbound_queue& queue, const datagram_io::manner& how);

  /// Forgets a Connection: the next datagram of its flow makes a new one.
  void leave(datagram_child& child);

  /// Counts a datagram that nobody had room for.
  void count_drop() noexcept { ++dropped_; }

  /// Datagrams dropped because a Connection's inbox was full, there were too many Connections, or
  /// the Listener has stopped.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

private:
  void on_io(std::uint32_t events) override;
  void on_later() override;
  void receive();
  void dispatch(datagram x);
  [[nodiscard]] datagram_flow flow_of(const datagram& x) const noexcept {
    return {x.from, x.to.value_or(local_.address)};
  }
  void notify_waiting();
  void look_for_trouble();

  reactor* loop_;
  const datagram_kind* kind_;
  sys::descriptor socket_;
  std::shared_ptr<datagram_io> io_;
  std::shared_ptr<datagram_place> place_;
  std::optional<membership> membership_;
  acceptor_sink* sink_;
  std::shared_ptr<datagram_filter> filter_;
  socket_address local_;
  sent_checksums checksums_;
  datagram_wishes wishes_;
  std::unordered_map<datagram_flow, datagram_child*, datagram_flow::hash> children_;
  /// Those who wait for room to send; null for those who left meanwhile.
  std::vector<datagram_child*> waiting_;
  std::vector<datagram_child*> notified_;
  std::uint64_t dropped_ = 0;
  bool blocked_ = false;
};

}  // namespace taps
