#pragma once

#include "taps/core/base/random.hpp"
#include "taps/tests/support/simulation/simulated_peer.hpp"
#include "taps/tests/support/simulation/simulated_wire.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace taps::testing {

/// Returns the address in `192.0.2.1:80` or `[2001:db8::1]:80`. Aborts on other texts: they are
/// mistakes of the test.
[[nodiscard]] socket_address address_of(std::string_view text);

/// Where a script applies: an address with port as text or value; port 0 stands for every port.
struct simulated_place : socket_address {
  simulated_place(const char* text) : socket_address(address_of(text)) {}
  simulated_place(const std::string& text) : socket_address(address_of(text)) {}
  simulated_place(const socket_address& where) noexcept : socket_address(where) {}
};

/// What became of an attempt to connect.
enum class attempt_outcome : std::uint8_t { pending, ready, refused, unreachable, cancelled };

[[nodiscard]] std::string_view to_string(attempt_outcome what) noexcept;

/// One attempt to connect.
struct attempt_record {
  /// Name of the protocol.
  std::string protocol;
  socket_address local;
  socket_address remote;
  /// Virtual times; `ended` is absent while the outcome is pending.
  duration started{};
  std::optional<duration> ended;
  attempt_outcome outcome = attempt_outcome::pending;
};

/// All hosts of a simulation: what each address does with those who connect, who listens where, and
/// the wires in between. An address without script accepts where something listens and otherwise
/// refuses after one round trip. A seed decides all that is random.
class simulated_network {
public:
  explicit simulated_network(std::uint64_t seed = 1) : random_(seed) {}
  simulated_network(const simulated_network&) = delete;
  simulated_network& operator=(const simulated_network&) = delete;

  /// How data travels; changes apply from then on.
  [[nodiscard]] wire_options& options() noexcept { return options_; }

  // -- script ------------------------------------------------------------------------------
  //
  // `after` counts from the start of the attempt; absent for as many round trips as the protocol
  // needs (one to be refused).

  /// Accepts; where nothing listens, a `simulated_peer` takes the connection.
  void accept(const simulated_place& where, std::optional<duration> after = {});
  void refuse(const simulated_place& where, std::optional<duration> after = {});
  /// Never answers.
  void black_hole(const simulated_place& where);
  /// The attempt fails before it starts, as without a route.
  void unreachable(const simulated_place& where);
  /// Ends the peers without a word: their shards are about to go.
  void disband() {
    on_peer_ = nullptr;
    peers_.clear();
  }
  /// From now on nothing gets to or from this address: established connections hang.
  void cut(const simulated_place& where) { cut_.insert(where.address); }
  void heal(const simulated_place& where) { cut_.erase(where.address); }

  /// Called with each new peer, before it gets anything: lets tests script what it does.
  void on_peer(std::function<void(simulated_peer&)> what) { on_peer_ = std::move(what); }

  // -- record ---------------------------------------------------------------------------------

  /// All attempts, oldest first.
  [[nodiscard]] const std::vector<attempt_record>& attempts() const noexcept { return attempts_; }
  /// The peers that `accept` made, oldest first; they stay until `disband`.
  [[nodiscard]] const std::vector<std::unique_ptr<simulated_peer>>& peers() const noexcept {
    return peers_;
  }
  [[nodiscard]] std::uint64_t bytes_sent() const noexcept { return bytes_sent_; }
  [[nodiscard]] std::uint64_t packets_sent() const noexcept { return packets_sent_; }
  [[nodiscard]] std::size_t num_listeners() const noexcept { return listeners_.size(); }

  // -- for transports -----------------------------------------------------------------------

  using descriptor_ptr = std::shared_ptr<const transport_descriptor>;

  [[nodiscard]] result<std::unique_ptr<protocol>> connect(simulated_shard& home,
                                                          descriptor_ptr what, socket_address local,
                                                          const socket_address& remote,
                                                          protocol_sink& sink);
  [[nodiscard]] result<std::unique_ptr<acceptor>> listen(simulated_shard& home, descriptor_ptr what,
                                                         const listen_request& request,
                                                         acceptor_sink& sink);

  // -- for wires ----------------------------------------------------------------------------

  /// Finds or makes the peer that a connectionless end's packet gets to; null for none.
  std::shared_ptr<wire_end> reach(const std::shared_ptr<wire_end>& from);
  [[nodiscard]] duration travel_time();
  [[nodiscard]] bool loses();
  [[nodiscard]] bool is_cut(const socket_address& where) const {
    return cut_.count(where.address) > 0;
  }
  void count_sent(std::size_t bytes) noexcept {
    bytes_sent_ += bytes;
    ++packets_sent_;
  }

private:
  class listening_socket;

  enum class reaction : std::uint8_t { accept, refuse, black_hole, unreachable };

  struct script {
    reaction what = reaction::refuse;
    std::optional<duration> after;
  };

  [[nodiscard]] script script_for(const transport_descriptor& what, const socket_address& remote);
  [[nodiscard]] listening_socket* find_listener(const transport_descriptor& what,
                                                const socket_address& where);
  [[nodiscard]] bool is_taken(const transport_descriptor& what, const socket_address& where,
                              port_sharing sharing) const;
  void start(const std::shared_ptr<wire_end>& client, script what, std::size_t record);
  std::shared_ptr<wire_end> make_server(const std::shared_ptr<wire_end>& client);
  void finish_attempt(std::size_t record, duration now, attempt_outcome outcome);
  [[nodiscard]] std::uint16_t next_port() noexcept;

  wire_options options_;
  random_source random_;
  std::map<socket_address, script> scripts_;
  std::set<ip_address> cut_;
  std::function<void(simulated_peer&)> on_peer_;
  std::vector<attempt_record> attempts_;
  std::vector<std::unique_ptr<simulated_peer>> peers_;
  std::vector<listening_socket*> listeners_;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t packets_sent_ = 0;
  std::uint64_t turns_ = 0;
  std::uint16_t port_ = 49151;
};

}  // namespace taps::testing
