#pragma once

#include "taps/core/racing/establishment_report.hpp"
#include "taps/core/racing/race.hpp"

namespace taps {

/// Writes down what happens during an establishment; fed by whoever runs the race. Notes about
/// leaves it does not know, or whose fate is decided, are dropped. Used by one thread.
class establishment_recorder {
public:
  explicit establishment_recorder(time_point begin) noexcept : begin_(begin) {}

  // -- names -------------------------------------------------------------------

  void asked(time_point now, std::string_view name, dns_record record);
  void answered(time_point now, std::string_view name, dns_record record, std::size_t count);
  void answered(time_point now, std::string_view name, dns_record record, error reason);

  // -- candidates --------------------------------------------------------------

  /// Introduces a candidate, or renames one when late addresses have changed the tree. The order of
  /// first introduction is that of those not tried.
  void introduce(leaf_id leaf, candidate_identity who);

  /// Its attempt starts, in stage `connecting`.
  void started(time_point now, leaf_id leaf);

  /// Its attempt has come further; ignored if it has been there.
  void reached(time_point now, leaf_id leaf, attempt_stage stage);

  /// The kernel has chosen the local address.
  void bound(leaf_id leaf, const socket_address& local);

  void won(time_point now, leaf_id leaf);
  void lost(time_point now, leaf_id leaf);
  void failed(time_point now, leaf_id leaf, error reason);

  // -- result ------------------------------------------------------------------

  /// Returns the report as of `now`.
  [[nodiscard]] establishment_report report(time_point now) const;

private:
  struct entry {
    leaf_id leaf = 0;
    /// 0 while not tried, then counts up.
    std::size_t order = 0;
    candidate_report facts;
  };

  resolution_report* find_query(std::string_view name, dns_record record) noexcept;
  resolution_report* close_query(time_point now, std::string_view name, dns_record record) noexcept;
  entry* find(leaf_id leaf) noexcept;
  entry* find_running(leaf_id leaf) noexcept;
  entry* end(time_point now, leaf_id leaf, candidate_fate fate);

  time_point begin_;
  std::vector<resolution_report> names_;
  std::vector<entry> entries_;
  std::size_t starts_ = 0;
};

}  // namespace taps
