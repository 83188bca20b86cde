#pragma once

#include "taps/core/base/random.hpp"
#include "taps/core/racing/resolution.hpp"
#include "taps/core/transport/service_record.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace taps {

/// A question for the places of a service.
struct service_question {
  dns_record type = dns_record::srv;
  /// What the records belong to.
  std::string name;
  /// The stacks that they are for, by what these name their services after; empty for all.
  std::string carrier{};
};

/// What an endpoint asks for.
struct name_request {
  std::string hostname;
  /// Who offers the service there, if it is known by name.
  std::vector<service_question> services{};
  /// Whether addresses of the host are of use without an answer about the service: there is a port
  /// to go with them.
  bool host_will_do = true;
};

/// Somewhere that an endpoint resolves to.
struct resolved_place {
  /// The stacks that it is for, by their carriers; empty for all.
  std::vector<std::string> carriers{};
  /// Absent for the endpoint's own.
  std::optional<std::uint16_t> port{};
  /// What is spoken there, as a record says it.
  std::vector<std::string> alpn{};
  std::vector<ip_address> addresses{};

  friend bool operator==(const resolved_place&, const resolved_place&) = default;
};

/// What one endpoint resolves to: its host, or the places where records say that its service is
/// (SRV, RFC 2782; HTTPS, RFC 9460), each of which is a host again. Asks nobody itself.
///
/// All questions go out at once. From the first address on, better answers may take the resolution
/// delay, no more; what comes later is added. SRV records replace the host for their stacks; places
/// of HTTPS records go before it. Without records, or an answer about them, the host will do.
class endpoint_resolution {
public:
  /// Places used at most, and names asked for on their account; who answers must not have us ask
  /// thousands of questions.
  static constexpr std::size_t max_targets = 16;
  /// Aliases of a service followed, one after the other.
  static constexpr std::size_t max_aliases = 8;

  endpoint_resolution(name_request what, duration resolution_delay, std::uint64_t seed);

  // -- inputs ------------------------------------------------------------------

  resolution_event on_start(time_point now);

  /// The addresses of a name in one family; see `name_resolution`.
  resolution_event on_answer(time_point now, std::size_t name, ip_family family,
                             result<std::vector<ip_address>> answer, bool dead);

  /// The records that a question asked for.
  resolution_event on_services(time_point now, std::size_t question,
                               result<service_records> answer);

  resolution_event on_timer(time_point now);

  // -- properties --------------------------------------------------------------

  [[nodiscard]] deadline next_deadline() const noexcept;
  [[nodiscard]] bool usable() const noexcept { return released_; }
  [[nodiscard]] bool more_to_come() const noexcept;

  /// What is to be asked: both grow when answers name further ones.
  [[nodiscard]] std::span<const name_resolution> names() const noexcept { return names_; }
  [[nodiscard]] const service_question& question(std::size_t i) const { return services_[i].what; }
  [[nodiscard]] std::size_t num_questions() const noexcept { return services_.size(); }

  /// Returns what is released, best first.
  [[nodiscard]] std::vector<resolved_place> places() const;

  /// Returns why there is nothing, naming everything asked for.
  [[nodiscard]] error failure() const;

private:
  struct service_state {
    service_question what;
    /// Aliases that led to it.
    std::size_t depth = 0;
    bool pending = true;
    /// There are records, be it to say that there is no such service.
    bool offered = false;
    error reason{};
  };

  /// A host that offers the service, or that it is an alias for.
  struct target {
    std::size_t service = 0;
    std::size_t name = 0;
    service_record says;
  };

  template<class Input>
  resolution_event observe(time_point now, Input input);
  void settle(time_point now);
  void take(time_point now, std::size_t question, service_records answer);
  void follow(time_point now, std::size_t question, const std::string& alias);
  void add_target(time_point now, std::size_t service, service_record says);
  std::size_t add_name(time_point now, const std::string& hostname);
  [[nodiscard]] bool best_known() const;
  [[nodiscard]] bool best_known_of(std::size_t service) const;
  [[nodiscard]] std::vector<resolved_place> known_places() const;
  [[nodiscard]] std::vector<ip_address> addresses_of(const target& x) const;
  [[nodiscard]] std::optional<std::vector<std::string>> carriers_of_host() const;

  name_request request_;
  duration delay_;
  random_source random_;
  std::vector<name_resolution> names_;
  std::vector<service_state> services_;
  std::vector<target> targets_;
  deadline hold_until_;
  bool held_enough_ = false;
  bool released_ = false;
};

/// Returns places in the order in which to try them: by priority, and by chance in proportion to
/// their weights among equals (RFC 2782).
[[nodiscard]] std::vector<service_record> in_order(std::vector<service_record> places,
                                                   random_source& random);

}  // namespace taps
