#pragma once

#include "taps/bench/harness/stats.hpp"

#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace bench {

/// Everything measured of one work, subject and unit.
struct row {
  std::string work;
  std::string subject;
  unsigned cpus = 1;
  std::size_t connections = 1;
  std::string unit;
  /// "client" or "server" where the two ends are told apart, else empty.
  std::string end{};
  /// One value per round that succeeded.
  std::vector<double> values{};
  std::size_t failed_rounds = 0;
};

/// The rows of a run, and what is told of them.
class report {
public:
  /// Adds a value, or a failed round.
  void add(const row& key, std::optional<double> value);

  /// Prints the table of ratios to the first of `columns`, with that one's own medians. Subjects
  /// that have no row are left out.
  void print_table(std::ostream& out, const std::vector<std::string>& columns) const;

  /// Writes the list of objects; false if `file` cannot be written.
  bool write_json(const std::string& file, const std::string& yardstick) const;

  /// Whether any round failed.
  bool has_failures() const;

private:
  const row* find(const row& like, const std::string& subject) const;
  const row* measured(const row& like, const std::string& subject) const;
  std::optional<double> ratio(const row& x, const std::string& yardstick) const;
  bool has_rows_of(const std::string& subject) const;
  void print_line(std::ostream& out, const row& x, const std::vector<std::string>& columns) const;
  std::string cell(const row* x, const std::string& yardstick) const;
  void print_beside_idle(std::ostream& out) const;

  std::vector<row> rows_;
};

}  // namespace bench
