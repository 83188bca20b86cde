#pragma once

#include "taps/actors/config.hpp"
#include "taps/actors/shard.hpp"
#include "taps/core/rendezvous/stun_request.hpp"
#include "taps/core/transport/meeting.hpp"

#include <functional>
#include <map>

namespace taps {

/// Finds out by which addresses and ports the Local Endpoints of a configuration may be reached:
/// opens each one's end of a Rendezvous for a moment, and asks STUN servers how they see it. Used
/// by one shard's thread.
class local_gathering {
public:
  /// `done` is called once, from the shard's loop.
  local_gathering(shard& home, config_ptr config, std::function<void()> done);
  ~local_gathering();

  /// @param names what the names of Local Endpoints stand for
  void start(std::map<std::string, std::vector<ip_address>> names);

  [[nodiscard]] bool done() const noexcept { return done_; }
  /// What was found; the Local Endpoints as they are if no protocol fits. @pre `done()`
  [[nodiscard]] const result<std::vector<local_endpoint>>& found() const noexcept { return found_; }
  /// For a Rendezvous that follows; null if no protocol fits.
  [[nodiscard]] const std::shared_ptr<const known_bases>& known() const noexcept { return known_; }

private:
  struct end;

  [[nodiscard]] result<void> open(const protocol_stack& stack, std::vector<meeting_base> bases);
  [[nodiscard]] result<void> open_end(const protocol_stack& stack, meeting_base base);
  void on_timer();
  void advance();
  [[nodiscard]] std::vector<local_endpoint> list() const;

  shard& home_;
  config_ptr config_;
  std::function<void()> tell_;
  network_ptr links_;
  timer timer_;
  std::vector<std::unique_ptr<end>> ends_;
  std::shared_ptr<const known_bases> known_;
  result<std::vector<local_endpoint>> found_;
  bool done_ = false;
};

}  // namespace taps
