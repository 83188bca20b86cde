#include "taps/core/rendezvous/opening_list.hpp"

#include <algorithm>
#include <utility>

namespace taps {

namespace {

using kind = opening_action::kind_type;

}  // namespace

opening_list::opening_list(std::vector<socket_address> bases, std::vector<socket_address> remotes,
                           const std::vector<meeting_pair>& pairs, opening_options options)
    : bases_(std::move(bases)), remotes_(std::move(remotes)), options_(options) {
  for (const auto& x : pairs)
    entries_.push_back({x});
}

// -- inputs -----------------------------------------------------------------------

opening_actions opening_list::on_start(time_point now) {
  limit_ = now + options_.limit;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    entries_[i].call_at = now + options_.pace * static_cast<int>(i);
    entries_[i].wait = options_.first_wait;
  }
  return on_timer(now);
}

opening_actions opening_list::on_open(time_point now, const meeting_pair& pair) {
  auto* x = over_ ? nullptr : find(pair);
  if (x && x->is == state::calling)
    opened(now, *x);
  return take();
}

opening_actions opening_list::on_call(time_point now, const meeting_pair& pair) {
  if (over_)
    return {};
  auto* x = find(pair);
  if (!x && permitted(pair.remote) && learned_ < options_.max_learned) {
    ++learned_;
    x = &entries_.emplace_back(entry{pair});
    x->inbound_only = true;
  }
  if (x && x->is != state::open)
    opened(now, *x);
  else
    out_.push_back({kind::hang_up, pair, {}});
  return take();
}

opening_actions opening_list::on_failed(time_point now, const meeting_pair& pair, error reason) {
  auto* x = over_ ? nullptr : find(pair);
  if (!x || x->is == state::waiting)
    return {};
  last_failure_ = std::move(reason);
  if (x->inbound_only) {
    std::erase_if(entries_, [&](const entry& y) { return y.pair == pair; });
  } else {
    x->is = state::waiting;
    x->call_at = now + x->wait;
    x->wait = std::min(x->wait * 2, options_.max_wait);
  }
  if (std::ranges::none_of(entries_, [](const entry& y) { return y.is == state::open; }))
    choose_at_.reset();
  return take();
}

opening_actions opening_list::on_timer(time_point now) {
  if (over_)
    return {};
  if (choose_at_ && *choose_at_ <= now)
    choose();
  else if (limit_ && *limit_ <= now)
    fail({errc::establishment_failed,
          "the peer was not met" + (last_failure_ ? ": " + last_failure_.text() : std::string{})});
  // With a stream open, others would only make the choice harder.
  for (auto& x : entries_)
    if (!over_ && !choose_at_ && !x.inbound_only && x.is == state::waiting && x.call_at <= now) {
      x.is = state::calling;
      out_.push_back({kind::call, x.pair, {}});
    }
  return take();
}

deadline opening_list::next_deadline() const noexcept {
  if (over_)
    return {};
  auto result = sooner(limit_, choose_at_);
  for (const auto& x : entries_)
    if (!choose_at_ && !x.inbound_only && x.is == state::waiting)
      result = sooner(result, x.call_at);
  return result;
}

// -- choosing ---------------------------------------------------------------------

void opening_list::opened(time_point now, entry& x) {
  x.is = state::open;
  if (entries_.size() == 1)
    choose();
  else if (!choose_at_)
    choose_at_ = now + options_.settling;
}

/// The sides agree on which stream comes first, as they name the same two ends.
bool opening_list::before(const meeting_pair& x, const meeting_pair& y) const {
  const auto ends = [this](const meeting_pair& z) {
    const auto bare = [](const socket_address& a) { return std::pair{a.address, a.port}; };
    return std::minmax({bare(bases_.at(z.base)), bare(z.remote)});
  };
  return ends(x) < ends(y);
}

void opening_list::choose() {
  const entry* best = nullptr;
  for (const auto& x : entries_)
    if (x.is == state::open && (!best || before(x.pair, best->pair)))
      best = &x;
  for (const auto& x : entries_)
    if (&x != best && x.is != state::waiting)
      out_.push_back({kind::hang_up, x.pair, {}});
  over_ = true;
  out_.push_back({kind::met, best->pair, {}});
}

void opening_list::fail(error reason) {
  over_ = true;
  for (const auto& x : entries_)
    if (x.is != state::waiting)
      out_.push_back({kind::hang_up, x.pair, {}});
  out_.push_back({kind::failed, {}, std::move(reason)});
}

// -- helpers ----------------------------------------------------------------------

opening_list::entry* opening_list::find(const meeting_pair& pair) noexcept {
  const auto i = std::ranges::find_if(entries_, [&](const entry& x) {
    return x.pair.base == pair.base && same_place(x.pair.remote, pair.remote);
  });
  return i == entries_.end() ? nullptr : &*i;
}

bool opening_list::permitted(const socket_address& from) const noexcept {
  return std::ranges::any_of(remotes_,
                             [&](const socket_address& x) { return x.address == from.address; });
}

opening_actions opening_list::take() { return std::exchange(out_, {}); }

}  // namespace taps
