#pragma once

#include "taps/core/base/error.hpp"
#include "taps/core/base/time.hpp"
#include "taps/core/endpoint/socket_address.hpp"
#include "taps/core/transport/service_record.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace taps {

/// How far an attempt has come.
enum class attempt_stage : std::uint8_t {
  /// Not started.
  untried,
  /// The lowest layer sets itself up.
  connecting,
  /// The lowest layer is up; security or another upper layer is at work.
  securing,
  /// The protocol stack is up; Message Framers are at work.
  framing,
  /// The whole stack is ready.
  ready,
};

/// What became of a candidate.
enum class candidate_fate : std::uint8_t {
  not_tried,
  /// Only in reports read before the end.
  running,
  won,
  /// Cancelled: another one won, the time was up, or the application gave up.
  lost,
  failed,
};

[[nodiscard]] std::string_view to_string(attempt_stage stage) noexcept;
[[nodiscard]] std::string_view to_string(candidate_fate fate) noexcept;

/// When an attempt reached a stage.
struct stage_mark {
  attempt_stage stage = attempt_stage::untried;
  /// Since the beginning of the establishment.
  duration at{};

  friend bool operator==(const stage_mark&, const stage_mark&) = default;

  template<class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, stage_mark& x) {
    return f(x.stage, x.at);
  }
};

/// What is known about a candidate before it is tried.
struct candidate_identity {
  /// The number in the candidate tree, e.g. `1.2.1` (RFC 9623, section 4.1.1).
  std::string node;
  /// The interface; empty if the kernel chooses.
  std::string path;
  /// The name of the protocol stack.
  std::string stack;
  /// As far as known; the wildcard with port 0 if not at all.
  socket_address local;
  socket_address remote;

  friend bool operator==(const candidate_identity&, const candidate_identity&) = default;

  template<class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, candidate_identity& x) {
    return f(x.node, x.path, x.stack, x.local, x.remote);
  }
};

/// The course of one candidate. All times count from the beginning of the establishment.
struct candidate_report {
  candidate_identity who;
  candidate_fate fate = candidate_fate::not_tried;
  /// Every stage reached, in order; the first is the start. Empty if not tried.
  std::vector<stage_mark> stages;
  /// When the fate was decided; zero if not tried.
  duration ended{};
  /// Why it failed.
  error reason;

  [[nodiscard]] attempt_stage stage() const noexcept {
    return stages.empty() ? attempt_stage::untried : stages.back().stage;
  }
  [[nodiscard]] duration started() const noexcept {
    return stages.empty() ? duration{} : stages.front().at;
  }

  friend bool operator==(const candidate_report&, const candidate_report&) = default;

  template<class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, candidate_report& x) {
    return f(x.who, x.fate, x.stages, x.ended, x.reason);
  }
};

/// The course of one query for the records of a name.
struct resolution_report {
  std::string name;
  dns_record record = dns_record::aaaa;
  /// Since the beginning of the establishment.
  duration started{};
  duration took{};
  /// False if the race ended before the answer.
  bool answered = false;
  /// How many addresses, or places of a service, came of it.
  std::uint32_t addresses = 0;
  error reason;

  friend bool operator==(const resolution_report&, const resolution_report&) = default;

  template<class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, resolution_report& x) {
    return f(x.name, x.record, x.started, x.took, x.answered, x.addresses, x.reason);
  }
};

/// Returns how much was found, e.g. "2 addresses", "1 place".
[[nodiscard]] std::string counted(const resolution_report& x);

/// How an establishment went: every name, every candidate, with times and causes. A value that
/// events carry; crosses nodes.
struct establishment_report {
  duration total{};
  std::vector<resolution_report> names;
  /// Those tried in the order of their start, then the others in the order of preference.
  std::vector<candidate_report> candidates;

  /// Returns the candidate that won, or null.
  [[nodiscard]] const candidate_report* winner() const noexcept;

  friend bool operator==(const establishment_report&, const establishment_report&) = default;

  template<class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, establishment_report& x) {
    return f(x.total, x.names, x.candidates);
  }
};

/// Returns the report as lines for people: a summary, then one line per name and candidate.
[[nodiscard]] std::string to_string(const establishment_report& x);

/// Returns the report as a waterfall: one row per query and candidate tried, bars in proportion to
/// time, `width` columns for the whole (at least 10).
[[nodiscard]] std::string timeline(const establishment_report& x, std::size_t width = 60);

/// Returns the same waterfall as an SVG picture of its own, which shows what is known about a row
/// when one points at it. Texts that came from outside are escaped.
[[nodiscard]] std::string timeline_svg(const establishment_report& x);

/// Returns `headline` with a text of one line that goes on to name every unanswered or failed query
/// and every candidate, the stage it reached and why it failed.
[[nodiscard]] error explain(const error& headline, const establishment_report& x);

}  // namespace taps
