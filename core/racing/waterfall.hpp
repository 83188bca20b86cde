#pragma once

#include "taps/core/racing/establishment_report.hpp"

#include <string>
#include <vector>

namespace taps::detail {

/// What a stretch of a row stands for.
enum class waterfall_phase : std::uint8_t { resolving, connecting, securing, framing };

/// How a row ends.
enum class waterfall_end : std::uint8_t { answered, unanswered, running, won, lost, failed };

struct waterfall_stretch {
  waterfall_phase phase = waterfall_phase::connecting;
  duration from{};
  duration to{};
};

/// A query or an attempt as something to draw.
struct waterfall_row {
  std::string label;
  std::vector<waterfall_stretch> stretches;
  waterfall_end end = waterfall_end::running;
  /// When it ended, or how far the report knows it.
  duration until{};
  /// A word or two.
  std::string note;
  /// All that is known about it, in one line of any length.
  std::string details;
};

/// Lays out a report, whatever it is drawn with: its queries, then the candidates tried.
[[nodiscard]] std::vector<waterfall_row> waterfall(const establishment_report& x);

}  // namespace taps::detail
