#include "taps/core/establishment/lessons.hpp"

#include <algorithm>
#include <cerrno>

namespace taps {

namespace {

/// Tells whether a failure came from beyond this host.
bool comes_from_network(const error& reason) noexcept {
  switch (reason.os_code()) {
  case 0:
    return reason == errc::connection_aborted || reason == errc::timeout;
  case ECONNREFUSED:
  case ECONNRESET:
  case EHOSTUNREACH:
  case EPIPE:
  case EPROTO:
  case ETIMEDOUT:
    return true;
  default:
    return false;
  }
}

}  // namespace

void lesson_book::started(time_point now, const candidate& x) {
  // Nobody is asked whether there is a peer.
  if (!x.stack->connectionless)
    attempts_.push_back({x.id, x.stack, x.remote, x.remote_index, now, {}, outcome::none});
}

void lesson_book::reached(time_point now, leaf_id leaf, attempt_stage stage) {
  if (auto* x = find(leaf); x && !x->up && stage >= attempt_stage::framing)
    x->up = now;
}

void lesson_book::failed(leaf_id leaf, const error& reason) {
  if (auto* x = find(leaf); x && !x->up && comes_from_network(reason))
    x->ended = outcome::failed;
}

void lesson_book::won(time_point now, leaf_id leaf) {
  reached(now, leaf, attempt_stage::ready);
  if (auto* x = find(leaf))
    x->ended = outcome::won;
}

lesson_book::attempt* lesson_book::find(leaf_id leaf) noexcept {
  const auto i = std::ranges::find(attempts_, leaf, &attempt::leaf);
  return i == attempts_.end() ? nullptr : &*i;
}

/// Tells whether this is the first attempt with its stack at its endpoint, and all of them failed.
bool lesson_book::begins_failures(const attempt& first) const {
  const auto same = [&](const attempt& x) {
    return x.stack == first.stack && x.remote_index == first.remote_index;
  };
  return &*std::ranges::find_if(attempts_, same) == &first &&
         std::ranges::all_of(
             attempts_, [&](const attempt& x) { return !same(x) || x.ended == outcome::failed; });
}

std::vector<lesson> lesson_book::lessons(std::span<const history_place> places) const {
  std::vector<lesson> result;
  for (const auto& x : attempts_) {
    const auto won = x.ended == outcome::won;
    const auto took = won ? *x.up - x.started : duration{};
    const auto& endpoint = places[x.remote_index];
    const history_place address{endpoint.network, {}, x.remote};
    if (x.ended != outcome::none && address != endpoint)
      result.push_back({address, x.stack->name, won, took});
    if (won || begins_failures(x))
      result.push_back({endpoint, x.stack->name, won, took});
  }
  return result;
}

}  // namespace taps
