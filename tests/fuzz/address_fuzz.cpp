// Addresses as text: an address reads back as itself, what we take for one so does the C library,
// and endpoints hold what they were given or say what was wrong.

#include "taps/core/endpoint/endpoint.hpp"
#include "taps/core/endpoint/socket_address.hpp"
#include "taps/tests/fuzz/fuzz_input.hpp"

#include <algorithm>
#include <arpa/inet.h>

using namespace taps;
using namespace taps::testing;

namespace {

/// What the C library makes of a text.
std::optional<ip_address> read_by_libc(const std::string& text) {
  if (text.find('\0') != text.npos)
    return std::nullopt;
  ip_address::v4_bytes v4{};
  if (::inet_pton(AF_INET, text.c_str(), v4.data()) == 1)
    return ip_address{v4};
  ip_address::v6_bytes v6{};
  if (::inet_pton(AF_INET6, text.c_str(), v6.data()) == 1)
    return ip_address{v6};
  return std::nullopt;
}

void check_identity(const ip_address& x) {
  const auto text = to_string(x);
  const auto again = ip_address::parse(text);
  require(again && *again == x, "an address reads back as itself", text);
  require(read_by_libc(text) == x, "the C library reads what we print", text);
  require(std::ranges::none_of(text, [](char c) { return c >= 'A' && c <= 'Z'; }),
          "the canonical text is in lower case (RFC 5952, section 4.3)", text);
  require(ip_address::parse(to_string(x.unmapped())).has_value(), "an unmapped address is one");
}

void check_text(const std::string& text) {
  const auto ours = ip_address::parse(text);
  const auto theirs = read_by_libc(text);
  require(ours.has_value() == theirs.has_value() && (!ours || *ours == *theirs),
          "the C library agrees", text);
  if (ours)
    check_identity(*ours);
  else
    require(!ours.failure().text().empty(), "a failure has a text");
}

template<class Endpoint>
void check_endpoint(const Endpoint& x, const std::string& text) {
  const auto fine = x.check().has_value();
  require(fine || !x.check().failure().text().empty(), "a failure has a text", text);
  require(!(x.hostname() && x.address()), "a text is a name or an address", text);
  require(!x.hostname() || (!x.hostname()->empty() && x.hostname()->size() <= 254),
          "a host name has a length that resolvers bear", text);
  if (!fine || !x.address())
    return;
  Endpoint again;
  again.with_ip_address(to_string(*x.address()));
  if (x.interface())
    again.with_interface(*x.interface());
  require(again == x, "an endpoint reads back as itself", text);
}

void check_endpoints(const std::string& text) {
  check_endpoint(remote_endpoint{}.with_hostname(text), text);
  check_endpoint(remote_endpoint{}.with_ip_address(text), text);
  check_endpoint(local_endpoint{}.with_hostname(text), text);
  check_endpoint(local_endpoint{}.with_ip_address(text), text);
  const auto group = remote_endpoint{}.with_multicast_group_ip(text);
  require(!group.multicast_group() || group.multicast_group()->is_multicast(),
          "a group is a multicast address", text);
  auto both = local_endpoint{};
  both.with_single_source_multicast_group_ip(text.substr(0, text.size() / 2),
                                             text.substr(text.size() / 2));
  require(!both.multicast_source() || both.multicast_group() || !both.check(),
          "a source belongs to a group", text);
}

void check_bytes(fuzz_input& input) {
  const auto bytes = input.bytes(16);
  ip_address::v6_bytes v6{};
  std::ranges::copy(bytes, v6.begin());
  check_identity(ip_address{v6});
  check_identity(ip_address{ip_address::v4_bytes{v6[0], v6[1], v6[2], v6[3]}});
  // Runs of zeros and mapped addresses, where printing has its rules.
  for (auto& x : v6)
    x &= 1;
  check_identity(ip_address{v6});
  for (std::size_t i = 0; i < 12; ++i)
    v6[i] = i < 10 ? 0 : 0xff;
  check_identity(ip_address{v6});
  check_identity(ip_address{v6}.unmapped());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz_input input{data, size};
  if (input.below(3) == 0) {
    check_bytes(input);
    return 0;
  }
  // Few letters, lest noise be no address at all.
  const auto text = input.below(2) == 0 ? input.text("0123456789...")
                                        : input.text("0123456789abcdefABCDEF:::::::::..%g");
  check_text(text);
  // Such short ones are addresses now and then.
  check_text(text.substr(0, 12));
  check_text("::" + text.substr(0, 4));
  check_endpoints(text);
  check_endpoints(text.substr(0, 12));
  check_endpoints("fe80::1%" + text.substr(0, 4));
  return 0;
}
