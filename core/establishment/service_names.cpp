#include "taps/core/establishment/service_names.hpp"

#include <algorithm>

namespace taps {

namespace {

constexpr std::string_view https = "https";
constexpr std::uint16_t https_port = 443;

/// Returns the carriers of the stacks, each once.
std::vector<std::string> carriers_of(std::span<const ranked_stack> stacks, std::string_view only) {
  std::vector<std::string> out;
  for (const auto& x : stacks) {
    const std::string carrier{x.stack->carrier()};
    const auto fits = only.empty() || only == carrier;
    if (fits && std::ranges::find(out, carrier) == out.end())
      out.push_back(carrier);
  }
  return out;
}

bool has_srv(std::string_view service) noexcept { return service != https && service != "http"; }

service_question https_question(const std::string& host, std::uint16_t port) {
  const auto prefix = port == https_port ? "" : "_" + std::to_string(port) + "._https.";
  return {dns_record::https, prefix + host};
}

}  // namespace

service_name parse_service(std::string_view text) noexcept {
  if (!text.starts_with('_'))
    return {text, {}};
  text.remove_prefix(1);
  const auto dot = text.find("._");
  if (dot == std::string_view::npos)
    return {text, {}, true};
  return {text.substr(0, dot), text.substr(dot + 2), true};
}

result<std::vector<service_question>> find_service(const remote_endpoint& from,
                                                   std::span<const ranked_stack> stacks,
                                                   const resolver& lookup, resolved_remote& to) {
  std::vector<service_question> out;
  if (!from.service())
    return out;
  const auto name = parse_service(*from.service());
  const auto carriers = carriers_of(stacks, name.carrier);
  error failure{errc::resolution_failed, "no protocol for service " + *from.service()};
  for (const auto& x : carriers) {
    if (to.port)
      break;
    if (const auto port = lookup.port_of(name.service, x))
      to.service_ports.emplace_back(x, *port);
    else
      failure = port.failure();
  }
  if (needs_resolution(from) && name.service == https)
    out.push_back(https_question(*from.hostname(), to.port.value_or(https_port)));
  if (needs_resolution(from) && !to.port && has_srv(name.service))
    for (const auto& x : carriers)
      out.push_back({dns_record::srv,
                     "_" + std::string{name.service} + "._" + x + "." + *from.hostname(), x});
  if (!to.port && to.service_ports.empty() && out.empty())
    return failure;
  return out;
}

}  // namespace taps
