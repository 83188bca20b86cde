#include "taps/core/racing/duration_text.hpp"
#include "taps/core/racing/establishment_report.hpp"
#include "taps/core/racing/waterfall.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

// The same rows as in timeline.cpp, as a picture that browsers show: a title, the scale of time,
// a bar per query and attempt, whose details appear when one points at it, and a legend.

namespace taps {

namespace {

using detail::waterfall_end;
using detail::waterfall_phase;
using detail::waterfall_row;

// -- measures in pixels --------------------------------------------------------

constexpr double glyph = 7.3;  // of a 12-pixel monospaced font
constexpr double margin = 16;
constexpr double top = 64;
constexpr double row_height = 22;
constexpr double bar_height = 12;
constexpr double plot_width = 560;
constexpr double note_width = 120;
constexpr double legend_height = 40;
constexpr std::size_t longest_label = 64;

constexpr std::string_view style = R"(<style>
text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#24292f}
.head{font-weight:600;font-size:14px}.faint{fill:#6e7781}.grid{stroke:#d0d7de}.back{fill:#fff}
.resolving{fill:#afb8c1}.connecting{fill:#54aeff}.securing{fill:#a475f9}.framing{fill:#2da44e}
.won{fill:#1a7f37}.failed{fill:#cf222e}.lost{fill:#8c959f}.running{fill:#bf8700}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.faint{fill:#8b949e}.grid{stroke:#30363d}.back{fill:#0d1117}}
</style>
)";

// -- text ----------------------------------------------------------------------

/// Appends foreign text: escaped, and without what XML 1.0 cannot hold. Bytes beyond ASCII come
/// from names and operating systems and need not be UTF-8.
void escape(std::string& out, std::string_view text) {
  for (auto c : text) {
    switch (c) {
    case '&':
      out += "&amp;";
      break;
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '"':
      out += "&quot;";
      break;
    default:
      out += c >= ' ' && c <= '~' ? c : '?';
    }
  }
}

std::string shortened(const std::string& text) {
  return text.size() <= longest_label ? text : text.substr(0, longest_label - 3) + "...";
}

std::string number(double x) {
  std::array<char, 32> out{};
  auto n = std::snprintf(out.data(), out.size(), "%.1f", x);
  return {out.data(), static_cast<std::size_t>(std::max(n, 0))};
}

std::string_view name_of(waterfall_phase phase) noexcept {
  constexpr std::array<std::string_view, 4> names{"resolving", "connecting", "securing", "framing"};
  return names[static_cast<std::size_t>(phase)];
}

std::string_view name_of(waterfall_end end) noexcept {
  constexpr std::array<std::string_view, 6> names{"faint", "faint", "running",
                                                  "won",   "lost",  "failed"};
  return names[static_cast<std::size_t>(end)];
}

// -- elements ------------------------------------------------------------------

struct element {
  std::string_view tag;
  std::string_view kind;

  std::string at(double x, double y, std::string_view more = {}) const {
    return "<" + std::string{tag} + " class=\"" + std::string{kind} + "\" x=\"" + number(x) +
           "\" y=\"" + number(y) + "\"" + std::string{more} + ">";
  }
};

void write(std::string& out, std::string_view kind, double x, double y, std::string_view text,
           std::string_view anchor = "start") {
  out += element{"text", kind}.at(x, y, " text-anchor=\"" + std::string{anchor} + "\"");
  escape(out, text);
  out += "</text>\n";
}

void box(std::string& out, std::string_view kind, double x, double y, double width, double height) {
  out += element{"rect", kind}.at(
             x, y, " width=\"" + number(width) + "\" height=\"" + number(height) + "\"") +
         "</rect>\n";
}

/// Draws the report, once.
class picture {
public:
  explicit picture(const establishment_report& x) : report_(x), rows_(detail::waterfall(x)) {
    std::size_t longest = 0;
    for (const auto& row : rows_)
      longest = std::max(longest, shortened(row.label).size());
    left_ = 2 * margin + static_cast<double>(longest) * glyph;
    width_ = left_ + plot_width + note_width + margin;
    bottom_ = top + row_height * static_cast<double>(rows_.size());
  }

  std::string draw() {
    auto height = bottom_ + legend_height;
    out_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(width_) + "\" height=\"" +
           number(height) + "\" viewBox=\"0 0 " + number(width_) + " " + number(height) + "\">\n";
    out_ += style;
    box(out_, "back", 0, 0, width_, height);
    head();
    scale();
    for (std::size_t i = 0; i < rows_.size(); ++i)
      row(rows_[i], top + row_height * static_cast<double>(i));
    legend();
    return std::move(out_) + "</svg>\n";
  }

private:
  double column(duration at) const noexcept {
    if (report_.total <= duration::zero())
      return left_;
    auto share = static_cast<double>(at.count()) / static_cast<double>(report_.total.count());
    return left_ + plot_width * std::clamp(share, 0.0, 1.0);
  }

  void head() {
    auto summary = to_string(report_);
    write(out_, "head", margin, margin + 12, summary.substr(0, summary.find('\n')));
  }

  /// Lines at round times: 1, 2 or 5 times a power of ten, at most ten of them.
  void scale() {
    auto total = static_cast<double>(report_.total.count());
    if (total <= 0)
      return;
    auto step = std::pow(10, std::floor(std::log10(total)));
    for (auto finer : {0.1, 0.2, 0.5}) {
      if (total / (step * finer) <= 10) {
        step *= finer;
        break;
      }
    }
    for (double at = 0; at <= total; at += step) {
      auto when = duration{static_cast<duration::rep>(at)};
      auto x = number(column(when));
      out_ += "<line class=\"grid\" x1=\"" + x + "\" x2=\"" + x + "\" y1=\"" + number(top - 8) +
              "\" y2=\"" + number(bottom_) + "\"/>\n";
      write(out_, "faint", column(when), top - 14, at == 0 ? "0" : duration_text(when), "middle");
    }
  }

  void row(const waterfall_row& x, double y) {
    auto middle = y + bar_height - 2;
    out_ += "<g><title>";
    escape(out_, x.details);
    out_ += "</title>\n";
    write(out_, "", margin, middle, shortened(x.label));
    for (const auto& part : x.stretches)
      box(out_, name_of(part.phase), column(part.from), y,
          std::max(column(part.to) - column(part.from), 1.5), bar_height);
    if (x.end != waterfall_end::answered && x.end != waterfall_end::unanswered)
      box(out_, name_of(x.end), column(x.until) - 1.5, y - 2, 3, bar_height + 4);
    write(out_, name_of(x.end), left_ + plot_width + 10, middle, x.note);
    out_ += "</g>\n";
  }

  void legend() {
    auto x = left_;
    auto y = bottom_ + legend_height / 2;
    for (auto phase : {waterfall_phase::resolving, waterfall_phase::connecting,
                       waterfall_phase::securing, waterfall_phase::framing}) {
      auto name = name_of(phase);
      box(out_, name, x, y - 9, 10, 10);
      write(out_, "faint", x + 15, y, name);
      x += 40 + static_cast<double>(name.size()) * glyph;
    }
  }

  const establishment_report& report_;
  std::vector<waterfall_row> rows_;
  std::string out_;
  double left_ = 0;
  double width_ = 0;
  double bottom_ = 0;
};

}  // namespace

std::string timeline_svg(const establishment_report& x) { return picture{x}.draw(); }

}  // namespace taps
