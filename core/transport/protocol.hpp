#pragma once

#include "taps/core/base/result.hpp"
#include "taps/core/base/slice.hpp"
#include "taps/core/base/time.hpp"
#include "taps/core/endpoint/socket_address.hpp"
#include "taps/core/properties/property_value.hpp"
#include "taps/core/properties/transport_properties.hpp"
#include "taps/core/transport/descriptor.hpp"
#include "taps/core/transport/outbound.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace taps {

class meeting;
class meeting_sink;
struct meeting_request;
class protocol;

/// What comes with inbound data.
struct inbound_info {
  /// The data ends a Message (datagrams), or the stream (byte streams).
  bool end_of_message = false;
  /// The peer will send nothing after this.
  bool final = false;
  /// Came before the handshake ended, so it may be a replay.
  bool early_data = false;
  /// The ECN codepoint of the packet, where the stack knows it.
  std::optional<std::uint8_t> ecn{};
};

/// The upper side of a protocol instance: whoever drives it. All calls come from the thread of the
/// instance's shard, never from inside a call to the instance.
class protocol_sink {
public:
  virtual ~protocol_sink() = default;

  /// The whole stack of the instance is ready to carry data. Once.
  virtual void on_ready() = 0;
  /// `flush` may find room again after it left data in the queue.
  virtual void on_writable() = 0;
  /// Inbound data; only after demand was set.
  virtual void on_data(slice data, const inbound_info& info) = 0;
  /// The peer opened another stream of the same association.
  virtual void on_inbound_stream(std::unique_ptr<protocol> stream) = 0;
  /// Trouble that ends nothing (RFC 9622, section 8.3.1).
  virtual void on_soft_error(error reason) = 0;
  virtual void on_path_change() = 0;
  /// Ended in order: the answer to `close`, or both directions are finished. Terminal.
  virtual void on_closed() = 0;
  /// Ended by a failure. Terminal.
  virtual void on_failed(error reason) = 0;
};

/// Message sizes of an instance in bytes; 0 means that the direction is unusable, absent that the
/// notion does not apply (RFC 9622, section 8.1.11).
struct message_limits {
  std::optional<std::uint64_t> singular_transmission;
  std::uint64_t send = 0;
  std::uint64_t receive = 0;
  /// What may travel with the handshake.
  std::optional<std::uint64_t> zero_rtt{};
};

/// One protocol instance, or stack of instances, behind one Connection: the lower side. Belongs to
/// one shard and is used by its thread only. Destroying it releases its descriptors at once without
/// further calls to the sink, and like `abort` on the wire.
class protocol {
public:
  virtual ~protocol() = default;

  /// Directs what follows to `sink`, for instance from a candidate to the Connection it won for.
  virtual void set_sink(protocol_sink& sink) noexcept = 0;

  // -- data ----------------------------------------------------------------------

  /// Takes as much from `queue` as goes out now; if some is left, `on_writable` follows.
  virtual void flush(outbound_queue& queue) = 0;

  /// Lets the instance hand up inbound data (true), or holds it back so that the peer's window
  /// closes (false, the initial state). Never calls the sink from inside: data that waits already
  /// is handed up later, from the shard's loop.
  virtual void set_demand(bool wanted) = 0;

  // -- streams and termination -------------------------------------------------------

  /// Opens another stream of the same association. Default: `NotSupported`.
  virtual result<std::unique_ptr<protocol>> open_stream();

  /// Ends in order: everything flushed so far arrives, inbound data is dropped; then `on_closed`,
  /// or `on_failed` when that takes too long. The queue has been drained by `flush` before.
  virtual void close() = 0;

  /// Ends at once, telling the peer where the protocol can. No call to the sink follows.
  virtual void abort() = 0;

  // -- properties ----------------------------------------------------------------------

  [[nodiscard]] virtual const transport_descriptor& descriptor() const noexcept = 0;
  /// What it has become, which is another protocol after a fallback. May ask the kernel. Default:
  /// `descriptor()`.
  [[nodiscard]] virtual const transport_descriptor& spoken() const;
  [[nodiscard]] virtual socket_address local() const = 0;
  [[nodiscard]] virtual socket_address remote() const = 0;
  [[nodiscard]] virtual message_limits limits() const = 0;

  /// Tells whether something that the protocol can do without is on now. Default: absent, which
  /// stands for "if it was asked for".
  [[nodiscard]] virtual std::optional<bool> provides(feature what) const;

  /// Applies a Connection Property to the running instance. Properties the protocol does not honour
  /// are accepted without effect.
  virtual result<void> set_property(property_id id, const property_value& value);
};

// -- factories -----------------------------------------------------------------------------

/// What a candidate is made of: the input of one attempt.
struct connect_request {
  socket_address remote;
  /// Local address and port to bind; a wildcard address or port 0 leaves that part to the kernel.
  std::optional<socket_address> local;
  /// Interface all packets must use; empty for no restriction.
  std::string interface;
  /// Name for peer verification and virtual hosting.
  std::string hostname;
  std::shared_ptr<const transport_properties> properties;
  std::optional<std::uint8_t> hop_limit;
  /// Data that may be sent, and arrive, more than once: as much of it as fits may travel with the
  /// handshake and is then taken from the queue. Null for none; not kept.
  outbound_queue* early = nullptr;
};

/// Who may listen at one address and port. A Listener's first socket finds out whether the place is
/// free, and keeps it from then on: at no time could two Listeners get it.
enum class port_sharing : std::uint8_t {
  /// One socket alone.
  none,
  /// Has the place to itself when it opens, then lets those of other shards in.
  first,
  /// Joins the first one.
  further,
};

/// What a protocol's sockets at one place have in common, on whatever shards they are. For all
/// threads.
class shared_place {
public:
  virtual ~shared_place() = default;
  /// All shards have joined.
  virtual void complete() = 0;
};

/// What to hear of a multicast group (RFC 9622, section 6.1.1).
struct group_membership {
  /// Only what these send; empty for any source.
  std::vector<ip_address> sources;
  /// The kernel's indices of the interfaces to join at; 0 leaves it to the kernel.
  std::vector<std::uint32_t> interfaces;

  friend bool operator==(const group_membership&, const group_membership&) = default;
};

struct listen_request {
  socket_address local;
  std::string interface;
  std::shared_ptr<const transport_properties> properties;
  port_sharing sharing = port_sharing::none;
  /// What the first one shares; for further ones.
  std::shared_ptr<shared_place> shared{};
  /// Present when `local` is a multicast group and its port, which others may hear, too.
  std::optional<group_membership> group{};
};

/// Takes what an acceptor brings. Calls as for `protocol_sink`.
class acceptor_sink {
public:
  virtual ~acceptor_sink() = default;
  /// An inbound Connection, established. The instance's sink must be set before the call returns.
  virtual void on_accepted(std::unique_ptr<protocol> instance) = 0;
  /// Accepting stumbled (say, descriptors ran out) but goes on.
  virtual void on_soft_error(error reason) = 0;
};

/// A bound, accepting socket of one protocol. Destroying it stops accepting; instances that it
/// brought live on.
class acceptor {
public:
  virtual ~acceptor() = default;
  [[nodiscard]] virtual socket_address local() const = 0;
  /// What further ones at this place are to be given. Null for protocols that share nothing.
  [[nodiscard]] virtual std::shared_ptr<shared_place> shared() const { return nullptr; }
  /// The links changed: a group is to be heard at these interfaces from now on. Default: nothing.
  virtual void join(std::span<const std::uint32_t> interfaces);
};

/// Makes instances of one protocol on one shard.
class transport {
public:
  virtual ~transport() = default;

  [[nodiscard]] virtual const transport_descriptor& descriptor() const noexcept = 0;

  /// Starts an attempt; its outcome goes to `sink` as `on_ready` or `on_failed`. An error that is
  /// known at once is returned instead.
  [[nodiscard]] virtual result<std::unique_ptr<protocol>> connect(const connect_request& request,
                                                                  protocol_sink& sink) = 0;

  /// Listens; with port 0 the kernel chooses one. A port in use is an error with that code.
  [[nodiscard]] virtual result<std::unique_ptr<acceptor>> listen(const listen_request& request,
                                                                 acceptor_sink& sink) = 0;

  /// Opens one end of a Rendezvous (`meeting.hpp`). Default: `NotSupported`.
  [[nodiscard]] virtual result<std::unique_ptr<meeting>> meet(const meeting_request& request,
                                                              meeting_sink& sink);
};

}  // namespace taps
