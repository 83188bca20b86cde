#include "taps/core/racing/duration_text.hpp"
#include "taps/core/racing/establishment_report.hpp"
#include "taps/core/racing/waterfall.hpp"

#include <algorithm>
#include <cstddef>

// The waterfall of a report in text:
//
//                          0 ................ 251.0 ms
//     example.com AAAA     |~                        |  1 address
//     1.1 [2001:db8::1]:80 |-----------------------/ |  lost
//     1.2 192.0.2.1:80     |                      --*|  won

namespace taps {

namespace {

using detail::waterfall_end;
using detail::waterfall_phase;
using detail::waterfall_row;

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

char stroke(waterfall_phase phase) noexcept {
  switch (phase) {
  case waterfall_phase::resolving:
    return '~';
  case waterfall_phase::securing:
    return '=';
  case waterfall_phase::framing:
    return '+';
  case waterfall_phase::connecting:
    return '-';
  }
  return '?';
}

char last_stroke(waterfall_end end) noexcept {
  switch (end) {
  case waterfall_end::won:
    return '*';
  case waterfall_end::failed:
    return 'x';
  case waterfall_end::lost:
    return '/';
  case waterfall_end::running:
    return '>';
  case waterfall_end::answered:
  case waterfall_end::unanswered:
    return '~';
  }
  return '?';
}

std::string bar(const waterfall_row& row, const ruler& r) {
  auto out = r.blank();
  for (const auto& x : row.stretches)
    r.fill(out, x.from, x.to, stroke(x.phase));
  out[r.column(row.until)] = last_stroke(row.end);
  return out;
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
  auto rows = detail::waterfall(x);
  std::size_t label = 0;
  for (const auto& row : rows)
    label = std::max(label, row.label.size());
  auto out = padded("", label) + "  " + scale(x.total, width) + "\n";
  for (const auto& row : rows)
    out += padded(row.label, label) + " |" + bar(row, r) + "|  " + row.note + "\n";
  return out;
}

}  // namespace taps
