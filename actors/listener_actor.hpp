#pragma once

#include "taps/actors/internal_messages.hpp"
#include "taps/actors/messages.hpp"
#include "taps/actors/owner_watch.hpp"
#include "taps/actors/pinned.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace taps {

/// The interface between a Listener and the rest of Tapline.
using listener_interface =
    listener::extend<caf::reacts_to<equip_order>, caf::reacts_to<acceptor_news>>;

/// The actor of one Listener. Finds out where to listen, and has an acceptor actor on each shard do
/// so; what a shard accepts stays on it. The first one takes the places, then the others join it.
/// When the links change, that happens again for the places that came or went.
class listener_actor final : public pinned<listener_interface::base, caf_clock::unused>,
                             owned,
                             resident {
public:
  listener_actor(caf::actor_config& cfg, shard_ptr home, std::vector<shard_ptr> shards,
                 caf::actor owner, event_set events);
  ~listener_actor() override;

  const char* name() const override { return "taps.listener"; }

  /// Starts to listen, right after it was spawned lazily on the calling thread's shard.
  void listen(const config_ptr& config);

  bool cleanup(caf::error&& reason, caf::execution_unit* host) override;

protected:
  behavior_type make_behavior() override;
  void on_exit() override;

private:
  using properties_promise = caf::typed_response_promise<property_list>;

  void begin();
  void equip(const equip_order& order);
  [[nodiscard]] listening_request request() const;
  void order_places(std::vector<listening_place> places);
  /// Has the acceptor of a shard, which may have to be spawned, do what was ordered.
  void pass_order_to(std::size_t shard);
  const caf::actor& employ(caf::actor acceptor);
  [[nodiscard]] port_sharing sharing_of(std::size_t shard) const noexcept;
  void take_news(const acceptor_news& news);
  void finish_order();
  void on_timer();
  void follow_links();
  void acceptor_down(const caf::down_msg& what);
  void stop();
  void fail(error reason);
  /// Tells the owner how it ended.
  template<class Event>
  void tell(Event event);
  [[nodiscard]] property_list list_properties() const;
  [[nodiscard]] listener handle();

  void on_owner_down() override;
  void on_shutdown(bool at_once) override;
  void on_links_changed(const network& before, const network& after) override;

  std::vector<shard_ptr> shards_;
  std::shared_ptr<listening> state_;
  /// Where it listens, or is about to.
  std::vector<listening_place> places_;
  std::uint16_t chosen_port_ = 0;
  std::vector<caf::actor> acceptors_;
  /// How many acceptors have done what was ordered last.
  std::size_t done_ = 0;
  /// All have done so at least once.
  bool listening_ = false;
  /// The links changed before they all had.
  bool links_changed_ = false;
  timer timer_;
  std::vector<properties_promise> waiting_;
  bool stopping_ = false;
  bool told_terminal_ = false;
};

}  // namespace taps
