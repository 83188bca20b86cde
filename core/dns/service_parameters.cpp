#include "taps/core/dns/service_parameters.hpp"

#include "taps/core/dns/service_answer.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace taps::detail {

namespace {

/// Keys of parameters (RFC 9460, section 14.3.2).
enum key : std::uint16_t {
  mandatory = 0,
  alpn = 1,
  no_default_alpn = 2,
  port = 3,
  ipv4_hint = 4,
  ipv6_hint = 6,
};

bool is_known(std::uint16_t x) noexcept { return x <= ipv4_hint || x == ipv6_hint; }

/// Keys in ascending order, without `mandatory` itself.
bool read_mandatory(message_reader& in, std::vector<std::uint16_t>& keys) {
  while (in.fine() && !in.at_end()) {
    const auto x = in.u16();
    if (x <= (keys.empty() ? std::uint16_t{mandatory} : keys.back()))
      return false;
    keys.push_back(x);
  }
  return !keys.empty();
}

bool read_alpn(message_reader& in, service_record& to) {
  bool any = false;
  while (in.fine() && !in.at_end()) {
    const auto id = in.bytes(in.u8());
    if (id.empty())
      return false;
    any = true;
    if (to.alpn.size() < max_record_values)
      to.alpn.emplace_back(id);
  }
  return any;
}

template<class Bytes>
bool read_hints(message_reader& in, service_record& to) {
  std::size_t count = 0;
  while (in.fine() && !in.at_end()) {
    Bytes address{};
    std::ranges::copy(in.bytes(address.size()), address.begin());
    if (in.fine() && count++ < max_record_values)
      to.hints.emplace_back(address);
  }
  return count > 0;
}

bool read_value(std::uint16_t what, message_reader& in, service_record& to,
                std::vector<std::uint16_t>& required) {
  switch (what) {
  case mandatory:
    return read_mandatory(in, required);
  case alpn:
    return read_alpn(in, to);
  case no_default_alpn:
    to.default_alpn = false;
    return true;
  case port:
    to.port = in.u16();
    return true;
  case ipv4_hint:
    return read_hints<ip_address::v4_bytes>(in, to);
  case ipv6_hint:
    return read_hints<ip_address::v6_bytes>(in, to);
  default:
    in.bytes(in.left());
    return true;
  }
}

}  // namespace

parameters_verdict read_parameters(message_reader& in, service_record& to) {
  std::vector<std::uint16_t> present;
  std::vector<std::uint16_t> required;
  while (in.fine() && !in.at_end()) {
    const auto what = in.u16();
    auto value = in.part(in.u16());
    if (!in.fine() || (!present.empty() && what <= present.back()))
      return parameters_verdict::malformed;
    present.push_back(what);
    if (!read_value(what, value, to, required) || !value.fine() || !value.at_end())
      return parameters_verdict::malformed;
  }
  if (!in.fine() || !std::ranges::includes(present, required))
    return parameters_verdict::malformed;
  const auto empty_handed = !to.default_alpn && to.alpn.empty();
  const auto usable = std::ranges::all_of(required, is_known) && to.port != 0 && !empty_handed;
  return usable ? parameters_verdict::usable : parameters_verdict::incompatible;
}

}  // namespace taps::detail
