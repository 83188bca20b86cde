#include "taps/core/candidate/policy.hpp"

#include "taps/core/base/letters.hpp"

#include <algorithm>
#include <charconv>

namespace taps {

namespace {

using verdict = policy_answer::verdict;

// -- matching -------------------------------------------------------------------------------------

bool host_matches(std::string_view pattern, std::string_view host) noexcept {
  if (host.ends_with('.'))
    host.remove_suffix(1);
  if (pattern.front() != '.')
    return equal_but_for_case(pattern, host);
  return host.size() > pattern.size() &&
         equal_but_for_case(pattern, host.substr(host.size() - pattern.size()));
}

// -- reading --------------------------------------------------------------------------------------

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view blanks = " \t\r\v\f";
  std::vector<std::string_view> result;
  line = line.substr(0, line.find('#'));
  for (;;) {
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    if (line.empty())
      return result;
    result.push_back(line.substr(0, line.find_first_of(blanks)));
    line.remove_prefix(result.back().size());
  }
}

unsigned bits_of(const ip_address& x) noexcept { return x.is_v4() ? 32 : 128; }

/// Returns what is wrong with the length of a prefix; empty if nothing is.
std::string read_length(std::string_view text, policy_rule& out) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), out.length);
  if (code != std::errc{} || end != text.data() + text.size() || out.length > bits_of(*out.address))
    return "no such prefix length: " + std::string{text};
  // A prefix with bits beyond its length is a slip, and nobody knows of what.
  for (auto bit = out.length; bit < bits_of(*out.address); ++bit)
    if ((out.address->bytes()[bit / 8] >> (7 - bit % 8) & 1) != 0)
      return "the address has bits beyond its prefix of " + std::string{text};
  return {};
}

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.find_first_of("*/:") == std::string_view::npos &&
         text.front() != '.' && text.find("..") == std::string_view::npos;
}

std::string read_where(std::string_view text, policy_rule& out) {
  const auto slash = std::min(text.find('/'), text.size());
  if (const auto address = ip_address::parse(text.substr(0, slash))) {
    out.address = *address;
    out.length = bits_of(*address);
    return slash < text.size() ? read_length(text.substr(slash + 1), out) : std::string{};
  }
  const auto below = text.starts_with("*.");
  auto name = below ? text.substr(2) : text;
  if (name.ends_with('.'))
    name.remove_suffix(1);
  if (!is_name(name))
    return "neither a host nor an address nor a prefix: " + std::string{text};
  out.host = (below ? "." : "") + to_lower(name);
  return {};
}

/// Returns what is wrong with a line; empty if nothing is.
std::string read_rule(const std::vector<std::string_view>& words, policy_rule& out) {
  if (words[0] != "forbid" && words[0] != "prefer")
    return "expected forbid or prefer, not " + std::string{words[0]};
  out.what = words[0] == "forbid" ? verdict::forbid : verdict::prefer;
  if (words.size() < 2)
    return "which protocol?";
  if (words[1] != "any")
    out.protocol = words[1];
  else if (out.what == verdict::prefer)
    return "to prefer any protocol means nothing";
  for (std::size_t i = 2; i < words.size(); i += 2) {
    const auto on = words[i] == "on";
    if (!on && words[i] != "to")
      return "expected on or to, not " + std::string{words[i]};
    if (i + 1 == words.size())
      return on ? "on which interface?" : "to where?";
    if (on ? !out.interface.empty() : !out.host.empty() || out.address.has_value())
      return "more than one " + std::string{words[i]};
    if (on)
      out.interface = words[i + 1];
    else if (auto wrong = read_where(words[i + 1], out); !wrong.empty())
      return wrong;
  }
  return {};
}

std::string join(const std::vector<std::string_view>& words) {
  std::string result;
  for (const auto& x : words)
    result += (result.empty() ? "" : " ") + std::string{x};
  return result;
}

/// Of several endpoints the one that policy likes best decides.
int ease_of(const policy_answer& x) noexcept {
  return x.what == verdict::prefer ? 2 : x.what == verdict::neutral ? 1 : 0;
}

}  // namespace

bool policy_rule::matches(const policy_question& x) const noexcept {
  return (protocol.empty() || x.stack.uses(protocol)) &&
         (interface.empty() || x.interface == interface) &&
         (host.empty() || host_matches(host, x.host)) &&
         (!address || (x.address && is_in_prefix(x.address->unmapped(), *address, length)));
}

result<std::vector<policy_rule>> parse_policy(std::string_view text, std::string_view name) {
  std::vector<policy_rule> result;
  for (std::size_t n = 1; !text.empty(); ++n) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto words = words_of(line);
    if (words.empty())
      continue;
    const auto where = std::string{name} + ", line " + std::to_string(n);
    policy_rule rule;
    if (const auto wrong = read_rule(words, rule); !wrong.empty())
      return error{errc::invalid_configuration, where + ": " + wrong};
    rule.text = "\"" + join(words) + "\" (" + where + ")";
    result.push_back(std::move(rule));
  }
  return result;
}

// -- system_policy --------------------------------------------------------------------------------

policy_answer system_policy::ask(const policy_question& x) const {
  policy_answer result;
  if (hook_)
    result = hook_(x);
  if (result.what == verdict::forbid && result.why.empty())
    result.why = "the program's policy";
  for (const auto& rule : rules_)
    if (rule.what > result.what && rule.matches(x))
      result = {rule.what, rule.text};
  return result;
}

std::vector<policy_answer> system_policy::ask(std::span<const protocol_stack> stacks,
                                              establishment how,
                                              std::span<const local_endpoint> locals,
                                              std::span<const remote_endpoint> remotes) const {
  const auto initiates = how != establishment::listen && !remotes.empty();
  // With several Local Endpoints it is not known yet which one is used.
  const auto interface =
      locals.size() == 1 ? locals.front().interface().value_or("") : std::string{};
  std::vector<policy_answer> result;
  for (const auto& stack : stacks) {
    policy_question about{stack, how, {}, {}, interface};
    if (!initiates) {
      result.push_back(ask(about));
      continue;
    }
    std::optional<policy_answer> common;
    for (const auto& x : remotes) {
      about.host = x.hostname() ? std::string_view{*x.hostname()} : std::string_view{};
      about.address = x.address();
      auto answer = ask(about);
      if (!common || ease_of(answer) > ease_of(*common))
        common = std::move(answer);
    }
    result.push_back(std::move(*common));
  }
  return result;
}

std::string system_policy::forbids(const candidate& x) const {
  auto answer = ask(policy_question{*x.stack, establishment::initiate, x.hostname, x.remote.address,
                                    x.path.interface});
  return answer.what == verdict::forbid ? std::move(answer.why) : std::string{};
}

}  // namespace taps
