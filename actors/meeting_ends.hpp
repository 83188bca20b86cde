#pragma once

#include "taps/core/rendezvous/meeting_pair.hpp"
#include "taps/core/rendezvous/rendezvous_plan.hpp"
#include "taps/core/transport/meeting.hpp"

#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace taps {

/// Hears what happens at the ends of a Rendezvous: from the shard's loop, and with calls of
/// protocols on the stack.
class meeting_listener {
public:
  /// STUN arrived.
  virtual void on_check(const meeting_pair& from, std::span<const std::byte> data) = 0;
  /// Somebody called; `meeting_ends` has it until it is hung up or taken.
  virtual void on_called(const meeting_pair& from) = 0;
  /// A call got through.
  virtual void on_open(const meeting_pair& pair) = 0;
  /// A call was refused, or a stream broke.
  virtual void on_broken(const meeting_pair& pair, error reason) = 0;

protected:
  ~meeting_listener() = default;
};

/// The local ends of a Rendezvous, and the instances that they brought and called for. Used by one
/// shard's thread.
class meeting_ends {
public:
  explicit meeting_ends(meeting_listener& to) noexcept;
  meeting_ends(const meeting_ends&) = delete;
  meeting_ends& operator=(const meeting_ends&) = delete;
  ~meeting_ends();

  /// Opens the ends that pairs need, and leaves the pairs that have one. Fails when none is left.
  [[nodiscard]] result<void> open(transport& by, const std::vector<meeting_base>& bases,
                                  const std::shared_ptr<const transport_properties>& properties,
                                  std::optional<std::uint8_t> hop_limit,
                                  std::vector<meeting_pair>& pairs);

  /// Where the ends are, by the numbers of their bases.
  [[nodiscard]] const std::vector<socket_address>& places() const noexcept { return places_; }

  void send_check(const meeting_pair& to, std::span<const std::byte> data);
  [[nodiscard]] result<void> call(const meeting_pair& pair);
  void hang_up(const meeting_pair& pair);
  /// Returns the instance of a pair, called for now if there is none.
  [[nodiscard]] result<std::unique_ptr<protocol>> take(const meeting_pair& pair,
                                                       protocol_sink& sink);

  /// Lets go of what is over. Not while protocols are on the stack.
  void clean_up() noexcept;
  /// Closes the ends, and all instances but the one that was taken. Likewise.
  void close() noexcept;

private:
  struct end;
  struct attempt;

  meeting_listener& to_;
  std::vector<socket_address> places_;
  std::vector<std::unique_ptr<end>> ends_;
  std::map<meeting_pair, std::unique_ptr<attempt>> attempts_;
  /// Those that are over, and may still be on the stack.
  std::vector<std::unique_ptr<attempt>> over_;
};

}  // namespace taps
