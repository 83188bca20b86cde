#include "taps/core/candidate/rfc6724.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <compare>
#include <limits>

namespace taps {

namespace {

// -- properties of addresses --------------------------------------------------------

/// A line of the policy table.
struct policy {
  ip_address prefix;
  unsigned length;
  int precedence;
  int label;
};

constexpr ip_address v6(const ip_address::v6_bytes& bytes) noexcept { return ip_address{bytes}; }

/// The default table (RFC 6724, section 2.1), longest prefix first.
constexpr std::array<policy, 9> policies{{
    {v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}), 128, 50, 0},
    {v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}), 96, 35, 4},
    {v6({}), 96, 1, 3},
    {v6({0x20, 0x01}), 32, 5, 5},
    {v6({0x20, 0x02}), 16, 30, 2},
    {v6({0x3f, 0xfe}), 16, 1, 12},
    {v6({0xfe, 0xc0}), 10, 1, 11},
    {v6({0xfc}), 7, 3, 13},
    {v6({}), 0, 40, 1},
}};

/// Writes an IPv4 address as the IPv6 address that the table knows it by.
ip_address as_v6(const ip_address& x) noexcept {
  if (x.is_v6())
    return x;
  ip_address::v6_bytes result{};
  result[10] = result[11] = 0xff;
  std::copy_n(x.bytes().begin(), 4, result.begin() + 12);
  return ip_address{result};
}

const policy& policy_of(const ip_address& x) noexcept {
  const auto address = as_v6(x);
  // The last line matches everything.
  return *std::find_if(policies.begin(), policies.end() - 1, [&](const policy& line) {
    return is_in_prefix(address, line.prefix, line.length);
  });
}

constexpr int link_local_scope = 0x2;
constexpr int site_local_scope = 0x5;
constexpr int global_scope = 0xe;

/// Returns the scope as a multicast address would write it (RFC 6724, sections 3.1 and 3.2).
int scope_of(const ip_address& address) noexcept {
  const auto x = address.unmapped();
  if (x.is_v6() && x.is_multicast())
    return x.bytes()[1] & 0xf;
  if (x.is_link_local() || x.is_loopback())
    return link_local_scope;
  if (x.is_v6() && x.bytes()[0] == 0xfe && (x.bytes()[1] & 0xc0) == 0xc0)
    return site_local_scope;
  return global_scope;
}

// -- order --------------------------------------------------------------------------

/// What decides between two destinations, rule by rule; the smaller one goes first.
struct sort_key {
  bool dead = false;
  bool unusable = false;
  bool scope_differs = false;
  bool label_differs = false;
  int precedence = 0;
  int scope = 0;
  int slowness = 0;
  int prefix = 0;

  friend auto operator<=>(const sort_key&, const sort_key&) = default;
};

/// Returns the power of two of a handshake in microseconds; unknown ones come last.
int slowness_of(const address_experience& x) noexcept {
  if (!x.handshake)
    return std::numeric_limits<int>::max();
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(*x.handshake).count();
  return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(std::max<long>(us, 0))));
}

sort_key key_of(const ip_address& destination, const source_lookup& source_for,
                const experience_lookup& experience_of) {
  sort_key result;
  if (experience_of) {
    const auto known = experience_of(destination);
    result.dead = known.dead;
    result.slowness = slowness_of(known);
  }
  const auto& line = policy_of(destination);
  result.precedence = -line.precedence;
  result.scope = scope_of(destination);
  if (!source_for)
    return result;
  const auto source = source_for(destination);
  if (!source) {
    result.unusable = true;
    return result;
  }
  result.scope_differs = scope_of(*source) != result.scope;
  result.label_differs = policy_of(*source).label != line.label;
  if (destination.is_v6() && source->is_v6())
    result.prefix = -static_cast<int>(std::min(common_prefix_length(destination, *source), 64u));
  return result;
}

}  // namespace

std::size_t sort_destinations(std::vector<ip_address>& destinations,
                              const source_lookup& source_for,
                              const experience_lookup& experience_of) {
  // Nothing to sort, and asking for a source costs system calls.
  if (destinations.size() < 2)
    return destinations.size();
  std::vector<std::pair<sort_key, ip_address>> keyed;
  keyed.reserve(destinations.size());
  for (const auto& x : destinations)
    keyed.emplace_back(key_of(x, source_for, experience_of), x);
  std::stable_sort(keyed.begin(), keyed.end(),
                   [](const auto& x, const auto& y) { return x.first < y.first; });
  std::transform(keyed.begin(), keyed.end(), destinations.begin(),
                 [](const auto& x) { return x.second; });
  return static_cast<std::size_t>(
      std::ranges::count_if(keyed, [](const auto& x) { return !x.first.dead; }));
}

std::vector<ip_address> interleave_families(const std::vector<ip_address>& sorted,
                                            std::size_t first_family_count,
                                            std::optional<ip_family> previous) {
  if (sorted.empty())
    return {};
  const auto first = sorted.front().family();
  std::array<std::vector<ip_address>, 2> lists;
  for (const auto& x : sorted)
    lists[x.family() == first ? 0 : 1].push_back(x);
  std::array<std::size_t, 2> used{};
  std::size_t turn = previous == first ? 1 : 0;
  auto quota = previous ? 1 : std::max<std::size_t>(first_family_count, 1);
  std::vector<ip_address> result;
  while (result.size() < sorted.size()) {
    for (; quota > 0 && used[turn] < lists[turn].size(); --quota)
      result.push_back(lists[turn][used[turn]++]);
    turn = 1 - turn;
    quota = 1;
  }
  return result;
}

}  // namespace taps
