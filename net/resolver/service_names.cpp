#include "taps/net/resolver/service_names.hpp"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <string>

namespace taps {

namespace {

struct entry {
  std::string_view name;
  std::uint16_t port;
};

/// What applications ask for most, sorted by name.
constexpr std::array<entry, 38> well_known{{
    {"amqp", 5672},   {"amqps", 5671},     {"bgp", 179},         {"chargen", 19},
    {"coap", 5683},   {"coaps", 5684},     {"daytime", 13},      {"discard", 9},
    {"domain", 53},   {"domain-s", 853},   {"echo", 7},          {"ftp", 21},
    {"ftp-data", 20}, {"http", 80},        {"http-alt", 8080},   {"https", 443},
    {"imap", 143},    {"imaps", 993},      {"kerberos", 88},     {"ldap", 389},
    {"ldaps", 636},   {"mqtt", 1883},      {"nfs", 2049},        {"ntp", 123},
    {"pop3", 110},    {"pop3s", 995},      {"postgresql", 5432}, {"rtsp", 554},
    {"sip", 5060},    {"sips", 5061},      {"smtp", 25},         {"snmp", 161},
    {"ssh", 22},      {"submission", 587}, {"submissions", 465}, {"syslog", 514},
    {"telnet", 23},   {"time", 37},
}};

std::uint16_t system_port(const std::string& service, const char* carrier) {
  servent entry{};
  servent* found = nullptr;
  std::array<char, 4096> buffer;
  if (::getservbyname_r(service.c_str(), carrier, &entry, buffer.data(), buffer.size(), &found) !=
          0 ||
      !found)
    return 0;
  return ntohs(static_cast<std::uint16_t>(found->s_port));
}

}  // namespace

namespace detail {

std::uint16_t well_known_port(std::string_view service) noexcept {
  const auto found =
      std::lower_bound(well_known.begin(), well_known.end(), service,
                       [](const entry& x, std::string_view name) { return x.name < name; });
  return found != well_known.end() && found->name == service ? found->port : 0;
}

}  // namespace detail

result<std::uint16_t> port_of_service(std::string_view service, std::string_view carrier) {
  const std::string name{service};
  const std::string base{carrier};
  if (!base.empty()) {
    if (const auto port = system_port(name, base.c_str()))
      return port;
  }
  if (const auto port = system_port(name, nullptr))
    return port;
  if (const auto port = detail::well_known_port(service))
    return port;
  return error{errc::resolution_failed, "no port is known for the service \"" + name + "\""};
}

}  // namespace taps
