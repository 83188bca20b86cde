#include "taps/core/rendezvous/check_list.hpp"

#include <algorithm>
#include <utility>

namespace taps {

namespace {

using kind = check_action::kind_type;

/// Type preferences of RFC 8445, section 5.1.2.2.
constexpr std::uint32_t host = 126;
constexpr std::uint32_t peer_reflexive = 110;
constexpr std::uint16_t role_conflict = 487;

std::uint32_t candidate_priority(std::uint32_t type, std::size_t position) noexcept {
  const auto local = static_cast<std::uint32_t>(65535 - std::min<std::size_t>(position, 65535));
  return type << 24 | local << 8 | 255;
}

}  // namespace

check_list::check_list(std::vector<socket_address> bases, std::vector<socket_address> remotes,
                       const std::vector<meeting_pair>& pairs, number_source numbers,
                       check_options options)
    : bases_(std::move(bases)), remotes_(std::move(remotes)), numbers_(std::move(numbers)),
      options_(options), tie_breaker_(numbers_()) {
  for (const auto& x : pairs) {
    const auto i =
        std::ranges::find_if(remotes_, [&](const auto& y) { return same_place(y, x.remote); });
    const auto position = static_cast<std::size_t>(i - remotes_.begin());
    auto& made = entries_.emplace_back();
    made.pair = x;
    made.remote_priority = candidate_priority(host, position);
  }
}

// -- inputs -----------------------------------------------------------------------

check_actions check_list::on_start(time_point now) {
  next_check_ = now;
  limit_ = now + options_.limit;
  return on_timer(now);
}

check_actions check_list::on_check(time_point now, std::size_t base, const socket_address& from,
                                   std::span<const std::byte> data) {
  const auto message = over_ ? result<stun_message>{error{}} : read_stun(data);
  if (!message || message->method != stun_message::binding)
    return {};
  if (message->what == stun_class::request)
    on_request(now, base, from, *message);
  else if (message->what != stun_class::indication)
    on_answer(now, base, from, *message);
  if (!over_)
    nominate(now);
  end_if_hopeless();
  return take();
}

check_actions check_list::on_data(time_point, std::size_t base, const socket_address& from) {
  if (auto* x = over_ ? nullptr : find(base, from))
    finish(kind::met, x->pair, {});
  return take();
}

check_actions check_list::on_timer(time_point now) {
  if (over_)
    return {};
  retransmit(now);
  nominate(now);
  if (!over_ && next_check_ && *next_check_ <= now)
    start_next(now);
  if (!over_ && limit_ && *limit_ <= now)
    finish(kind::failed, {}, {errc::establishment_failed, "the peer did not choose a way"});
  end_if_hopeless();
  return take();
}

deadline check_list::next_deadline() const noexcept {
  if (over_)
    return {};
  auto result = sooner(limit_, next_check_);
  if (controlling_ && !nominating())
    result = sooner(result, patience_ends_);
  for (const auto& x : entries_)
    result = sooner(result, x.clock.next_deadline());
  return result;
}

// -- requests of the peer ---------------------------------------------------------

void check_list::on_request(time_point now, std::size_t base, const socket_address& from,
                            const stun_message& request) {
  // Our own check, come back by a mirror.
  const auto tie = request.controlling ? request.controlling : request.controlled;
  if (!permitted(from) || (tie && *tie == tie_breaker_))
    return;
  const meeting_pair pair{base, from};
  if (tie && request.unknown.empty() && !settle_roles(request)) {
    auto refusal = answer_to(request, from);
    refusal.what = stun_class::error;
    refusal.mapped.reset();
    refusal.error_code = role_conflict;
    refusal.reason = "Role Conflict";
    reply(pair, refusal);
    return;
  }
  reply(pair, answer_to(request, from));
  // Without a role it is no check.
  auto* x = tie && request.unknown.empty() ? learn(base, from, request) : nullptr;
  if (!x)
    return;
  x->nominated = x->nominated || (request.use_candidate && !controlling_);
  if (!x->works)
    trigger(*x);
  else if (x->nominated)
    finish(kind::met, x->pair, {});
  if (!over_ && !next_check_)
    next_check_ = now;
}

bool check_list::settle_roles(const stun_message& request) {
  const auto conflict = controlling_ ? request.controlling : request.controlled;
  if (!conflict)
    return true;
  // Who has the larger number controls (RFC 8445, section 7.3.1.1).
  if (controlling_ == (tie_breaker_ >= *conflict))
    return false;
  controlling_ = !controlling_;
  return true;
}

check_list::entry* check_list::learn(std::size_t base, const socket_address& from,
                                     const stun_message& request) {
  if (auto* known = find(base, from))
    return known;
  if (learned_ == options_.max_learned)
    return nullptr;
  ++learned_;
  auto& made = entries_.emplace_back();
  made.pair = {base, from};
  made.remote_priority = request.priority.value_or(candidate_priority(peer_reflexive, 0));
  return &made;
}

/// A check under way may have gone out before the peer's NAT let it in, so it is repeated: as the
/// same transaction, since its answer may be on the way.
void check_list::trigger(entry& x) {
  if (x.is != state::in_progress || x.sent_as_controlling != controlling_)
    start_over(x);
  else if (std::ranges::find(triggered_, &x) == triggered_.end())
    triggered_.push_back(&x);
}

void check_list::start_over(entry& x) {
  x.clock.stop();
  x.nominating = false;
  x.is = state::waiting;
  if (std::ranges::find(triggered_, &x) == triggered_.end())
    triggered_.push_back(&x);
}

// -- answers of the peer ----------------------------------------------------------

void check_list::on_answer(time_point now, std::size_t base, const socket_address& from,
                           const stun_message& answer) {
  const auto i = std::ranges::find_if(entries_, [&](const entry& x) {
    return x.pair.base == base && same_place(x.pair.remote, from) &&
           x.transaction == answer.transaction && !x.request.empty();
  });
  if (i == entries_.end() || (i->is != state::in_progress && i->is != state::waiting))
    return;
  if (answer.what == stun_class::error) {
    if (answer.error_code != role_conflict) {
      give_up(*i);
      return;
    }
    if (i->sent_as_controlling == controlling_)
      controlling_ = !controlling_;
    start_over(*i);
    next_check_ = sooner(next_check_, now);
    return;
  }
  if (!answer.mapped)
    return;
  i->clock.stop();
  i->is = state::succeeded;
  i->works = true;
  std::erase(triggered_, &*i);
  if (i->nominating || i->nominated)
    finish(kind::met, i->pair, {});
  else if (!patience_ends_)
    patience_ends_ = now + options_.patience;
}

// -- our checks -------------------------------------------------------------------

void check_list::start_next(time_point now) {
  next_check_.reset();
  if (auto* next = choose_next()) {
    if (next->is == state::in_progress)
      send(*next);
    else
      start_check(now, *next, false);
  }
  if (has_unstarted())
    next_check_ = now + options_.pace;
}

check_list::entry* check_list::choose_next() {
  while (!triggered_.empty()) {
    auto* x = triggered_.front();
    triggered_.pop_front();
    if (x->is == state::waiting || x->is == state::in_progress)
      return x;
  }
  entry* best = nullptr;
  for (auto& x : entries_)
    if (x.is == state::waiting && (!best || priority_of(x) > priority_of(*best)))
      best = &x;
  return best;
}

void check_list::start_check(time_point now, entry& x, bool nominate) {
  stun_message request;
  request.transaction = x.transaction = make_transaction(numbers_);
  request.priority = candidate_priority(peer_reflexive, x.pair.base);
  (controlling_ ? request.controlling : request.controlled) = tie_breaker_;
  request.use_candidate = x.nominating = nominate;
  x.sent_as_controlling = controlling_;
  x.request = write_stun(request);
  x.is = state::in_progress;
  auto pace = options_.retransmission;
  const auto open = std::ranges::count_if(entries_, [](const entry& y) {
    return y.is == state::waiting || y.is == state::in_progress;
  });
  pace.first_wait = std::max<duration>(pace.first_wait, options_.pace * open);
  x.clock.start(now, pace);
  if (!std::exchange(x.begun, true))
    out_.push_back({kind::began, x.pair, {}, {}});
  send(x);
}

void check_list::retransmit(time_point now) {
  for (auto& x : entries_) {
    switch (x.clock.on_timer(now)) {
    case stun_clock::step::send_again:
      send(x);
      break;
    case stun_clock::step::give_up:
      give_up(x);
      break;
    default:
      break;
    }
  }
}

void check_list::give_up(entry& x) {
  x.clock.stop();
  x.is = state::failed;
  x.works = false;
  x.nominating = false;
  out_.push_back({kind::gave_up,
                  x.pair,
                  {},
                  {errc::establishment_failed, "no answer to checks, nor any from there"}});
}

// -- nomination -------------------------------------------------------------------

bool check_list::better_one_open(const entry& than) const {
  return std::ranges::any_of(entries_, [&](const entry& x) {
    return (x.is == state::waiting || x.is == state::in_progress) &&
           priority_of(x) > priority_of(than);
  });
}

/// The controlling side picks the best pair that works, when no better one is left or was waited
/// for long enough, and tells the peer by another check.
void check_list::nominate(time_point now) {
  if (!controlling_ || !patience_ends_ || nominating())
    return;
  entry* best = nullptr;
  for (auto& x : entries_)
    if (x.is == state::succeeded && (!best || priority_of(x) > priority_of(*best)))
      best = &x;
  if (!best)
    patience_ends_.reset();
  else if (*patience_ends_ <= now || !better_one_open(*best))
    start_check(now, *best, true);
}

bool check_list::nominating() const noexcept {
  return std::ranges::any_of(
      entries_, [](const entry& x) { return x.nominating && x.is == state::in_progress; });
}

// -- the end ----------------------------------------------------------------------

void check_list::end_if_hopeless() {
  if (!over_ && std::ranges::all_of(entries_, [](const entry& x) { return x.is == state::failed; }))
    finish(kind::failed, {}, {errc::establishment_failed, "the peer was not met"});
}

void check_list::finish(check_action::kind_type how, const meeting_pair& pair, error reason) {
  over_ = true;
  out_.push_back({how, pair, {}, std::move(reason)});
}

// -- helpers ----------------------------------------------------------------------

void check_list::send(const entry& x) { out_.push_back({kind::send, x.pair, x.request, {}}); }

void check_list::reply(const meeting_pair& to, const stun_message& answer) {
  out_.push_back({kind::send, to, write_stun(answer), {}});
}

check_actions check_list::take() { return std::exchange(out_, {}); }

check_list::entry* check_list::find(std::size_t base, const socket_address& remote) noexcept {
  const auto i = std::ranges::find_if(entries_, [&](const entry& x) {
    return x.pair.base == base && same_place(x.pair.remote, remote);
  });
  return i == entries_.end() ? nullptr : &*i;
}

std::uint64_t check_list::priority_of(const entry& x) const noexcept {
  const std::uint64_t mine = candidate_priority(host, x.pair.base);
  const auto theirs = x.remote_priority;
  const auto least = std::min(mine, theirs);
  const auto most = std::max(mine, theirs);
  return least << 32 | (2 * most + (controlling_ == (mine > theirs) ? 1 : 0));
}

bool check_list::permitted(const socket_address& from) const noexcept {
  return std::ranges::any_of(remotes_,
                             [&](const socket_address& x) { return x.address == from.address; });
}

bool check_list::has_unstarted() const noexcept {
  return !triggered_.empty() ||
         std::ranges::any_of(entries_, [](const entry& x) { return x.is == state::waiting; });
}

}  // namespace taps
