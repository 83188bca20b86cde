#pragma once

#include "taps/core/transport/resolver.hpp"
#include "taps/tests/support/simulation/simulated_shard.hpp"

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taps::testing {

/// A query that was made.
struct query_record {
  std::string hostname;
  dns_record record = dns_record::aaaa;
  /// Virtual time.
  duration asked{};
  /// Given up before the answer came.
  bool cancelled = false;
};

/// What the resolvers of a simulation know: scripted answers, by name and family. A name without
/// script does not exist, at once.
class simulated_names {
public:
  // -- script --------------------------------------------------------------------------

  /// Answers both families with the addresses of that family, after `delay`. Replaces what was
  /// scripted for the name.
  void add(std::string name, std::initializer_list<std::string_view> addresses,
           duration delay = {});
  /// Answers one family.
  void add(std::string name, ip_family family, std::initializer_list<std::string_view> addresses,
           duration delay = {});
  /// Fails one family.
  void fail(std::string name, ip_family family, error reason, duration delay = {});
  /// Never answers one family.
  void silence(std::string name, ip_family family);
  /// How long answers for `add` may be used.
  void set_ttl(std::chrono::seconds ttl) noexcept { ttl_ = ttl; }

  /// Answers a question about a service, such as `_service._carrier.host`; without that there are
  /// no records, at once.
  void add_records(std::string name, dns_record type, std::vector<service_record> places,
                   duration delay = {});
  /// Never answers it.
  void silence(std::string name, dns_record type);

  /// Gives a service a port, for all carriers.
  void add_service(std::string service, std::uint16_t port) {
    services_[std::move(service)] = port;
  }

  /// What the servers of a provisioning domain say that are asked by `interface`: scripts and
  /// records of their own. Without this call they say what all others say.
  simulated_names& within(const std::string& interface);

  /// The address that packets to this family come from; absent for no route. At first
  /// `198.51.100.1` and `2001:db8:ffff::1`. Packets to loopback come from loopback.
  void set_source(ip_family family, std::optional<ip_address> source);

  // -- record ---------------------------------------------------------------------------

  [[nodiscard]] const std::vector<query_record>& queries() const noexcept { return queries_; }

  // -- use ---------------------------------------------------------------------------------

  /// Makes the resolver of one shard; the names must outlive it.
  [[nodiscard]] std::unique_ptr<resolver> make_resolver(simulated_shard& home);
  [[nodiscard]] std::optional<ip_address> source_for(const ip_address& destination) const;

private:
  class resolver_on;
  template<class Answer>
  class query;

  struct answer {
    /// Absent for never.
    std::optional<duration> delay;
    std::vector<ip_address> addresses;
    error failure;
  };

  struct service_answer {
    std::optional<duration> delay;
    std::vector<service_record> places;
  };

  [[nodiscard]] answer find(const std::string& name, ip_family family) const;

  std::map<std::pair<std::string, ip_family>, answer> answers_;
  std::map<std::pair<std::string, dns_record>, service_answer> records_;
  std::map<std::string, std::uint16_t, std::less<>> services_;
  std::map<ip_family, std::optional<ip_address>> sources_{
      {ip_family::v4, ip_address{ip_address::v4_bytes{198, 51, 100, 1}}},
      {ip_family::v6, ip_address{ip_address::v6_bytes{0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, 0, 0, 0,
                                                      0, 0, 0, 0, 0, 0, 1}}}};
  std::chrono::seconds ttl_{60};
  std::vector<query_record> queries_;
  std::map<std::string, std::unique_ptr<simulated_names>> scopes_;
};

}  // namespace taps::testing
