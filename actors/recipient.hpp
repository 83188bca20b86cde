#pragma once

#include "taps/actors/pinned.hpp"

#include <caf/mailbox_element.hpp>

#include <utility>

namespace taps {

/// Somebody to whom an actor of this shard has something to say: without a mailbox if they live on
/// the same shard and have nothing else to do, else with one. Keeps them alive.
class recipient {
public:
  recipient() noexcept = default;

  /// @param local the same actor if it lives on the shard of who tells, else null
  recipient(caf::strong_actor_ptr who, pinned_base* local) noexcept
      : who_(std::move(who)), local_(local) {}

  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(who_); }

  /// Hands `what` over as a message of nobody's; without effect for an empty recipient.
  template<class Message>
  void tell(Message what) const {
    if (local_ && local_->home().is_current()) {
      caf::mailbox_element_vals<Message> direct{caf::strong_actor_ptr{}, caf::make_message_id(),
                                                caf::mailbox_element::forwarding_stack{},
                                                std::move(what)};
      switch (local_->try_deliver(direct)) {
      case delivery_result::done:
      case delivery_result::ended:
        return;
      default:
        what = std::move(direct.template get_mutable_as<Message>(0));
      }
    }
    // The handler of what was sent may let go of us.
    if (const auto keep = who_)
      keep->enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, std::move(what)),
                    nullptr);
  }

private:
  caf::strong_actor_ptr who_;
  pinned_base* local_ = nullptr;
};

}  // namespace taps
