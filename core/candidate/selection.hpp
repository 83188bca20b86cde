#pragma once

#include "taps/core/base/result.hpp"
#include "taps/core/candidate/past_outcome.hpp"
#include "taps/core/candidate/policy.hpp"
#include "taps/core/candidate/stack.hpp"
#include "taps/core/endpoint/endpoint.hpp"
#include "taps/core/properties/transport_properties.hpp"
#include "taps/core/security/security_mode.hpp"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace taps {

/// The protocols that a list of endpoints names with `with_protocol`.
struct protocol_restriction {
  std::vector<std::string> named;
  /// True when all endpoints name one, so that other protocols have no endpoint.
  bool exclusive = false;
};

[[nodiscard]] protocol_restriction restriction_of(std::span<const remote_endpoint> endpoints);

/// Everything that decides which stacks fit.
struct selection_request {
  transport_properties properties;
  establishment how = establishment::initiate;
  security_mode security = security_mode::secure;
  /// A framer delimits Messages, so that byte streams keep their boundaries.
  bool framing_preserves_boundaries = false;
  protocol_restriction protocols;
  /// The endpoints are multicast groups: only stacks for those count, else only all others.
  bool multicast = false;
  /// Knowledge from earlier races; null for none.
  std::function<past_outcome(const protocol_stack&)> history;
  /// What system policy says; null for nothing.
  std::function<policy_answer(const protocol_stack&)> policy;
  /// Declares stacks of different security protocols equally secure, so that they may race; null
  /// for no such exception.
  std::function<bool(const protocol_stack&, const protocol_stack&)> equally_secure;
};

/// Why a stack cannot be used.
struct exclusion_reason {
  enum class cause : std::uint8_t {
    /// A Selection Property.
    property,
    /// It may deliver a Message twice, and `safelyReplayable` does not allow that.
    replay,
    /// No endpoint is for this protocol.
    endpoint,
    security,
    policy,
    /// It fits, but failed here again and again, and another one is left.
    history,
    /// It fits, but must not race with the best one.
    not_equivalent,
    /// It fits, but without multipath it does what its fallback does, which fits as well.
    redundant,
  };
  cause why = cause::property;
  /// Name of the property, or of what else was asked for, e.g. `"encryption"`.
  std::string property;
  /// What was asked, e.g. `"Require"`.
  std::string asked;
  /// What the stack has, e.g. `"never"`.
  std::string has;
};

struct excluded_stack {
  const protocol_stack* stack = nullptr;
  /// All of them, properties first; never empty.
  std::vector<exclusion_reason> reasons;
};

struct ranked_stack {
  const protocol_stack* stack = nullptr;
  /// Must not start before all candidates of better stacks have failed: plain stacks under
  /// opportunistic security.
  bool only_after_failure = false;
};

/// Which stacks fit, best first, and why the others do not. Points to the stacks it was made from.
struct selection {
  std::vector<ranked_stack> ranked;
  std::vector<excluded_stack> excluded;
};

/// Prunes and ranks (RFC 9623, section 4.2). Features count as met this way:
/// - Require needs "always" or "on request", Prohibit "never" or "on request";
/// - message boundaries may also come from a framer, which Prohibit and Avoid do not look at;
/// - a stack that may duplicate Messages needs `safelyReplayable`, unless one only receives;
/// - plain stacks need security to be opportunistic or disabled, encrypted ones not disabled.
///
/// The order is: encrypted first if opportunistic; explicit Prefer met; explicit Avoid kept;
/// preferred by policy; history, where a protocol that an endpoint names counts as known to work;
/// default Prefer met; default Avoid kept; `default_order`; name. A stack that history calls
/// hopeless is left out, unless an endpoint names it or no other of the same security is left.
/// Without multipath, a stack that is there for it gives way to its fallback. Only stacks of
/// equivalent security stay, and when preserveMsgBoundaries is required only stacks of one data
/// unit; a Listener keeps all.
[[nodiscard]] selection select_among(std::span<const protocol_stack> stacks,
                                     const selection_request& request);

/// As above, but fails with `InvalidConfiguration` for properties that contradict each other, and
/// when nothing is left: with `PolicyProhibited` if only policy forbids what fits, else with
/// `NoCandidates`.
[[nodiscard]] result<selection> select_stacks(std::span<const protocol_stack> stacks,
                                              const selection_request& request);

/// Returns the error for a selection without stacks; names for each stack what ruled it out.
[[nodiscard]] error no_candidates(const selection& what);

/// Returns e.g. `"no reliability (Require)"`.
[[nodiscard]] std::string to_string(const exclusion_reason& reason);

}  // namespace taps
