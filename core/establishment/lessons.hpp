#pragma once

#include "taps/core/candidate/candidate.hpp"
#include "taps/core/racing/establishment_report.hpp"
#include "taps/core/racing/history.hpp"
#include "taps/core/racing/race.hpp"

#include <span>
#include <vector>

namespace taps {

/// Finds out what a race teaches. Only what the network answered counts: an attempt that was
/// cancelled says nothing, nor does one that failed for want of descriptors or routes, nor a
/// Connection without a peer's consent. Used by one thread.
class lesson_book {
public:
  // -- inputs -------------------------------------------------------------------------

  void started(time_point now, const candidate& x);
  void reached(time_point now, leaf_id leaf, attempt_stage stage);
  void failed(leaf_id leaf, const error& reason);
  void won(time_point now, leaf_id leaf);

  // -- result -------------------------------------------------------------------------

  /// Returns a lesson for each address that answered, and for each endpoint one per stack; `places`
  /// are those of the Remote Endpoints. A stack failed if every attempt with it did.
  [[nodiscard]] std::vector<lesson> lessons(std::span<const history_place> places) const;

private:
  enum class outcome : std::uint8_t { none, won, failed };

  struct attempt {
    leaf_id leaf = 0;
    const protocol_stack* stack = nullptr;
    socket_address remote;
    std::size_t remote_index = 0;
    time_point started{};
    /// When the protocols were up; framers may still be at work.
    deadline up;
    outcome ended = outcome::none;
  };

  [[nodiscard]] attempt* find(leaf_id leaf) noexcept;
  [[nodiscard]] bool begins_failures(const attempt& first) const;

  std::vector<attempt> attempts_;
};

}  // namespace taps
