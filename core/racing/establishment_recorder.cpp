#include "taps/core/racing/establishment_recorder.hpp"

#include <algorithm>
#include <utility>

namespace taps {

// -- names ---------------------------------------------------------------------

void establishment_recorder::asked(time_point now, std::string_view name, dns_record record) {
  if (find_query(name, record) == nullptr)
    names_.push_back(
        {.name = std::string{name}, .record = record, .started = now - begin_, .reason = {}});
}

void establishment_recorder::answered(time_point now, std::string_view name, dns_record record,
                                      std::size_t count) {
  if (auto* x = close_query(now, name, record))
    x->addresses = static_cast<std::uint32_t>(count);
}

void establishment_recorder::answered(time_point now, std::string_view name, dns_record record,
                                      error reason) {
  if (auto* x = close_query(now, name, record))
    x->reason = std::move(reason);
}

resolution_report* establishment_recorder::find_query(std::string_view name,
                                                      dns_record record) noexcept {
  auto same = [&](const resolution_report& x) { return x.name == name && x.record == record; };
  auto i = std::ranges::find_if(names_, same);
  return i != names_.end() ? &*i : nullptr;
}

resolution_report* establishment_recorder::close_query(time_point now, std::string_view name,
                                                       dns_record record) noexcept {
  auto* x = find_query(name, record);
  if (x == nullptr || x->answered)
    return nullptr;
  x->answered = true;
  x->took = now - begin_ - x->started;
  return x;
}

// -- candidates ----------------------------------------------------------------

void establishment_recorder::introduce(leaf_id leaf, candidate_identity who) {
  auto* x = find(leaf);
  if (x == nullptr)
    entries_.push_back(
        {.leaf = leaf, .facts = {.who = std::move(who), .stages = {}, .reason = {}}});
  else if (x->order == 0)
    x->facts.who = std::move(who);
}

void establishment_recorder::started(time_point now, leaf_id leaf) {
  auto* x = find(leaf);
  if (x == nullptr || x->order != 0)
    return;
  x->order = ++starts_;
  x->facts.fate = candidate_fate::running;
  x->facts.stages.push_back({attempt_stage::connecting, now - begin_});
}

void establishment_recorder::reached(time_point now, leaf_id leaf, attempt_stage stage) {
  if (auto* x = find_running(leaf); x != nullptr && x->facts.stage() < stage)
    x->facts.stages.push_back({stage, now - begin_});
}

void establishment_recorder::bound(leaf_id leaf, const socket_address& local) {
  if (auto* x = find(leaf))
    x->facts.who.local = local;
}

void establishment_recorder::won(time_point now, leaf_id leaf) {
  reached(now, leaf, attempt_stage::ready);
  end(now, leaf, candidate_fate::won);
}

void establishment_recorder::lost(time_point now, leaf_id leaf) {
  end(now, leaf, candidate_fate::lost);
}

void establishment_recorder::failed(time_point now, leaf_id leaf, error reason) {
  if (auto* x = end(now, leaf, candidate_fate::failed))
    x->facts.reason = std::move(reason);
}

establishment_recorder::entry* establishment_recorder::find(leaf_id leaf) noexcept {
  auto i = std::ranges::find(entries_, leaf, &entry::leaf);
  return i != entries_.end() ? &*i : nullptr;
}

establishment_recorder::entry* establishment_recorder::find_running(leaf_id leaf) noexcept {
  auto* x = find(leaf);
  return x != nullptr && x->facts.fate == candidate_fate::running ? x : nullptr;
}

establishment_recorder::entry* establishment_recorder::end(time_point now, leaf_id leaf,
                                                           candidate_fate fate) {
  auto* x = find_running(leaf);
  if (x != nullptr) {
    x->facts.fate = fate;
    x->facts.ended = now - begin_;
  }
  return x;
}

// -- result --------------------------------------------------------------------

establishment_report establishment_recorder::report(time_point now) const {
  establishment_report out{.total = now - begin_, .names = names_, .candidates = {}};
  std::vector<const entry*> sorted;
  sorted.reserve(entries_.size());
  for (const auto& x : entries_)
    sorted.push_back(&x);
  // Subtracting one sends 0, not tried, to the end. Most races have one candidate.
  if (sorted.size() > 1)
    std::ranges::stable_sort(sorted, {}, [](const entry* x) { return x->order - 1; });
  out.candidates.reserve(sorted.size());
  for (const auto* x : sorted)
    out.candidates.push_back(x->facts);
  return out;
}

}  // namespace taps
