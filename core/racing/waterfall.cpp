#include "taps/core/racing/waterfall.hpp"

#include "taps/core/racing/duration_text.hpp"

#include <string_view>

namespace taps::detail {

namespace {

waterfall_phase phase_of(attempt_stage stage) noexcept {
  switch (stage) {
  case attempt_stage::securing:
    return waterfall_phase::securing;
  case attempt_stage::framing:
    return waterfall_phase::framing;
  default:
    return waterfall_phase::connecting;
  }
}

waterfall_end end_of(candidate_fate fate) noexcept {
  switch (fate) {
  case candidate_fate::won:
    return waterfall_end::won;
  case candidate_fate::failed:
    return waterfall_end::failed;
  case candidate_fate::lost:
    return waterfall_end::lost;
  default:
    return waterfall_end::running;
  }
}

std::string span_text(duration from, duration to) {
  return duration_text(from) + " to " + duration_text(to);
}

waterfall_row row_of(const resolution_report& x, duration total) {
  waterfall_row row;
  row.label = x.name + " " + std::string{to_string(x.record)};
  row.until = x.answered ? x.started + x.took : total;
  row.stretches.push_back({waterfall_phase::resolving, x.started, row.until});
  row.end = x.answered ? waterfall_end::answered : waterfall_end::unanswered;
  row.note = "no answer";
  if (x.reason)
    row.note = "error";
  else if (x.answered)
    row.note = counted(x);
  row.details = row.label + ": " + (x.reason ? x.reason.text() : row.note) + ", " +
                span_text(x.started, row.until);
  return row;
}

waterfall_row row_of(const candidate_report& x, duration total) {
  waterfall_row row;
  row.label = x.who.node + " " + x.who.stack + " " + to_string(x.who.remote);
  row.until = x.fate == candidate_fate::running ? total : x.ended;
  row.end = end_of(x.fate);
  row.note = to_string(x.fate);
  row.details = row.label + (x.who.path.empty() ? "" : " via " + x.who.path) + ": " + row.note;
  if (x.reason)
    row.details += ", " + x.reason.text();
  for (std::size_t i = 0; i < x.stages.size(); ++i) {
    const auto& [stage, from] = x.stages[i];
    if (stage == attempt_stage::ready)
      break;
    auto to = i + 1 < x.stages.size() ? x.stages[i + 1].at : row.until;
    row.stretches.push_back({phase_of(stage), from, to});
    row.details += ", " + std::string{to_string(stage)} + " " + span_text(from, to);
  }
  return row;
}

}  // namespace

std::vector<waterfall_row> waterfall(const establishment_report& x) {
  std::vector<waterfall_row> rows;
  for (const auto& name : x.names)
    rows.push_back(row_of(name, x.total));
  for (const auto& candidate : x.candidates) {
    if (candidate.fate != candidate_fate::not_tried)
      rows.push_back(row_of(candidate, x.total));
  }
  return rows;
}

}  // namespace taps::detail
