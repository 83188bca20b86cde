#include "taps/core/endpoint/endpoint.hpp"

#include <algorithm>

namespace taps {

namespace {

/// Lengths a DNS name may have, in text form without a trailing dot (RFC 1035, section 2.3.4).
constexpr std::size_t max_name = 253;
constexpr std::size_t max_label = 63;

std::string quoted(std::string_view text) { return "'" + std::string{text} + "'"; }

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool is_name_character(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

/// No name looks like this, so whoever wrote it meant an address (and RFC 1123, section 2.1, rules
/// out a numeric top level).
bool looks_like_address(std::string_view text) {
  return text.find_first_of(":%") != std::string_view::npos ||
         (text.find('.') != std::string_view::npos && is_digit(text.front()) &&
          std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == '.'; }));
}

/// Returns what is wrong with a host name, or an empty text.
std::string flaw_of_hostname(std::string_view name) {
  if (name.ends_with('.'))
    name.remove_suffix(1);
  if (name.size() > max_name)
    return "is longer than 253 characters";
  while (true) {
    const auto dot = name.find('.');
    const auto label = name.substr(0, dot);
    if (label.empty())
      return "has an empty label";
    if (label.size() > max_label)
      return "has a label of more than 63 characters";
    for (auto c : label) {
      if (static_cast<unsigned char>(c) >= 0x80)
        return "is not in ASCII form (xn--...)";
      if (!is_name_character(c))
        return "has a character that host names do not have";
    }
    if (dot == std::string_view::npos)
      return {};
    name.remove_prefix(dot + 1);
  }
}

}  // namespace

// -- endpoint ---------------------------------------------------------------------

result<void> endpoint::check() const {
  if (failure_)
    return failure_;
  return {};
}

void endpoint::fail(std::string text) {
  if (!failure_)
    failure_ = error{errc::invalid_configuration, std::move(text)};
}

void endpoint::set_hostname(std::string_view name) {
  if (name.empty())
    return fail("a host name is empty");
  if (looks_like_address(name)) {
    hostname_.reset();
    return set_address(name);
  }
  if (const auto flaw = flaw_of_hostname(name); !flaw.empty())
    return fail(quoted(name.substr(0, max_name)) + " is not a host name: it " + flaw);
  hostname_ = std::string{name};
}

void endpoint::set_service(std::string_view name) {
  if (name.empty())
    return fail("a service name is empty");
  service_ = std::string{name};
}

std::optional<ip_address> endpoint::parse_scoped(std::string_view text) {
  const auto percent = text.find('%');
  auto address = ip_address::parse(text.substr(0, percent));
  const auto zone = percent != std::string_view::npos;
  if (!address || (zone && (address->is_v4() || percent + 1 == text.size()))) {
    fail(quoted(text) + " is not an IP address");
    return std::nullopt;
  }
  if (zone)
    set_interface(text.substr(percent + 1));
  return *address;
}

void endpoint::set_address(std::string_view text) {
  if (const auto address = parse_scoped(text))
    address_ = *address;
}

void endpoint::set_interface(std::string_view name) {
  if (name.empty())
    return fail("an interface name is empty");
  if (name == "any")
    interface_.reset();
  else
    interface_ = std::string{name};
}

void endpoint::set_protocol(std::string_view name) {
  if (name.empty())
    return fail("a protocol name is empty");
  protocol_ = std::string{name};
}

void endpoint::set_group(std::string_view text) {
  if (const auto group = parse_scoped(text))
    set_group(*group);
}

void endpoint::set_group(const ip_address& group) {
  if (!group.is_multicast())
    return fail(quoted(to_string(group)) + " is not a multicast address");
  group_ = group;
}

std::string to_string(const endpoint& x) {
  std::string result;
  const auto add = [&result](std::string_view name, const std::string& value) {
    result += result.empty() ? "" : ", ";
    result += name;
    result += ' ';
    result += value;
  };
  if (x.hostname())
    add("host", *x.hostname());
  if (x.address())
    add("address", to_string(*x.address()));
  if (x.multicast_group())
    add("group", to_string(*x.multicast_group()));
  if (x.port())
    add("port", std::to_string(*x.port()));
  if (x.service())
    add("service", *x.service());
  if (x.interface())
    add("interface", *x.interface());
  if (x.protocol())
    add("protocol", *x.protocol());
  if (x.hop_limit())
    add("hop limit", std::to_string(*x.hop_limit()));
  return result.empty() ? "any" : result;
}

// -- local_endpoint ---------------------------------------------------------------

local_endpoint& local_endpoint::with_stun_server(stun_server server) {
  stun_ = std::move(server);
  return *this;
}

local_endpoint& local_endpoint::with_any_source_multicast_group_ip(std::string_view group) {
  set_group(group);
  source_.reset();
  return *this;
}

local_endpoint& local_endpoint::with_single_source_multicast_group_ip(std::string_view group,
                                                                      std::string_view source) {
  set_group(group);
  const auto from = ip_address::parse(source);
  if (!from) {
    fail(from.failure().text());
  } else if (from->is_multicast()) {
    fail(quoted(source) + " is a multicast address and cannot be the source of a group");
  } else if (group_ && group_->family() != from->family()) {
    fail(quoted(source) + " and the group " + to_string(*group_) +
         " are of different address families");
  } else {
    source_ = *from;
  }
  return *this;
}

// -- remote_endpoint --------------------------------------------------------------

remote_endpoint& remote_endpoint::with_port(std::uint16_t port) {
  if (port == 0)
    fail("port 0 cannot be the port of a Remote Endpoint");
  else
    port_ = port;
  return *this;
}

remote_endpoint& remote_endpoint::with_multicast_group_ip(std::string_view group) {
  set_group(group);
  return *this;
}

}  // namespace taps
