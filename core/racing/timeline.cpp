#include "taps/core/racing/duration_text.hpp"
#include "taps/core/racing/establishment_report.hpp"

#include <algorithm>
#include <cstddef>

// The waterfall of a report:
//
//                          0 ................ 251.0 ms
//     example.com AAAA     |~                        |  1 address
//     1.1 [2001:db8::1]:80 |-----------------------/ |  lost
//     1.2 192.0.2.1:80     |                      --*|  won

namespace taps {

namespace {

struct waterfall_row {
  std::string label;
  std::string bar;
  std::string note;
};

/// Draws on a line of columns that stand for the time from 0 to `total`.
class ruler {
public:
  ruler(duration total, std::size_t width) : total_(total), width_(width) {}

  [[nodiscard]] std::string blank() const { return std::string(width_, ' '); }

  [[nodiscard]] std::size_t column(duration at) const noexcept {
    if (total_ <= duration::zero() || at <= duration::zero())
      return 0;
    auto share = static_cast<double>(at.count()) / static_cast<double>(total_.count());
    auto last = width_ - 1;
    return std::min(static_cast<std::size_t>(share * static_cast<double>(width_)), last);
  }

  /// Fills from one time up to another, at least one column.
  void fill(std::string& bar, duration from, duration to, char with) const {
    for (auto i = column(from), end = column(to); i <= end; ++i)
      bar[i] = with;
  }

private:
  duration total_;
  std::size_t width_;
};

char stroke(attempt_stage stage) noexcept {
  switch (stage) {
  case attempt_stage::securing:
    return '=';
  case attempt_stage::framing:
    return '+';
  default:
    return '-';
  }
}

char last_stroke(candidate_fate fate) noexcept {
  switch (fate) {
  case candidate_fate::won:
    return '*';
  case candidate_fate::failed:
    return 'x';
  case candidate_fate::lost:
    return '/';
  default:
    return '>';
  }
}

waterfall_row row_of(const resolution_report& x, const ruler& r, duration total) {
  auto bar = r.blank();
  r.fill(bar, x.started, x.answered ? x.started + x.took : total, '~');
  std::string note = "no answer";
  if (x.reason)
    note = "error";
  else if (x.answered)
    note = std::to_string(x.addresses) + (x.addresses == 1 ? " address" : " addresses");
  return {x.name + (x.family == ip_family::v6 ? " AAAA" : " A"), bar, note};
}

waterfall_row row_of(const candidate_report& x, const ruler& r, duration total) {
  auto bar = r.blank();
  auto end = x.fate == candidate_fate::running ? total : x.ended;
  for (std::size_t i = 0; i < x.stages.size(); ++i) {
    auto until = i + 1 < x.stages.size() ? x.stages[i + 1].at : end;
    r.fill(bar, x.stages[i].at, until, stroke(x.stages[i].stage));
  }
  bar[r.column(end)] = last_stroke(x.fate);
  return {x.who.node + " " + x.who.stack + " " + to_string(x.who.remote), bar,
          std::string{to_string(x.fate)}};
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string scale(duration total, std::size_t width) {
  auto end = " " + duration_text(total);
  std::string out = "0 ";
  if (out.size() + end.size() < width)
    out.append(width - out.size() - end.size(), '.');
  return out + end;
}

}  // namespace

std::string timeline(const establishment_report& x, std::size_t width) {
  width = std::max<std::size_t>(width, 10);
  ruler r{x.total, width};
  std::vector<waterfall_row> rows;
  for (const auto& name : x.names)
    rows.push_back(row_of(name, r, x.total));
  for (const auto& candidate : x.candidates) {
    if (candidate.fate != candidate_fate::not_tried)
      rows.push_back(row_of(candidate, r, x.total));
  }
  std::size_t label = 0;
  for (const auto& row : rows)
    label = std::max(label, row.label.size());
  auto out = padded("", label) + "  " + scale(x.total, width) + "\n";
  for (const auto& row : rows)
    out += padded(row.label, label) + " |" + row.bar + "|  " + row.note + "\n";
  return out;
}

}  // namespace taps
