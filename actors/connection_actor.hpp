#pragma once

#include "taps/actors/internal_messages.hpp"
#include "taps/actors/messages.hpp"
#include "taps/actors/owner_watch.hpp"
#include "taps/actors/pinned.hpp"
#include "taps/core/connection/connection_machine.hpp"
#include "taps/core/connection/handshake.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace taps {

/// How a Connection starts.
struct connection_origin {
  caf::actor owner;
  event_set events = event_set::none;
  /// The Listener it came by; null for Connections that are initiated.
  std::shared_ptr<const listening> accepted_by;
  /// Initiate and Clone, or Rendezvous; accepted ones do not look at it.
  establishment how = establishment::initiate;
  /// Of Initiate and Rendezvous: absent for no limit.
  std::optional<duration> timeout;
  /// The Connection this one is cloned from; null for others.
  caf::strong_actor_ptr parent;
};

/// The interface between a Connection and the rest of Tapline.
using connection_interface =
    connection::extend<caf::reacts_to<equip_order>, caf::reacts_to<race_outcome>,
                       caf::reacts_to<first_send>, caf::reacts_to<clone_failure>,
                       caf::reacts_to<admitted>>;

/// The actor of one Connection: carries commands to its machine and the machine's events to the
/// owner. A command of an owner on the same shard, and an event to it, need no mailbox.
class connection_actor final : public pinned<connection_interface::base, caf_clock::unused>,
                               connection_host,
                               handshake_sink,
                               serviced,
                               owned,
                               resident {
public:
  connection_actor(caf::actor_config& cfg, shard_ptr home, connection_origin origin);
  ~connection_actor() override;

  const char* name() const override { return "taps.connection"; }
  bool cleanup(caf::error&& reason, caf::execution_unit* host) override;

  /// The Connection behind a handle if it lives on this thread's shard and can be called directly
  /// without overtaking anything sent to it before; null otherwise.
  [[nodiscard]] static connection_actor* local(const connection& handle) noexcept;

  // -- direct commands: same shard, `local` has returned this ------------------------------------

  void send_now(send_command what);
  void receive_now(const receive_request& what);
  void close_now();
  void abort_now();

  // -- beginnings: right after it was spawned lazily on this thread's shard ----------------------

  /// Starts out with an inbound protocol instance: announces itself once the framers are ready.
  /// @pre the origin names a Listener
  void accept(std::unique_ptr<protocol> instance);

  /// Establishes itself; `first` is the Message of InitiateWithSend.
  void initiate(const config_ptr& config, std::optional<first_send> first);

protected:
  behavior_type make_behavior() override;
  void on_exit() override;

private:
  // -- connection_host ---------------------------------------------------------------------------

  void request_service() override {
    if (serving_)
      asked_ = true;
    else
      home().request_service(*this);
  }
  void cancel_establishment() override;
  void on_stream(std::unique_ptr<protocol> stream) override;

  // -- handshake_sink ----------------------------------------------------------------------------

  void on_handshake_done() override { request_service(); }

  // -- other callers -----------------------------------------------------------------------------

  void on_service() override;
  void on_owner_down() override;
  void on_shutdown(bool at_once) override;
  void on_links_changed(const network& before, const network& after) override;
  connection_actor* as_connection() noexcept override { return this; }

  // -- establishment -----------------------------------------------------------------------------

  void begin();
  void equip(const equip_order& order);
  void finish_race(race_outcome outcome);
  void equip_clones();
  /// Leaves its group for another one; null for none.
  void join(std::shared_ptr<connection_group> group) {
    if (group_)
      group_->remove(address());
    group_ = std::move(group);
    if (group_)
      group_->add(address());
  }
  void advance_handshake();
  /// Asks whether this accepted Connection may be announced now.
  [[nodiscard]] bool may_enter();
  /// Accepted, but not yet told of: nobody hears of its end either.
  [[nodiscard]] bool unannounced() const noexcept {
    return origin_.accepted_by && !machine_.established();
  }

  result<void> send(send_command what, bool with_initiate);

  // -- events ------------------------------------------------------------------------------------

  void serve();
  void tell(connection_event& event);
  void tell_ready();
  void tell_establishment_error(const connection_event& event);
  void schedule_timer();
  void end();
  [[nodiscard]] connection handle();
  [[nodiscard]] establishment_report report() const;
  [[nodiscard]] property_list list_properties() const;
  [[nodiscard]] connection_list list_group() {
    return group_ ? group_->members() : connection_list{{handle()}};
  }
  caf::result<void> answer(const result<void>& outcome);

  connection_origin origin_;
  recipient owner_;
  connection_machine machine_;
  config_ptr config_;
  caf::strong_actor_ptr supervisor_;
  /// Clones that wait for what this Connection itself waits for.
  std::vector<caf::strong_actor_ptr> clones_;
  /// Null for one alone.
  std::shared_ptr<connection_group> group_;
  std::unique_ptr<handshake> handshake_;
  deadline handshake_deadline_;
  /// How it came about; kept for those who ask later.
  std::unique_ptr<establishment_report> report_;
  timer timer_;
  enum class admission_state : std::uint8_t { unasked, waiting, admitted };
  /// Whether the Listener's limit keeps it, or kept it, from being announced.
  admission_state admission_ = admission_state::unasked;
  bool told_terminal_ = false;
  /// In the middle of `on_service`, and somebody asked for more of it.
  bool serving_ = false;
  bool asked_ = false;
};

}  // namespace taps
