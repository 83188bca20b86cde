#pragma once

#include "taps/core/base/result.hpp"
#include "taps/core/candidate/candidate.hpp"
#include "taps/core/endpoint/endpoint.hpp"
#include "taps/core/properties/transport_properties.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace taps {

// System policy (RFC 9623, sections 3 and 4.2): what whoever runs this host forbids or prefers. It
// comes as rules in a file, one a line, and as a function of the program. What either forbids is
// forbidden, and that outranks what either prefers.
//
//     # comment
//     forbid PROTOCOL [on INTERFACE] [to WHERE]
//     prefer PROTOCOL [on INTERFACE] [to WHERE]
//
// PROTOCOL is a stack, a protocol that is part of stacks, or "any". WHERE is a host name, all names
// below one as "*.example.com", an address, or a prefix as "10.0.0.0/8". "on" is about what is
// bound to that interface, not about what the kernel sends there by itself.
//
// To forbid is decided for each candidate, so rules about addresses also meet what names resolve
// to. To prefer is decided before anything is resolved, hence by what endpoints name. A Listener
// does not know who will come: rules with "to" are not for it.

/// What policy is asked about: a stack, for what is known of a candidate.
struct policy_question {
  const protocol_stack& stack;
  establishment how = establishment::initiate;
  /// Name of the Remote Endpoint; empty without one.
  std::string_view host{};
  std::optional<ip_address> address{};
  /// Empty for the kernel's choice.
  std::string_view interface {};
};

struct policy_answer {
  enum class verdict : std::uint8_t { neutral, prefer, forbid };

  verdict what = verdict::neutral;
  /// For errors, where it is forbidden: e.g. `"forbid x" (/etc/policy, line 3)`.
  std::string why{};

  friend bool operator==(const policy_answer&, const policy_answer&) = default;
};

/// A program's own policy. Called on any thread, more than once per establishment; must not block.
using policy_hook = std::function<policy_answer(const policy_question&)>;

/// A line of the file.
struct policy_rule {
  policy_answer::verdict what = policy_answer::verdict::forbid;
  /// Empty for any.
  std::string protocol;
  std::string interface;
  /// In lower case; with a leading dot for all names below it.
  std::string host;
  std::optional<ip_address> address;
  /// Bits of the address that count.
  unsigned length = 0;
  /// The rule and where it stands.
  std::string text;

  [[nodiscard]] bool matches(const policy_question& x) const noexcept;
};

/// Reads a policy file. Fails at the first line that is no rule; the error names `name`, the line
/// and what is wrong.
[[nodiscard]] result<std::vector<policy_rule>> parse_policy(std::string_view text,
                                                            std::string_view name);

/// All that a host and a program decree. Immutable; thread-safe as far as the hook is.
class system_policy {
public:
  system_policy(std::vector<policy_rule> rules, policy_hook hook)
      : rules_(std::move(rules)), hook_(std::move(hook)) {}

  /// A policy that cannot be read: everything fails with `broken`, as nobody knows what it forbids.
  explicit system_policy(error broken) : broken_(std::move(broken)) {}

  [[nodiscard]] policy_answer ask(const policy_question& x) const;

  /// Answers for each stack before anything is resolved: it is forbidden if it is for every Remote
  /// Endpoint, and preferred if it is for any.
  [[nodiscard]] std::vector<policy_answer> ask(std::span<const protocol_stack> stacks,
                                               establishment how,
                                               std::span<const local_endpoint> locals,
                                               std::span<const remote_endpoint> remotes) const;

  /// Returns why the candidate is forbidden; empty if it is not.
  [[nodiscard]] std::string forbids(const candidate& x) const;

  [[nodiscard]] const error& broken() const noexcept { return broken_; }

private:
  std::vector<policy_rule> rules_;
  policy_hook hook_;
  error broken_;
};

}  // namespace taps
