#include "taps/net/resolver/dns_resolver.hpp"

#include "taps/core/base/letters.hpp"
#include "taps/core/dns/service_answer.hpp"
#include "taps/net/resolver/address_cache.hpp"
#include "taps/net/resolver/dns_channel.hpp"
#include "taps/net/resolver/dns_query.hpp"
#include "taps/net/resolver/hosts_file.hpp"
#include "taps/net/resolver/service_names.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>

namespace taps {

namespace {

/// Names below "localhost" are loopback whatever files and servers say (RFC 6761, section 6.3).
bool is_localhost(std::string_view name) {
  constexpr std::string_view zone = "localhost";
  return name.ends_with(zone) &&
         (name.size() == zone.size() || name[name.size() - zone.size() - 1] == '.');
}

/// c-ares would take the part before a NUL for the name.
bool is_name(std::string_view x) { return !x.empty() && x.find('\0') == std::string_view::npos; }

resolved_addresses of_family(const std::vector<ip_address>& addresses, ip_family family) {
  resolved_addresses result;
  for (const auto& x : addresses) {
    if (x.family() == family)
      result.entries.push_back({x, std::chrono::seconds{0}});
  }
  return result;
}

ip_address address_of(const sockaddr& x) {
  if (x.sa_family == AF_INET) {
    ip_address::v4_bytes bytes;
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in&>(x).sin_addr, bytes.size());
    return ip_address{bytes};
  }
  ip_address::v6_bytes bytes;
  std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(x).sin6_addr, bytes.size());
  return ip_address{bytes};
}

/// An address is good for no longer than the aliases that led to it.
resolved_addresses answer_of(const ares_addrinfo& info, ip_family family) {
  int alias_ttl = std::numeric_limits<int>::max();
  for (auto* x = info.cnames; x; x = x->next)
    alias_ttl = std::min(alias_ttl, x->ttl);
  resolved_addresses result;
  for (auto* x = info.nodes; x && result.entries.size() < max_answer_records; x = x->ai_next) {
    if (x->ai_family == (family == ip_family::v4 ? AF_INET : AF_INET6))
      result.entries.push_back({address_of(*x->ai_addr),
                                std::chrono::seconds{std::max(std::min(x->ai_ttl, alias_ttl), 0)}});
  }
  return result;
}

/// c-ares tells a server that reports a failure like one that cannot be reached, and both like a
/// lack of sockets to ask with.
error failure_of(const std::string& hostname, int status, int socket_error) {
  const auto what = "cannot resolve \"" + hostname + "\"";
  if (status == ARES_ECONNREFUSED && socket_error != 0)
    return os_error(errc::resolution_failed, what, socket_error);
  return {errc::resolution_failed,
          what + ": " +
              (status == ARES_ECONNREFUSED ? "no DNS server could be reached or was able to answer"
                                           : ares_strerror(status))};
}

/// Returns the host that a service's name is about: without `_service._carrier`.
std::string_view host_of(std::string_view name) {
  while (name.starts_with('_') && name.find('.') != std::string_view::npos)
    name.remove_prefix(name.find('.') + 1);
  return name;
}

std::string_view without_root(std::string_view name) {
  return name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
}

}  // namespace

// -- dns_resolver -----------------------------------------------------------------

class dns_resolver final : public resolver {
public:
  dns_resolver(reactor& loop, const dns_options& options)
      : loop_(&loop), options_(options),
        hosts_(options.hosts_file.empty() ? "/etc/hosts" : options.hosts_file), channel_(loop) {}

  [[nodiscard]] result<void> open() { return channel_.open(options_); }

  std::unique_ptr<resolver_query> resolve(std::string_view hostname, ip_family family,
                                          callback done) override;
  std::unique_ptr<resolver_query> find_service(std::string_view name, dns_record type,
                                               service_callback done) override;

  resolver& within(const name_scope& where) override;

  result<std::uint16_t> port_of(std::string_view service, std::string_view carrier) const override {
    return port_of_service(service, carrier);
  }

  std::optional<ip_address> source_for(const ip_address& destination) const override;

private:
  template<class Answer>
  using lookups = std::map<dns_key, std::unique_ptr<dns_lookup<Answer>>>;

  [[nodiscard]] std::optional<result<resolved_addresses>> find_here(std::string_view full_name,
                                                                    ip_family family);
  [[nodiscard]] std::optional<result<service_records>> find_here(const dns_key& key);

  /// Lets `asking` wait for an answer. Returns the lookup if the question has yet to go out.
  template<class Answer>
  dns_lookup<Answer>* join(lookups<Answer>& all, dns_key key, std::string_view name,
                           dns_query<Answer>& asking);

  void on_answer(dns_lookup<resolved_addresses>& x, int status, const ares_addrinfo* info);
  void on_answer(dns_lookup<service_records>& x, int status, std::string_view message);
  static void on_addresses(void* context, int status, int timeouts, ares_addrinfo* info);
  static void on_records(void* context, int status, int timeouts, unsigned char* data, int size);

  /// Services remembered.
  static constexpr std::size_t max_services = 256;

  [[nodiscard]] bool idle() const noexcept {
    return addresses_asked_.empty() && services_asked_.empty();
  }

  /// Scopes kept that nobody asks in at the moment.
  static constexpr std::size_t max_idle_scopes = 8;

  reactor* loop_;
  dns_options options_;
  /// Each with answers of its own: another network may say something else.
  std::map<name_scope, std::unique_ptr<dns_resolver>> scopes_;
  hosts_file hosts_;
  address_cache cache_;
  expiring_map<dns_key, service_records> services_{max_services};
  lookups<resolved_addresses> addresses_asked_;
  lookups<service_records> services_asked_;
  /// Last, because going it calls back for what still runs.
  dns_channel channel_;
};

template<class Answer>
dns_lookup<Answer>* dns_resolver::join(lookups<Answer>& all, dns_key key, std::string_view name,
                                       dns_query<Answer>& asking) {
  auto& running = all[key];
  const auto is_new = !running;
  if (is_new)
    running = std::make_unique<dns_lookup<Answer>>(
        dns_lookup<Answer>{this, std::move(key), std::string{name}, {}});
  asking.wait_for(*running);
  return is_new ? running.get() : nullptr;
}

// -- addresses --------------------------------------------------------------------

std::unique_ptr<resolver_query> dns_resolver::resolve(std::string_view hostname, ip_family family,
                                                      callback done) {
  auto result = std::make_unique<dns_query<resolved_addresses>>(*loop_, std::move(done));
  auto name = to_lower(hostname);
  if (auto known = find_here(name, family))
    result->finish(std::move(*known));
  else if (auto* x =
               join(addresses_asked_, {std::move(name), record_of(family)}, hostname, *result))
    // The answer may come at once, and then the lookup is gone, together with its key.
    channel_.query(std::string{hostname}, family, on_addresses, x);
  return result;
}

/// Answers what needs no server.
std::optional<result<resolved_addresses>> dns_resolver::find_here(std::string_view full_name,
                                                                  ip_family family) {
  if (!is_name(full_name))
    return error{errc::resolution_failed, "\"" + std::string{full_name} + "\" is not a host name"};
  const auto name = without_root(full_name);
  if (is_localhost(name))
    return of_family({ip_address::loopback(family)}, family);
  // Who is in the file is there for both families: asking servers for the other one would mix
  // what the administrator wrote with what the network says.
  if (const auto* addresses = hosts_.find(name))
    return of_family(*addresses, family);
  if (auto known = cache_.find(full_name, family, loop_->now()))
    return std::move(*known);
  return std::nullopt;
}

void dns_resolver::on_addresses(void* context, int status, int, ares_addrinfo* info) {
  auto& x = *static_cast<dns_lookup<resolved_addresses>*>(context);
  x.owner->on_answer(x, status, info);
  if (info)
    ares_freeaddrinfo(info);
}

void dns_resolver::on_answer(dns_lookup<resolved_addresses>& x, int status,
                             const ares_addrinfo* info) {
  const auto done = addresses_asked_.extract(x.key);
  if (status == ARES_EDESTRUCTION) {
    x.abandon();
    return;
  }
  result<resolved_addresses> outcome{resolved_addresses{}};
  if (status == ARES_SUCCESS && info) {
    const auto family = x.key.second == dns_record::a ? ip_family::v4 : ip_family::v6;
    outcome = answer_of(*info, family);
    cache_.store(x.key.first, family, *outcome, loop_->now());
  } else if (status != ARES_ENODATA) {
    outcome = failure_of(x.name, status, channel_.take_socket_error());
  }
  x.finish(outcome);
}

// -- services ---------------------------------------------------------------------

std::unique_ptr<resolver_query> dns_resolver::find_service(std::string_view name, dns_record type,
                                                           service_callback done) {
  auto result = std::make_unique<dns_query<service_records>>(*loop_, std::move(done));
  dns_key key{to_lower(name), type};
  if (auto known = find_here(key))
    result->finish(std::move(*known));
  else if (auto* x = join(services_asked_, std::move(key), name, *result))
    channel_.query(std::string{name}, type, on_records, x);
  return result;
}

/// Hosts that need no server offer what they do without records.
std::optional<result<service_records>> dns_resolver::find_here(const dns_key& key) {
  const auto host = without_root(host_of(key.first));
  if (!is_name(key.first) || is_localhost(host) || hosts_.find(host))
    return service_records{};
  if (const auto* known = services_.find(key, loop_->now()))
    return known->value;
  return std::nullopt;
}

void dns_resolver::on_records(void* context, int status, int, unsigned char* data, int size) {
  auto& x = *static_cast<dns_lookup<service_records>*>(context);
  x.owner->on_answer(
      x, status,
      data ? std::string_view{reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)}
           : std::string_view{});
}

void dns_resolver::on_answer(dns_lookup<service_records>& x, int status, std::string_view message) {
  const auto done = services_asked_.extract(x.key);
  if (status == ARES_EDESTRUCTION) {
    x.abandon();
    return;
  }
  // That there is none is an answer, too, with a time to live of its own.
  const auto answered =
      status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND;
  result<service_records> outcome{service_records{}};
  if (!answered)
    outcome = failure_of(x.name, status, channel_.take_socket_error());
  else if (!message.empty())
    outcome = read_service_answer(message, x.key.second);
  if (outcome)
    services_.store(x.key, *outcome,
                    std::min<std::chrono::seconds>(outcome->ttl, address_cache::max_ttl),
                    loop_->now());
  x.finish(outcome);
}

// -- scopes -----------------------------------------------------------------------

resolver& dns_resolver::within(const name_scope& where) {
  if (where.empty())
    return *this;
  if (const auto known = scopes_.find(where); known != scopes_.end())
    return *known->second;
  if (scopes_.size() >= max_idle_scopes)
    std::erase_if(scopes_, [](const auto& x) { return x.second->idle(); });
  auto options = options_;
  options.servers.clear();
  for (const auto& x : where.servers)
    options.servers.push_back(x.is_v6() ? "[" + to_string(x) + "]" : to_string(x));
  // A server on this host is not behind any interface; where it asks is its own business.
  if (!std::ranges::all_of(where.servers, &ip_address::is_loopback))
    options.interface = where.interface;
  auto made = std::make_unique<dns_resolver>(*loop_, options);
  // Addresses make a list of servers, so this fails only for want of memory.
  if (!made->open())
    return *this;
  return *scopes_.emplace(where, std::move(made)).first->second;
}

// -- routes -----------------------------------------------------------------------

std::optional<ip_address> dns_resolver::source_for(const ip_address& destination) const {
  sockaddr_storage storage{};
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  // Any port will do: nothing is sent.
  constexpr std::uint16_t port = 9;
  socklen_t size = 0;
  if (destination.is_v4()) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, destination.bytes().data(), sizeof v4.sin_addr);
    size = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, destination.bytes().data(), sizeof v6.sin6_addr);
    size = sizeof v6;
  }
  auto& os = loop_->os();
  const sys::descriptor socket{os, os.socket(storage.ss_family, SOCK_DGRAM, 0)};
  if (!socket || os.connect(socket.get(), address, size) < 0)
    return std::nullopt;
  size = sizeof storage;
  if (os.getsockname(socket.get(), address, &size) < 0)
    return std::nullopt;
  return address_of(*address);
}

result<std::unique_ptr<resolver>> make_dns_resolver(reactor& loop, const dns_options& options) {
  auto result = std::make_unique<dns_resolver>(loop, options);
  if (auto ok = result->open(); !ok)
    return ok.failure();
  return std::unique_ptr<resolver>{std::move(result)};
}

}  // namespace taps
