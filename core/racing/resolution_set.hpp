#pragma once

#include "taps/core/racing/endpoint_resolution.hpp"

#include <span>
#include <string>
#include <vector>

namespace taps {

/// Something to be asked of DNS. Its number comes back with the answer; both families of a name
/// have the same one.
struct dns_question {
  std::size_t number = 0;
  dns_record record = dns_record::aaaa;
};

/// The names of several endpoints, resolved side by side. Racing may start when the first one
/// releases addresses; the others are added when they come.
class resolution_set {
public:
  explicit resolution_set(duration resolution_delay = std::chrono::milliseconds{50},
                          std::uint64_t seed = 0) noexcept
      : resolution_delay_(resolution_delay), random_(seed) {}

  /// Adds an endpoint and returns its index.
  std::size_t add(name_request what);
  std::size_t add(std::string hostname) { return add(name_request{std::move(hostname)}); }

  // -- inputs ------------------------------------------------------------------

  /// Starts all endpoints. After this and every answer the shell asks what `take_questions`
  /// returns. With no endpoints at all the answer is `none`.
  resolution_event on_start(time_point now);

  /// As for one name, seen from the race: `released` for the first addresses at all, `added` for
  /// others, `exhausted` if the race learns only that less is to come, `failed` if no endpoint has
  /// any.
  resolution_event on_answer(time_point now, std::size_t number, ip_family family,
                             result<std::vector<ip_address>> answer, bool dead = false);
  resolution_event on_services(time_point now, std::size_t number, result<service_records> answer);

  resolution_event on_timer(time_point now);

  // -- properties --------------------------------------------------------------

  /// Returns what has come up since the last call, to be asked in this order without waiting in
  /// between: services first, then IPv6 before IPv4 addresses of each name.
  [[nodiscard]] std::vector<dns_question> take_questions();

  /// Returns the name of a question, and the endpoint on whose behalf it is asked.
  [[nodiscard]] const std::string& name_of(std::size_t number) const;
  [[nodiscard]] dns_record record_of_service(std::size_t number) const {
    const auto& x = subjects_[number];
    return endpoints_[x.endpoint].question(x.index).type;
  }
  [[nodiscard]] std::size_t endpoint_of(std::size_t number) const {
    return subjects_[number].endpoint;
  }

  [[nodiscard]] deadline next_deadline() const noexcept;
  [[nodiscard]] bool more_to_come() const noexcept;
  [[nodiscard]] bool usable() const noexcept;
  [[nodiscard]] std::span<const endpoint_resolution> endpoints() const noexcept {
    return endpoints_;
  }

  /// Returns why there are no addresses, naming all names. @pre all endpoints have failed
  [[nodiscard]] error failure() const;

private:
  /// What a number stands for.
  struct subject {
    std::size_t endpoint = 0;
    std::size_t index = 0;
    bool is_service = false;
  };

  void collect(std::size_t endpoint);
  [[nodiscard]] resolution_event translate(resolution_event event, bool was_usable) const noexcept;

  duration resolution_delay_;
  random_source random_;
  std::vector<endpoint_resolution> endpoints_;
  /// How many services and names of each endpoint have a number.
  std::vector<std::pair<std::size_t, std::size_t>> numbered_;
  std::vector<subject> subjects_;
  std::vector<dns_question> questions_;
};

}  // namespace taps
