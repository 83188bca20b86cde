#pragma once

#include "taps/core/base/ring.hpp"
#include "taps/core/base/time.hpp"
#include "taps/core/connection/channel.hpp"
#include "taps/core/connection/connection_event.hpp"
#include "taps/core/connection/lifecycle.hpp"
#include "taps/core/connection/receive_queue.hpp"
#include "taps/core/connection/send_queue.hpp"
#include "taps/core/path/network.hpp"
#include "taps/core/properties/connection_properties.hpp"

#include <memory>
#include <optional>

namespace taps {

/// What a connection machine asks of its shell, at any time and without expecting it done at once.
class connection_host {
public:
  virtual ~connection_host() = default;
  /// Call `service` at the end of this turn.
  virtual void request_service() = 0;
  /// Stop the race; nothing of it matters any more.
  virtual void cancel_establishment() = 0;
  /// The peer opened a stream of the same association.
  virtual void on_stream(std::unique_ptr<protocol> stream) = 0;
};

/// One Connection without its actor: lifecycle, send and receive queues, framers and the protocol
/// instance below (RFC 9622, sections 8 to 10). Commands and protocol events only append; `service`
/// moves data and produces the events. Exactly one of them is terminal, and it is the last.
class connection_machine final : channel_sink {
public:
  /// How long queued data may take to leave after Close without any progress, unless `connTimeout`
  /// says otherwise; and how long framers may take to say good-bye.
  static constexpr duration flush_limit = std::chrono::seconds{30};
  static constexpr duration stop_limit = std::chrono::seconds{5};

  explicit connection_machine(connection_host& host) noexcept : host_(host) {}
  ~connection_machine() override;

  // -- establishment -----------------------------------------------------------------

  /// Gives the Connection the properties it was asked with.
  void configure(std::shared_ptr<const transport_properties> asked, establishment how);

  /// The winner of the race, ready: announces Ready.
  void establish(std::unique_ptr<channel> winner);

  void establishment_failed(error reason);

  /// Returns the Message of InitiateWithSend if it may travel with the handshake; null otherwise.
  [[nodiscard]] std::shared_ptr<const early_message> early();

  // -- commands -------------------------------------------------------------------------

  /// Queues a Send. A failure is told as SendError, too, unless the Connection has ended.
  result<void> send(send_request what);
  result<void> receive(const receive_request& what);
  /// Before there is a protocol instance the value waits for it.
  result<void> set_property(std::string_view name, property_value value);
  void close();
  void abort(error reason);

  // -- the turn ----------------------------------------------------------------------------

  /// Sends what can be sent, matches data with Receives, moves a Close on.
  void service(time_point now);

  /// When `service` must be called even if nothing happens.
  [[nodiscard]] deadline next_deadline() const noexcept { return deadline_; }

  /// The events not yet told, oldest first.
  [[nodiscard]] ring<connection_event>& events() noexcept { return events_; }

  /// Lets go of the protocol instance and all queues; nothing may follow but destruction.
  void release() noexcept;

  /// The host's links changed; announces PathChange when they are this Connection's.
  void on_links_changed(const network& before, const network& after);

  // -- properties ----------------------------------------------------------------------------

  /// Why the Connection ended; null while it lives and after a Close without error.
  [[nodiscard]] const std::shared_ptr<const error>& failure() const noexcept { return failure_; }
  [[nodiscard]] connection_state state() const noexcept;
  [[nodiscard]] bool ended() const noexcept { return state_ == lifecycle_state::ended; }
  /// Close was accepted, or the Connection has ended: what was promised is kept without an owner.
  [[nodiscard]] bool closing() const noexcept {
    return state_ == lifecycle_state::closing_early || state_ > lifecycle_state::established;
  }
  /// Whether Ready was announced, now or earlier.
  [[nodiscard]] bool established() const noexcept { return established_; }
  [[nodiscard]] bool configured() const noexcept { return properties_.has_value(); }
  /// @pre `configured()`
  [[nodiscard]] const connection_properties& properties() const noexcept { return *properties_; }
  /// `links` are the host's; null when nobody knows them.
  [[nodiscard]] connection_facts facts(const network* links = nullptr) const;
  /// Bytes given to Send that have not reached the kernel.
  [[nodiscard]] std::size_t queued_bytes() const noexcept;
  [[nodiscard]] bool can_send() const noexcept;
  [[nodiscard]] bool can_receive() const noexcept;

private:
  // -- channel_sink -----------------------------------------------------------------------------

  void on_channel_ready() override {}
  void on_channel_writable() override { host_.request_service(); }
  void on_channel_data(const message_context& context, slice data, bool end_of_message) override;
  void on_channel_broken_message(error reason) override;
  void on_channel_end(error failure) override;
  void on_channel_stopped() override;
  void on_channel_stream(std::unique_ptr<protocol> stream) override;
  void on_channel_soft_error(error reason) override;
  void on_channel_path_change() override;
  void on_channel_closed() override { apply(lifecycle_input::closed); }
  void on_channel_failed(error reason) override;

  // -- lifecycle ----------------------------------------------------------------------------------

  void apply(lifecycle_input input);
  void perform(lifecycle_action actions);
  void fail_sends();
  void end_receives();
  void announce(connection_event::kind_type kind);

  // -- moving data -------------------------------------------------------------------------------

  void send_some();
  /// Hands what was set during the establishment to the protocol; what it refuses is as before.
  [[nodiscard]] std::vector<error> hand_over_changes();
  void frame(send_request what);
  void launch(send_request&& what);
  [[nodiscard]] result<void> check_message(const send_request& what) const;
  void collect_completions();
  void answer_receives();
  void move_close_on(time_point now);
  [[nodiscard]] duration patience() const;
  void update_demand();
  connection_event& emit(connection_event::kind_type kind);
  void emit_failure(connection_event::kind_type kind, const message_context& context,
                    std::shared_ptr<const error> failure);

  connection_host& host_;
  std::unique_ptr<channel> channel_;
  std::optional<connection_properties> properties_;
  /// What was set before `configure`.
  std::vector<std::pair<std::string, property_value>> early_settings_;
  send_queue sends_;
  /// Of the Send that the framers have in hand; null for none.
  const message_context* framing_ = nullptr;
  receive_queue receives_;
  ring<connection_event> events_;
  /// Why the Connection ends, once it does.
  std::shared_ptr<const error> failure_;
  deadline deadline_;
  std::size_t left_at_deadline_ = 0;
  lifecycle_state state_ = lifecycle_state::establishing;
  bool established_ = false;
  /// What the direction asked for allows (RFC 9622, section 6.2.16).
  bool may_send_ = true;
  bool may_receive_ = true;
  bool final_sent_ = false;
  bool framers_stopped_ = false;
};

}  // namespace taps
