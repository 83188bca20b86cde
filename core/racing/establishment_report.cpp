#include "taps/core/racing/establishment_report.hpp"

#include "taps/core/racing/duration_text.hpp"

#include <algorithm>
#include <array>

namespace taps {

// -- names ---------------------------------------------------------------------

std::string_view to_string(attempt_stage stage) noexcept {
  constexpr std::array<std::string_view, 5> names{"untried", "connecting", "securing", "framing",
                                                  "ready"};
  auto index = static_cast<std::size_t>(stage);
  return index < names.size() ? names[index] : "unknown";
}

std::string_view to_string(candidate_fate fate) noexcept {
  constexpr std::array<std::string_view, 5> names{"not tried", "running", "won", "lost", "failed"};
  auto index = static_cast<std::size_t>(fate);
  return index < names.size() ? names[index] : "unknown";
}

namespace {

bool is_known(const socket_address& x) noexcept { return x.port != 0 || !x.address.is_any(); }

/// `1.2.1 stack to remote via eth0`
std::string title(const candidate_identity& x) {
  auto out = x.node + " " + x.stack + " to " + to_string(x.remote);
  if (!x.path.empty())
    out += " via " + x.path;
  return out;
}

/// What became of the attempt and how far it had come, without its times.
std::string outcome(const candidate_report& x) {
  switch (x.fate) {
  case candidate_fate::won:
    return "won";
  case candidate_fate::not_tried:
    return "not tried";
  case candidate_fate::running:
    return "still " + std::string{to_string(x.stage())};
  case candidate_fate::lost:
    return "cancelled while " + std::string{to_string(x.stage())};
  case candidate_fate::failed:
    return "failed while " + std::string{to_string(x.stage())} + ": " +
           (x.reason.text().empty() ? "no reason given" : x.reason.text());
  }
  return {};
}

std::string answer(const resolution_report& x) {
  if (!x.answered)
    return "no answer yet";
  if (x.reason)
    return x.reason.text();
  return counted(x);
}

std::string candidate_line(const candidate_report& x, duration total) {
  auto out = "  " + title(x.who) + ": " + outcome(x);
  if (x.fate == candidate_fate::not_tried)
    return out;
  auto end = x.fate == candidate_fate::running ? total : x.ended;
  out += " (" + duration_text(x.started()) + " to " + duration_text(end);
  for (std::size_t i = 1; i < x.stages.size(); ++i)
    out +=
        ", " + std::string{to_string(x.stages[i].stage)} + " at " + duration_text(x.stages[i].at);
  out += ")";
  if (is_known(x.who.local))
    out += " from " + to_string(x.who.local);
  return out;
}

}  // namespace

std::string counted(const resolution_report& x) {
  const auto is_service = x.record != dns_record::aaaa && x.record != dns_record::a;
  if (x.addresses == 0)
    return is_service ? "no record" : "no address";
  return std::to_string(x.addresses) + (is_service ? " place" : " address") +
         (x.addresses == 1 ? ""
          : is_service     ? "s"
                           : "es");
}

// -- text ----------------------------------------------------------------------

const candidate_report* establishment_report::winner() const noexcept {
  auto i = std::ranges::find(candidates, candidate_fate::won, &candidate_report::fate);
  return i != candidates.end() ? &*i : nullptr;
}

std::string to_string(const establishment_report& x) {
  auto pending = std::ranges::any_of(
      x.candidates, [](const auto& c) { return c.fate == candidate_fate::running; });
  std::string out = "not established after ";
  if (x.winner() != nullptr)
    out = "established in ";
  else if (pending)
    out = "establishing since ";
  out += duration_text(x.total) + "\n";
  for (const auto& name : x.names) {
    out += "  " + name.name + " " + std::string{to_string(name.record)} + ": " + answer(name);
    if (name.answered)
      out += " (" + duration_text(name.started) + " to " + duration_text(name.started + name.took) +
             ")";
    out += "\n";
  }
  for (const auto& candidate : x.candidates)
    out += candidate_line(candidate, x.total) + "\n";
  return out;
}

error explain(const error& headline, const establishment_report& x) {
  std::string text;
  auto append = [&](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
  for (const auto& name : x.names) {
    const auto must_exist = name.record == dns_record::aaaa || name.record == dns_record::a;
    if (!name.answered || name.reason || (must_exist && name.addresses == 0))
      append(name.name + " " + std::string{to_string(name.record)} + ": " + answer(name));
  }
  for (const auto& candidate : x.candidates)
    append(title(candidate.who) + " " + outcome(candidate) +
           (candidate.fate == candidate_fate::failed || candidate.fate == candidate_fate::lost
                ? " after " + duration_text(candidate.ended - candidate.started())
                : ""));
  // A headline that already tells about the names is not told twice.
  if (text.empty() || (x.candidates.empty() && headline == errc::resolution_failed))
    return headline;
  // Line breaks come from foreign texts.
  std::ranges::replace(text, '\n', ' ');
  return {headline.reason(), headline.text() + " [" + text + "]", headline.os_code()};
}

}  // namespace taps
