#include "taps/core/racing/history.hpp"

#include "taps/core/base/letters.hpp"

#include <algorithm>
#include <limits>

namespace taps {

namespace {

/// How promising: of several places, the best one counts.
int promise_of(past_outcome x) noexcept {
  switch (x) {
  case past_outcome::succeeded:
    return 3;
  case past_outcome::nothing:
    return 2;
  case past_outcome::failed:
    return 1;
  case past_outcome::hopeless:
    break;
  }
  return 0;
}

}  // namespace

// -- places ---------------------------------------------------------------------------------------

history_place place_of(std::string_view network, const remote_endpoint& x) {
  history_place result;
  result.network = network;
  result.address.port = x.port().value_or(0);
  if (x.address() && !x.interface())
    result.address.address = *x.address();
  else if (x.address())
    result.host = to_string(*x.address()) + "%" + *x.interface();
  else if (x.hostname())
    result.host = to_lower(*x.hostname());
  if (!x.port() && x.service())
    result.host = (result.host.empty() ? to_string(result.address.address) : result.host) + "/" +
                  *x.service();
  return result;
}

std::string to_string(const history_place& x) {
  return x.host.empty() ? to_string(x.address) : x.host + ":" + std::to_string(x.address.port);
}

std::size_t outcome_history::hash_place::operator()(const history_place* x) const noexcept {
  const auto text = std::hash<std::string>{};
  auto result = std::hash<socket_address>{}(x->address);
  result = result * 31 + text(x->host);
  return result * 31 + text(x->network);
}

// -- inputs ---------------------------------------------------------------------------------------

void outcome_history::learn(time_point now, const lesson& what) {
  auto& known = touch(what.where, what.stack);
  if (known.succeeded != what.succeeded || !alive(now, known))
    known.count = 0;
  if (known.count < std::numeric_limits<std::uint32_t>::max())
    ++known.count;
  known.succeeded = what.succeeded;
  known.when = now;
  if (what.succeeded)
    known.handshake = what.handshake;
  shrink(now);
}

void outcome_history::restore(time_point now, const history_entry& what) {
  if (!alive(now, what.what))
    return;
  auto& known = touch(what.where, what.what.stack);
  if (known.count == 0 || known.when < what.what.when)
    known = what.what;
  shrink(now);
}

outcome_record& outcome_history::touch(const history_place& where, std::string_view stack) {
  auto found = index_.find(&where);
  if (found == index_.end()) {
    slots_.push_back({where, {}});
    found = index_.emplace(&slots_.back().where, std::prev(slots_.end())).first;
  } else {
    slots_.splice(slots_.end(), slots_, found->second);
  }
  auto& outcomes = found->second->outcomes;
  if (const auto i = std::ranges::find(outcomes, stack, &outcome_record::stack);
      i != outcomes.end())
    return *i;
  ++size_;
  return outcomes.emplace_back(outcome_record{std::string{stack}, false, 0, {}, {}});
}

/// Drops the oldest places as long as there are too many or they have expired.
void outcome_history::shrink(time_point now) {
  while (!slots_.empty()) {
    const auto& oldest = slots_.front();
    if (size_ <= options_.max_entries &&
        std::ranges::any_of(oldest.outcomes, [&](const auto& x) { return alive(now, x); }))
      return;
    size_ -= oldest.outcomes.size();
    index_.erase(&oldest.where);
    slots_.pop_front();
  }
}

// -- properties -----------------------------------------------------------------------------------

const outcome_history::slot* outcome_history::find(const history_place& where) const {
  const auto i = index_.find(&where);
  return i == index_.end() ? nullptr : &*i->second;
}

bool outcome_history::alive(time_point now, const outcome_record& x) const noexcept {
  return now - x.when < (x.succeeded ? options_.success_lifetime : options_.failure_lifetime);
}

std::vector<const outcome_history::slot*>
outcome_history::find(std::span<const history_place> places) const {
  std::vector<const slot*> result;
  result.reserve(places.size());
  for (const auto& x : places)
    result.push_back(find(x));
  return result;
}

past_outcome outcome_history::recall(time_point now, const slot& where,
                                     std::string_view stack) const {
  const auto own = std::ranges::find(where.outcomes, stack, &outcome_record::stack);
  if (own == where.outcomes.end() || !alive(now, *own))
    return past_outcome::nothing;
  if (own->succeeded)
    return past_outcome::succeeded;
  const auto another_works = std::ranges::any_of(
      where.outcomes, [&](const auto& x) { return x.succeeded && alive(now, x); });
  return own->count >= options_.hopeless_after && another_works ? past_outcome::hopeless
                                                                : past_outcome::failed;
}

past_outcome outcome_history::recall(time_point now, std::span<const slot* const> places,
                                     std::string_view stack) const {
  if (places.empty())
    return past_outcome::nothing;
  auto result = past_outcome::hopeless;
  for (const auto* x : places)
    result = std::max(result, x ? recall(now, *x, stack) : past_outcome::nothing,
                      [](past_outcome a, past_outcome b) { return promise_of(a) < promise_of(b); });
  return result;
}

past_outcome outcome_history::recall(time_point now, std::span<const history_place> places,
                                     std::string_view stack) const {
  return recall(now, find(places), stack);
}

std::vector<past_outcome> outcome_history::recall(time_point now,
                                                  std::span<const history_place> places,
                                                  std::span<const protocol_stack> stacks) const {
  const auto known = find(places);
  std::vector<past_outcome> result;
  if (std::ranges::none_of(known, [](const slot* x) { return x != nullptr; }))
    return result;
  result.reserve(stacks.size());
  for (const auto& x : stacks)
    result.push_back(recall(now, known, x.name));
  return result;
}

address_experience outcome_history::experience_of(time_point now,
                                                  const history_place& where) const {
  address_experience result;
  const auto* known = find(where);
  if (!known)
    return result;
  for (const auto& x : known->outcomes) {
    if (!alive(now, x))
      continue;
    if (!x.succeeded)
      result.dead = true;
    else if (!result.handshake || x.handshake < *result.handshake)
      result.handshake = x.handshake;
  }
  result.dead = result.dead && !result.handshake;
  return result;
}

std::vector<history_entry> outcome_history::entries(time_point now) const {
  std::vector<history_entry> result;
  for (const auto& x : slots_)
    for (const auto& y : x.outcomes)
      if (alive(now, y))
        result.push_back({x.where, y});
  return result;
}

}  // namespace taps
