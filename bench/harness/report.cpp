#include "taps/bench/harness/report.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

namespace bench {

namespace {

bool same_line(const row& x, const row& y) {
  return x.work == y.work && x.cpus == y.cpus && x.unit == y.unit && x.end == y.end;
}

std::string line_name(const row& x) {
  auto result = x.work + ", " + std::to_string(x.cpus) + (x.cpus == 1 ? " CPU" : " CPUs");
  if (x.connections > 1)
    result += ", " + std::to_string(x.connections) + " idle";
  if (!x.end.empty())
    result += ", " + x.end;
  return result;
}

std::string format(const char* pattern, double a, double b = 0) {
  char text[64];
  std::snprintf(text, sizeof(text), pattern, a, b);
  return text;
}

std::string human(double value) {
  if (value >= 1e9)
    return format("%.2f G", value / 1e9);
  if (value >= 1e6)
    return format("%.2f M", value / 1e6);
  if (value >= 1e4)
    return format("%.1f k", value / 1e3);
  return format(value >= 100 ? "%.0f" : "%.2f", value);
}

}  // namespace

// -- collecting ---------------------------------------------------------------

void report::add(const row& key, std::optional<double> value) {
  auto at = std::find_if(rows_.begin(), rows_.end(), [&](const row& x) {
    return same_line(x, key) && x.subject == key.subject;
  });
  if (at == rows_.end())
    at = rows_.insert(rows_.end(), key);
  if (value)
    at->values.push_back(*value);
  else
    ++at->failed_rounds;
}

bool report::has_failures() const {
  return std::any_of(rows_.begin(), rows_.end(), [](const row& x) { return x.failed_rounds > 0; });
}

const row* report::find(const row& like, const std::string& subject) const {
  auto at = std::find_if(rows_.begin(), rows_.end(),
                         [&](const row& x) { return same_line(x, like) && x.subject == subject; });
  return at == rows_.end() ? nullptr : &*at;
}

const row* report::measured(const row& like, const std::string& subject) const {
  auto result = find(like, subject);
  return result == nullptr || result->values.empty() ? nullptr : result;
}

std::optional<double> report::ratio(const row& x, const std::string& yardstick) const {
  auto base = measured(x, yardstick);
  if (base == nullptr || x.values.empty())
    return std::nullopt;
  auto unit = summarize(base->values).median;
  if (unit <= 0)
    return std::nullopt;
  return summarize(x.values).median / unit;
}

bool report::has_rows_of(const std::string& subject) const {
  return std::any_of(rows_.begin(), rows_.end(),
                     [&](const row& x) { return x.subject == subject; });
}

// -- the table ----------------------------------------------------------------

std::string report::cell(const row* x, const std::string& yardstick) const {
  if (x == nullptr)
    return "-";
  if (x->values.empty())
    return "failed";
  auto s = summarize(x->values);
  auto times = ratio(*x, yardstick);
  auto spread = s.median > 0 ? 100 * s.usual_deviation / s.median : 0;
  auto text = times ? format("%.3f", *times) : human(s.median);
  text += format(" (%.1f%%)", spread);
  if (x->failed_rounds > 0)
    text += " " + std::to_string(x->failed_rounds) + " failed";
  return text;
}

void report::print_line(std::ostream& out, const row& x,
                        const std::vector<std::string>& columns) const {
  auto& yardstick = columns.front();
  auto base = measured(x, yardstick);
  out << std::setw(44) << line_name(x) << std::setw(26) << x.unit << std::setw(12)
      << (base != nullptr ? human(summarize(base->values).median) : "-");
  for (auto& name : columns)
    if (has_rows_of(name))
      out << std::setw(17) << cell(find(x, name), yardstick);
  out << '\n';
}

void report::print_table(std::ostream& out, const std::vector<std::string>& columns) const {
  auto& yardstick = columns.front();
  out << "Ratios to " << yardstick
      << " (medians; in brackets half the distance of the quartiles)\n\n"
      << std::left << std::setw(44) << "work" << std::setw(26) << "unit" << std::setw(12)
      << yardstick + " =";
  for (auto& name : columns)
    if (has_rows_of(name))
      out << std::setw(17) << name;
  out << '\n';
  for (auto x = rows_.begin(); x != rows_.end(); ++x)
    if (std::none_of(rows_.begin(), x, [&](const row& y) { return same_line(*x, y); }))
      print_line(out, *x, columns);
  print_beside_idle(out);
}

void report::print_beside_idle(std::ostream& out) const {
  std::ostringstream line;
  for (auto& x : rows_) {
    if (x.work != "ping_pong_64_beside_10k" || x.unit != "round_trips_per_second")
      continue;
    auto alone = x;
    alone.work = "ping_pong_64";
    auto base = measured(alone, x.subject);
    if (base == nullptr || x.values.empty())
      continue;
    line << "  " << x.subject << ' '
         << format("%.3f", summarize(x.values).median / summarize(base->values).median);
  }
  if (!line.str().empty())
    out << "\nping_pong_64_beside_10k as a ratio to the subject's own ping_pong_64:" << line.str()
        << '\n';
}

// -- JSON ---------------------------------------------------------------------

bool report::write_json(const std::string& file, const std::string& yardstick) const {
  auto list = nlohmann::ordered_json::array();
  for (auto& x : rows_) {
    nlohmann::ordered_json entry{{"work", x.work},
                                 {"subject", x.subject},
                                 {"cpus", x.cpus},
                                 {"connections", x.connections},
                                 {"unit", x.unit}};
    for (auto field : {"median", "low", "high", "ratio_to_raw"})
      entry[field] = nullptr;
    if (!x.values.empty()) {
      auto s = summarize(x.values);
      entry["median"] = s.median;
      entry["low"] = s.low;
      entry["high"] = s.high;
    }
    if (auto times = ratio(x, yardstick))
      entry["ratio_to_raw"] = *times;
    if (!x.end.empty())
      entry["end"] = x.end;
    if (x.failed_rounds > 0)
      entry["failed_rounds"] = x.failed_rounds;
    list.push_back(std::move(entry));
  }
  std::ofstream out(file);
  out << list.dump(2) << '\n';
  return static_cast<bool>(out.flush());
}

}  // namespace bench
