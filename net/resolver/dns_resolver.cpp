#include "taps/net/resolver/dns_resolver.hpp"

#include "taps/core/base/letters.hpp"
#include "taps/net/resolver/address_cache.hpp"
#include "taps/net/resolver/dns_channel.hpp"
#include "taps/net/resolver/hosts_file.hpp"
#include "taps/net/resolver/service_names.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>

namespace taps {

namespace {

class query;

using query_key = std::pair<std::string, ip_family>;

/// What is asked of the servers, on behalf of all who want to know the same.
struct lookup {
  class dns_resolver* owner;
  query_key key;
  /// As the first one wrote it, for error texts.
  std::string hostname;
  std::vector<query*> waiting;
};

/// Waits for an answer and delivers it at the end of a turn.
class query final : public resolver_query, public io_source {
public:
  query(reactor& loop, resolver::callback done) : loop_(&loop), done_(std::move(done)) {}

  ~query() override {
    if (lookup_)
      std::erase(lookup_->waiting, this);
  }

  void wait_for(lookup& x) {
    lookup_ = &x;
    x.waiting.push_back(this);
  }

  void abandon() { lookup_ = nullptr; }

  void finish(result<resolved_addresses> outcome) {
    lookup_ = nullptr;
    outcome_ = std::move(outcome);
    loop_->run_later(*this);
  }

  void on_io(std::uint32_t) override {}

  void on_later() override {
    // The callback may destroy this.
    const auto done = std::move(done_);
    done(std::move(*outcome_));
  }

private:
  reactor* loop_;
  resolver::callback done_;
  lookup* lookup_ = nullptr;
  std::optional<result<resolved_addresses>> outcome_;
};

/// Names below "localhost" are loopback whatever files and servers say (RFC 6761, section 6.3).
bool is_localhost(std::string_view name) {
  constexpr std::string_view zone = "localhost";
  return name.ends_with(zone) &&
         (name.size() == zone.size() || name[name.size() - zone.size() - 1] == '.');
}

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
  for (auto* x = info.nodes; x; x = x->ai_next) {
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

// -- dns_resolver -----------------------------------------------------------------

class dns_resolver final : public resolver {
public:
  dns_resolver(reactor& loop, const dns_options& options)
      : loop_(&loop), hosts_(options.hosts_file.empty() ? "/etc/hosts" : options.hosts_file),
        channel_(loop) {}

  [[nodiscard]] result<void> open(const dns_options& options) { return channel_.open(options); }

  std::unique_ptr<resolver_query> resolve(std::string_view hostname, ip_family family,
                                          callback done) override {
    auto result = std::make_unique<query>(*loop_, std::move(done));
    query_key key{to_lower(hostname), family};
    if (auto known = find_here(key))
      result->finish(std::move(*known));
    else
      ask_servers(std::move(key), hostname, *result);
    return result;
  }

  result<std::uint16_t> port_of(std::string_view service, std::string_view carrier) const override {
    return port_of_service(service, carrier);
  }

  std::optional<ip_address> source_for(const ip_address& destination) const override;

private:
  [[nodiscard]] std::optional<result<resolved_addresses>> find_here(const query_key& key);
  void ask_servers(query_key key, std::string_view hostname, query& asking);
  void on_answer(lookup& x, int status, const ares_addrinfo* info);
  static void on_ares(void* context, int status, int timeouts, ares_addrinfo* info);

  reactor* loop_;
  hosts_file hosts_;
  address_cache cache_;
  std::map<query_key, std::unique_ptr<lookup>> lookups_;
  /// Last, because going it calls back for what still runs.
  dns_channel channel_;
};

/// Answers what needs no server.
std::optional<result<resolved_addresses>> dns_resolver::find_here(const query_key& key) {
  const auto& [full_name, family] = key;
  // c-ares would take the part before a NUL for the name.
  if (full_name.empty() || full_name.find('\0') != std::string::npos)
    return error{errc::resolution_failed, "\"" + full_name + "\" is not a host name"};
  std::string_view name = full_name;
  if (name.ends_with('.'))
    name.remove_suffix(1);
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

void dns_resolver::ask_servers(query_key key, std::string_view hostname, query& asking) {
  auto& running = lookups_[key];
  if (running) {
    asking.wait_for(*running);
    return;
  }
  running = std::make_unique<lookup>(lookup{this, std::move(key), std::string{hostname}, {}});
  asking.wait_for(*running);
  // The answer may come at once, and then the lookup is gone, together with its key.
  auto* context = running.get();
  const auto family = context->key.second;
  channel_.query(std::string{hostname}, family, on_ares, context);
}

void dns_resolver::on_ares(void* context, int status, int, ares_addrinfo* info) {
  auto& x = *static_cast<lookup*>(context);
  x.owner->on_answer(x, status, info);
  if (info)
    ares_freeaddrinfo(info);
}

void dns_resolver::on_answer(lookup& x, int status, const ares_addrinfo* info) {
  const auto done = lookups_.extract(x.key);
  if (status == ARES_EDESTRUCTION) {
    for (auto* waiting : x.waiting)
      waiting->abandon();
    return;
  }
  result<resolved_addresses> outcome{resolved_addresses{}};
  if (status == ARES_SUCCESS && info) {
    outcome = answer_of(*info, x.key.second);
    cache_.store(x.key.first, x.key.second, *outcome, loop_->now());
  } else if (status != ARES_ENODATA) {
    outcome = failure_of(x.hostname, status, channel_.take_socket_error());
  }
  for (auto* waiting : x.waiting)
    waiting->finish(outcome);
}

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

}  // namespace

result<std::unique_ptr<resolver>> make_dns_resolver(reactor& loop, const dns_options& options) {
  auto result = std::make_unique<dns_resolver>(loop, options);
  if (auto ok = result->open(options); !ok)
    return ok.failure();
  return std::unique_ptr<resolver>{std::move(result)};
}

}  // namespace taps
