#include "taps/core/racing/resolution.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace taps {

std::string_view to_string(resolution_state state) noexcept {
  constexpr std::array<std::string_view, 6> names{"idle",     "asking",   "delaying",
                                                  "released", "complete", "failed"};
  return names[static_cast<std::size_t>(state)];
}

std::string_view to_string(resolution_event event) noexcept {
  constexpr std::array<std::string_view, 6> names{"none",  "ask",       "released",
                                                  "added", "exhausted", "failed"};
  return names[static_cast<std::size_t>(event)];
}

// -- one name ------------------------------------------------------------------

name_resolution::name_resolution(std::string hostname, duration resolution_delay)
    : hostname_(std::move(hostname)), resolution_delay_(resolution_delay) {}

resolution_event name_resolution::on_start(time_point) {
  if (state_ != resolution_state::idle)
    return resolution_event::none;
  state_ = resolution_state::asking;
  return resolution_event::ask;
}

resolution_event name_resolution::on_answer(time_point now, ip_family family,
                                            result<std::vector<ip_address>> answer, bool dead) {
  auto& mine = family == ip_family::v6 ? v6_ : v4_;
  if (state_ == resolution_state::idle || !mine.pending)
    return resolution_event::none;
  auto before = addresses().size();
  mine.pending = false;
  mine.dead = dead;
  if (answer) {
    mine.addresses = std::move(*answer);
    if (mine.addresses.size() > max_addresses)
      mine.addresses.resize(max_addresses);
  } else {
    mine.reason = answer.failure();
  }
  if (state_ == resolution_state::released) {
    state_ = resolution_state::complete;
    // An empty answer may add addresses too: those of the first family that kept to its half.
    return addresses().size() > before ? resolution_event::added : resolution_event::exhausted;
  }
  return settle(now);
}

resolution_event name_resolution::on_timer(time_point now) {
  if (!delay_until_ || now < *delay_until_)
    return resolution_event::none;
  delay_until_.reset();
  state_ = resolution_state::released;
  return resolution_event::released;
}

resolution_event name_resolution::settle(time_point now) {
  const auto only_v4 = v6_.pending && !v4_.addresses.empty();
  const auto only_dead = v4_.pending && !v6_.addresses.empty() && v6_.dead;
  if ((only_v4 || only_dead) && resolution_delay_ > duration::zero()) {
    state_ = resolution_state::delaying;
    delay_until_ = now + resolution_delay_;
    return resolution_event::none;
  }
  delay_until_.reset();
  auto waits = v6_.pending || v4_.pending;
  if (!v6_.addresses.empty() || !v4_.addresses.empty()) {
    state_ = waits ? resolution_state::released : resolution_state::complete;
    return resolution_event::released;
  }
  if (waits)
    return resolution_event::none;
  state_ = resolution_state::failed;
  return resolution_event::failed;
}

std::size_t name_resolution::room_beside(const family_answer& other) const noexcept {
  auto half = max_addresses / 2;
  return max_addresses - (other.pending ? half : std::min(other.addresses.size(), half));
}

std::vector<ip_address> name_resolution::addresses() const {
  std::vector<ip_address> out;
  if (!usable())
    return out;
  auto append = [&](const family_answer& mine, const family_answer& other) {
    auto n = std::min(mine.addresses.size(), room_beside(other));
    out.insert(out.end(), mine.addresses.begin(),
               mine.addresses.begin() + static_cast<std::ptrdiff_t>(n));
  };
  append(v6_, v4_);
  append(v4_, v6_);
  return out;
}

error name_resolution::failure() const {
  assert(state_ == resolution_state::failed);
  auto why = [](const family_answer& x) {
    return x.reason ? x.reason.text() : std::string{"no address"};
  };
  return {errc::resolution_failed, hostname_ + ": AAAA: " + why(v6_) + "; A: " + why(v4_)};
}

}  // namespace taps
