#pragma once

#include "taps/core/candidate/endpoint_check.hpp"
#include "taps/core/candidate/gather.hpp"
#include "taps/core/candidate/selection.hpp"
#include "taps/core/establishment/lessons.hpp"
#include "taps/core/path/network.hpp"
#include "taps/core/racing/establishment_recorder.hpp"
#include "taps/core/racing/race.hpp"
#include "taps/core/racing/resolution_set.hpp"
#include "taps/core/transport/resolver.hpp"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace taps {

/// What is to be established.
struct establishment_request {
  std::vector<local_endpoint> locals;
  std::vector<remote_endpoint> remotes;
  std::shared_ptr<const transport_properties> properties;
  security_mode security = security_mode::secure;
  bool framing_preserves_boundaries = false;
  racing_options racing;
  /// What the host's links are.
  network_ptr where = std::make_shared<const network>();
  /// Spans resolution, racing and handshakes; absent for none.
  std::optional<duration> timeout;
  /// Decides between places of a service that are equals.
  std::uint64_t seed = 0;
  /// What forbids or prefers stacks; null for nothing.
  std::shared_ptr<const system_policy> policy;
  /// What it says of each stack beforehand; empty without one.
  std::vector<policy_answer> verdicts;
  /// Places of the Remote Endpoints in the history; empty without one.
  std::vector<history_place> places;
  /// What history says of each stack; empty for nothing.
  std::vector<past_outcome> past;
  /// What history says of an address; null for nothing.
  std::function<address_experience(const socket_address&)> experience_of;
  /// What `select_for` returned for an equal request before; null to find it out.
  std::shared_ptr<const selection> selected;
};

/// Checks the endpoints and selects the stacks for a request.
[[nodiscard]] result<selection> select_for(const establishment_request& what,
                                           std::span<const protocol_stack> stacks);

/// What the shell of an establishment has to do.
struct establishment_action {
  enum class kind_type : std::uint8_t {
    /// Ask for the `record`s of `hostname(name)`; the answer names `name`, too.
    ask,
    /// Start an attempt for the candidate `leaf`.
    start_attempt,
    /// Drop the attempt of `leaf`.
    cancel_attempt,
    /// Terminal: `leaf` won.
    succeeded,
    /// Terminal: `reason` tells every cause.
    failed,
  };

  kind_type kind = kind_type::ask;
  std::size_t name = 0;
  dns_record record = dns_record::aaaa;
  leaf_id leaf = 0;
  error reason;
};

using establishment_actions = std::vector<establishment_action>;

/// From what an application asks to a candidate that won: checks, selection of stacks, resolution,
/// gathering and racing as one machine (RFC 9623, section 4). The shell performs its actions in
/// order, feeds results with the current time and calls `on_timer` at `next_deadline()`. Ends with
/// exactly one terminal action, unless it is dropped.
class establishment_machine {
public:
  /// `stacks` and `lookup` must outlive the machine; of `lookup` only what answers at once is used.
  establishment_machine(establishment_request request, std::span<const protocol_stack> stacks,
                        const resolver& lookup, time_point now);

  // -- inputs -------------------------------------------------------------------------

  establishment_actions on_start(time_point now);
  establishment_actions on_answer(time_point now, std::size_t name, ip_family family,
                                  result<std::vector<ip_address>> answer);
  establishment_actions on_services(time_point now, std::size_t name,
                                    result<service_records> answer);
  establishment_actions on_ready(time_point now, leaf_id leaf);
  establishment_actions on_failed(time_point now, leaf_id leaf, error reason);
  establishment_actions on_timer(time_point now);

  /// An attempt came further, or is bound; for the report only.
  void on_stage(time_point now, leaf_id leaf, attempt_stage stage);
  void on_bound(leaf_id leaf, const socket_address& local);

  // -- properties ---------------------------------------------------------------------

  [[nodiscard]] deadline next_deadline() const noexcept;
  /// Returns a candidate whose attempt was started.
  [[nodiscard]] const candidate& candidate_of(leaf_id leaf) const;
  [[nodiscard]] const std::string& hostname(std::size_t name) const { return names_.name_of(name); }
  /// Where names are to be asked.
  [[nodiscard]] const name_scope& scope() const noexcept { return scope_; }
  [[nodiscard]] establishment_report report(time_point now) const { return recorder_.report(now); }
  /// What the race taught; empty without history.
  [[nodiscard]] std::vector<lesson> lessons() const;
  [[nodiscard]] bool over() const noexcept { return over_; }

private:
  /// Which endpoint a resolution belongs to.
  struct name_owner {
    bool local = false;
    std::size_t index = 0;
  };

  [[nodiscard]] result<void> prepare();
  [[nodiscard]] result<void> prepare_remote(std::size_t index);
  [[nodiscard]] result<void> prepare_local(std::size_t index);
  [[nodiscard]] result<void> prepare_paths();
  [[nodiscard]] result<void> find_interface(std::string& name, std::uint32_t& index) const;
  [[nodiscard]] bool all_dead(std::size_t name, const std::vector<ip_address>& addresses) const;
  [[nodiscard]] bool permits(const candidate& x);
  void refresh_addresses();
  void add_places(const resolved_remote& from, std::span<const resolved_place> places);
  void offer(time_point now, establishment_actions& out);
  void ask(time_point now, establishment_actions& out);
  void take_names(time_point now, resolution_event event, establishment_actions& out);
  void take_race(time_point now, const race_actions& what, establishment_actions& out);
  void fail(time_point now, const error& reason, establishment_actions& out);

  establishment_request request_;
  std::span<const protocol_stack> stacks_;
  const resolver& lookup_;
  gather_input input_;
  /// The Remote Endpoints, each with what it says without being resolved.
  std::vector<resolved_remote> remotes_;
  resolution_set names_;
  name_scope scope_;
  std::vector<name_owner> owners_;
  race race_;
  establishment_recorder recorder_;
  lesson_book book_;
  std::vector<candidate> untried_;
  std::vector<candidate> started_;
  /// Why policy forbids the last candidate that it does.
  error prohibited_;
  bool gathered_ = false;
  bool over_ = false;
};

}  // namespace taps
