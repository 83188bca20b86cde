#include "taps/core/candidate/selection.hpp"

#include <algorithm>
#include <tuple>

namespace taps {

namespace {

using cause = exclusion_reason::cause;

/// Returns how much the application wants a feature.
preference level_of(feature what, const selection_request& request) {
  const auto& properties = request.properties;
  switch (what) {
  case feature::multipath:
    return properties.multipath(request.how) == multipath_mode::disabled ? preference::prohibit
                                                                         : preference::prefer;
  case feature::active_read_before_send:
    if (request.how == establishment::rendezvous)
      return preference::no_preference;
    break;
  case feature::unidirectional:
  case feature::replay_protection:
  case feature::encryption:
    return preference::no_preference;
  default:
    break;
  }
  return properties.preference_of(*property_of(what), request.how);
}

bool framed(feature what, const selection_request& request) {
  return what == feature::preserve_msg_boundaries && request.framing_preserves_boundaries;
}

/// Tells whether Require and Prefer are met.
bool can(const protocol_stack& stack, feature what, const selection_request& request) {
  return stack.features.get(what) != support::never || framed(what, request);
}

bool must(const protocol_stack& stack, feature what) {
  return stack.features.get(what) == support::always;
}

/// Tells whether an endpoint asks for the stack by name.
bool is_named(const protocol_stack& stack, const selection_request& request) {
  return std::ranges::any_of(request.protocols.named,
                             [&](const auto& name) { return stack.uses(name); });
}

// -- pruning ----------------------------------------------------------------------

void check_features(const protocol_stack& stack, const selection_request& request,
                    std::vector<exclusion_reason>& result) {
  for (std::size_t i = 0; i < num_features; ++i) {
    const auto what = static_cast<feature>(i);
    const auto level = level_of(what, request);
    if ((level == preference::require && !can(stack, what, request)) ||
        (level == preference::prohibit && must(stack, what)))
      result.push_back({cause::property, std::string{to_string(what)},
                        to_string(request.properties.effective(*property_of(what), request.how)),
                        std::string{to_string(stack.features.get(what))}});
  }
}

void check_replay(const protocol_stack& stack, const selection_request& request,
                  std::vector<exclusion_reason>& result) {
  const auto receives_only = request.properties.direction() == direction::unidirectional_receive;
  if (stack.features.get(feature::replay_protection) == support::never && !receives_only &&
      !request.properties.flag(property_id::safely_replayable))
    result.push_back({cause::replay, std::string{to_string(property_id::safely_replayable)},
                      "false", "may deliver a Message twice"});
}

void check_endpoints(const protocol_stack& stack, const selection_request& request,
                     std::vector<exclusion_reason>& result) {
  const auto& [named, exclusive] = request.protocols;
  if (!exclusive || is_named(stack, request))
    return;
  std::string names;
  for (const auto& name : named)
    names += (names.empty() ? "" : ", ") + name;
  result.push_back({cause::endpoint, "protocol", names, stack.name});
}

void check_security(const protocol_stack& stack, const selection_request& request,
                    std::vector<exclusion_reason>& result) {
  const auto has = stack.features.get(feature::encryption);
  if ((request.security == security_mode::secure && has == support::never) ||
      (request.security == security_mode::disabled && has == support::always))
    result.push_back({cause::security, std::string{to_string(feature::encryption)},
                      std::string{to_string(request.security)}, std::string{to_string(has)}});
}

policy_answer policy_of(const protocol_stack& stack, const selection_request& request) {
  return request.policy ? request.policy(stack) : policy_answer{};
}

std::vector<exclusion_reason> reasons_against(const protocol_stack& stack,
                                              const selection_request& request) {
  std::vector<exclusion_reason> result;
  check_features(stack, request, result);
  check_replay(stack, request, result);
  check_endpoints(stack, request, result);
  check_security(stack, request, result);
  if (auto answer = policy_of(stack, request); answer.what == policy_answer::verdict::forbid)
    result.push_back({cause::policy, "policy", "permitted", std::move(answer.why)});
  return result;
}

// -- history ----------------------------------------------------------------------

past_outcome past_of(const protocol_stack& stack, const selection_request& request) {
  return request.history ? request.history(stack) : past_outcome::nothing;
}

bool is_hopeless(const protocol_stack& stack, const selection_request& request) {
  return past_of(stack, request) == past_outcome::hopeless && !is_named(stack, request);
}

/// Takes out what is known not to work. Only for another stack that gives the same: who blocks a
/// secure stack must not get the plain one that way.
void drop_hopeless(std::vector<const protocol_stack*>& eligible, const selection_request& request,
                   selection& result) {
  if (!request.history)
    return;
  const auto all = eligible;
  std::erase_if(eligible, [&](const auto* stack) {
    const auto replaces = [&](const auto* other) {
      return other->security == stack->security && !is_hopeless(*other, request);
    };
    if (!is_hopeless(*stack, request) || std::ranges::none_of(all, replaces))
      return false;
    result.excluded.push_back({stack, {{cause::history, "history", "", ""}}});
    return true;
  });
}

/// Takes out what would only race against its own likes.
void drop_redundant(std::vector<const protocol_stack*>& eligible, const selection_request& request,
                    selection& result) {
  if (request.properties.multipath(request.how) != multipath_mode::disabled)
    return;
  const auto all = eligible;
  std::erase_if(eligible, [&](const auto* stack) {
    const auto fallback = std::find_if(
        all.begin(), all.end(), [&](const auto* other) { return stack->falls_back_to(*other); });
    if (fallback == all.end() || is_named(*stack, request))
      return false;
    result.excluded.push_back({stack,
                               {{cause::redundant, std::string{to_string(property_id::multipath)},
                                 (*fallback)->name, stack->name}}});
    return true;
  });
}

// -- ranking ----------------------------------------------------------------------

/// What decides between two stacks; the smaller one goes first.
struct rank {
  bool plain = false;
  int explicit_prefer = 0;
  int explicit_avoid = 0;
  bool not_preferred = true;
  int reach = 0;
  int default_prefer = 0;
  int default_avoid = 0;
  int order = 0;

  friend auto operator<=>(const rank&, const rank&) = default;
};

/// From "worked here before" to "failed here recently".
int reach_of(const protocol_stack& stack, const selection_request& request) {
  const auto past = past_of(stack, request);
  if (past == past_outcome::succeeded || is_named(stack, request))
    return 0;
  if (past != past_outcome::nothing)
    return 3;
  return stack.reach == reachability::assumed ? 1 : 2;
}

rank rank_of(const protocol_stack& stack, const selection_request& request) {
  rank result;
  result.plain = request.security == security_mode::opportunistic &&
                 stack.features.get(feature::encryption) == support::never;
  for (std::size_t i = 0; i < num_features; ++i) {
    const auto what = static_cast<feature>(i);
    const auto id = property_of(what);
    const auto is_explicit = id && request.properties.is_explicit(*id);
    const auto level = level_of(what, request);
    if (level == preference::prefer && can(stack, what, request))
      --(is_explicit ? result.explicit_prefer : result.default_prefer);
    if (level == preference::avoid && must(stack, what))
      ++(is_explicit ? result.explicit_avoid : result.default_avoid);
  }
  result.not_preferred = policy_of(stack, request).what != policy_answer::verdict::prefer;
  result.reach = reach_of(stack, request);
  result.order = stack.default_order;
  return result;
}

std::vector<const protocol_stack*> in_order(std::vector<const protocol_stack*> stacks,
                                            const selection_request& request) {
  std::vector<std::pair<rank, const protocol_stack*>> keyed;
  for (const auto* stack : stacks)
    keyed.emplace_back(rank_of(*stack, request), stack);
  std::stable_sort(keyed.begin(), keyed.end(), [](const auto& x, const auto& y) {
    return std::tie(x.first, x.second->name) < std::tie(y.first, y.second->name);
  });
  std::transform(keyed.begin(), keyed.end(), stacks.begin(),
                 [](const auto& x) { return x.second; });
  return stacks;
}

// -- equivalence ------------------------------------------------------------------

/// Tells whether a stack gives up the security that the best one has.
bool is_fallback(const protocol_stack& best, const protocol_stack& stack,
                 const selection_request& request) {
  return request.security == security_mode::opportunistic && !best.security.empty() &&
         stack.security.empty();
}

/// Returns why a stack must not race with the best one, if so.
std::optional<exclusion_reason> not_equivalent(const protocol_stack& best,
                                               const protocol_stack& stack,
                                               const selection_request& request) {
  // A Listener takes what comes: each peer uses one stack only.
  if (request.how == establishment::listen)
    return std::nullopt;
  if (request.security != security_mode::disabled && best.security != stack.security &&
      !is_fallback(best, stack, request) &&
      !(request.equally_secure && request.equally_secure(best, stack)))
    return exclusion_reason{cause::not_equivalent, "security", std::string{best.security},
                            std::string{stack.security}};
  if (best.unit != stack.unit &&
      request.properties.preference_of(property_id::preserve_msg_boundaries, request.how) ==
          preference::require)
    return exclusion_reason{cause::not_equivalent, "data unit", std::string{to_string(best.unit)},
                            std::string{to_string(stack.unit)}};
  return std::nullopt;
}

bool only_for(const excluded_stack& x, cause why) {
  return std::all_of(x.reasons.begin(), x.reasons.end(),
                     [&](const auto& reason) { return reason.why == why; });
}

bool any_only_for(const selection& what, cause why) {
  return std::any_of(what.excluded.begin(), what.excluded.end(),
                     [&](const auto& x) { return only_for(x, why); });
}

}  // namespace

protocol_restriction restriction_of(std::span<const remote_endpoint> endpoints) {
  protocol_restriction result;
  result.exclusive = !endpoints.empty();
  for (const auto& x : endpoints) {
    if (!x.protocol())
      result.exclusive = false;
    else if (std::find(result.named.begin(), result.named.end(), *x.protocol()) ==
             result.named.end())
      result.named.push_back(*x.protocol());
  }
  return result;
}

selection select_among(std::span<const protocol_stack> stacks, const selection_request& request) {
  selection result;
  std::vector<const protocol_stack*> eligible;
  for (const auto& stack : stacks) {
    if (stack.multicast() != request.multicast)
      continue;
    if (auto reasons = reasons_against(stack, request); !reasons.empty())
      result.excluded.push_back({&stack, std::move(reasons)});
    else
      eligible.push_back(&stack);
  }
  drop_hopeless(eligible, request, result);
  drop_redundant(eligible, request, result);
  const protocol_stack* best = nullptr;
  for (const auto* stack : in_order(std::move(eligible), request)) {
    if (!best)
      best = stack;
    if (auto reason = not_equivalent(*best, *stack, request))
      result.excluded.push_back({stack, {std::move(*reason)}});
    else
      result.ranked.push_back({stack, is_fallback(*best, *stack, request)});
  }
  return result;
}

result<selection> select_stacks(std::span<const protocol_stack> stacks,
                                const selection_request& request) {
  if (const auto consistent = check_consistency(request.properties); !consistent)
    return consistent.failure();
  auto chosen = select_among(stacks, request);
  if (chosen.ranked.empty())
    return no_candidates(chosen);
  return chosen;
}

error no_candidates(const selection& what) {
  if (what.excluded.empty())
    return {errc::no_candidates, "no protocol stack is available"};
  // Stacks with the same reason share a clause.
  std::vector<std::pair<std::string, std::string>> clauses;
  for (const auto& x : what.excluded) {
    auto reason = to_string(x.reasons.front());
    const auto known = std::find_if(clauses.begin(), clauses.end(),
                                    [&](const auto& clause) { return clause.second == reason; });
    if (known == clauses.end())
      clauses.emplace_back(x.stack->name, std::move(reason));
    else
      known->first += ", " + x.stack->name;
  }
  std::string text = "no protocol stack fits: ";
  for (std::size_t i = 0; i < clauses.size(); ++i)
    text += (i > 0 ? "; " : "") + clauses[i].first + ": " + clauses[i].second;
  const auto plain_would_fit =
      std::any_of(what.excluded.begin(), what.excluded.end(), [](const auto& x) {
        return only_for(x, cause::security) && x.stack->security.empty();
      });
  if (plain_would_fit)
    text += "; add security_parameters::disabled() for plain connections";
  return {any_only_for(what, cause::policy) ? errc::policy_prohibited : errc::no_candidates,
          std::move(text)};
}

std::string to_string(const exclusion_reason& reason) {
  switch (reason.why) {
  case cause::property:
    return (reason.has == to_string(support::always) ? "always " : "no ") + reason.property + " (" +
           reason.asked + ")";
  case cause::replay:
    return "needs " + reason.property + ", since it " + reason.has;
  case cause::endpoint:
    return "the Remote Endpoints are for " + reason.asked + " only";
  case cause::security:
    return reason.has == to_string(support::never) ? "no encryption"
                                                   : "encrypted, but security is disabled";
  case cause::policy:
    return "forbidden by policy: " + reason.has;
  case cause::history:
    return "failed here several times in a row, while another stack succeeded";
  case cause::redundant:
    return "without " + reason.property + " the same as " + reason.asked;
  case cause::not_equivalent:
    return reason.property + " '" + reason.has + "' differs from '" + reason.asked +
           "' of the best stack";
  }
  return {};
}

}  // namespace taps
