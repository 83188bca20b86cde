#include "taps/tests/support/simulation/simulated_names.hpp"

#include "taps/tests/support/simulation/simulated_loop.hpp"

namespace taps::testing {

// -- one query ----------------------------------------------------------------------------

template<class Answer>
class simulated_names::query final : public resolver_query {
public:
  query(simulated_names& names, simulated_shard& home, std::size_t record)
      : names_(names), home_(home), record_(record) {}

  ~query() override {
    if (!running_)
      return;
    home_.cancel(event_);
    names_.queries_[record_].cancelled = true;
  }

  /// Without delay never.
  void start(std::optional<duration> delay, result<Answer> outcome,
             std::function<void(result<Answer>)> done) {
    if (!delay)
      return;
    event_ = home_.after(*delay, [this, done = std::move(done), outcome]() mutable {
      // The callback may destroy this query.
      running_ = false;
      done(std::move(outcome));
    });
  }

private:
  simulated_names& names_;
  simulated_shard& home_;
  std::size_t record_;
  event_id event_ = 0;
  bool running_ = true;
};

// -- the resolver of one shard -------------------------------------------------------------

class simulated_names::resolver_on final : public resolver {
public:
  resolver_on(simulated_names& names, simulated_shard& home) : names_(names), home_(home) {}

  std::unique_ptr<resolver_query> resolve(std::string_view hostname, ip_family family,
                                          callback done) override {
    const auto what = names_.find(std::string{hostname}, family);
    result<resolved_addresses> outcome{resolved_addresses{}};
    if (what.failure)
      outcome = what.failure;
    else
      for (const auto& x : what.addresses)
        outcome->entries.push_back({x, names_.ttl_});
    return start<resolved_addresses>(hostname, record_of(family), what.delay, std::move(outcome),
                                     std::move(done));
  }

  std::unique_ptr<resolver_query> find_service(std::string_view name, dns_record type,
                                               service_callback done) override {
    const auto found = names_.records_.find({std::string{name}, type});
    const auto what =
        found == names_.records_.end() ? service_answer{duration{}, {}} : found->second;
    return start<service_records>(name, type, what.delay, service_records{what.places, names_.ttl_},
                                  std::move(done));
  }

  resolver& within(const name_scope& where) override {
    const auto found = names_.scopes_.find(where.interface);
    if (where.empty() || found == names_.scopes_.end())
      return *this;
    auto& made = scopes_[where.interface];
    if (!made)
      made = std::make_unique<resolver_on>(*found->second, home_);
    return *made;
  }

  result<std::uint16_t> port_of(std::string_view service, std::string_view) const override {
    if (auto i = names_.services_.find(service); i != names_.services_.end())
      return i->second;
    return {errc::resolution_failed, "no service " + std::string{service}};
  }

  std::optional<ip_address> source_for(const ip_address& destination) const override {
    return names_.source_for(destination);
  }

private:
  template<class Answer>
  std::unique_ptr<resolver_query> start(std::string_view name, dns_record type,
                                        std::optional<duration> delay, result<Answer> outcome,
                                        std::function<void(result<Answer>)> done) {
    names_.queries_.push_back({std::string{name}, type, home_.loop().elapsed(), false});
    auto made = std::make_unique<query<Answer>>(names_, home_, names_.queries_.size() - 1);
    made->start(delay, std::move(outcome), std::move(done));
    return made;
  }

  simulated_names& names_;
  simulated_shard& home_;
  std::map<std::string, std::unique_ptr<resolver_on>> scopes_;
};

// -- script -----------------------------------------------------------------------------------

void simulated_names::add(std::string name, std::initializer_list<std::string_view> addresses,
                          duration delay) {
  add(name, ip_family::v6, addresses, delay);
  add(name, ip_family::v4, addresses, delay);
}

void simulated_names::add(std::string name, ip_family family,
                          std::initializer_list<std::string_view> addresses, duration delay) {
  answer made{delay, {}, {}};
  for (auto text : addresses)
    if (auto parsed = ip_address::parse(text).value(); parsed.family() == family)
      made.addresses.push_back(parsed);
  answers_.insert_or_assign({std::move(name), family}, std::move(made));
}

void simulated_names::fail(std::string name, ip_family family, error reason, duration delay) {
  answers_.insert_or_assign({std::move(name), family}, answer{delay, {}, std::move(reason)});
}

void simulated_names::silence(std::string name, ip_family family) {
  answers_.insert_or_assign({std::move(name), family}, answer{});
}

void simulated_names::add_records(std::string name, dns_record type,
                                  std::vector<service_record> places, duration delay) {
  records_.insert_or_assign({std::move(name), type}, service_answer{delay, std::move(places)});
}

void simulated_names::silence(std::string name, dns_record type) {
  records_.insert_or_assign({std::move(name), type}, service_answer{});
}

simulated_names& simulated_names::within(const std::string& interface) {
  auto& made = scopes_[interface];
  if (!made)
    made = std::make_unique<simulated_names>();
  return *made;
}

void simulated_names::set_source(ip_family family, std::optional<ip_address> source) {
  sources_[family] = source;
}

// -- use ------------------------------------------------------------------------------------------

std::unique_ptr<resolver> simulated_names::make_resolver(simulated_shard& home) {
  return std::make_unique<resolver_on>(*this, home);
}

std::optional<ip_address> simulated_names::source_for(const ip_address& destination) const {
  if (destination.is_loopback())
    return destination;
  return sources_.at(destination.family());
}

simulated_names::answer simulated_names::find(const std::string& name, ip_family family) const {
  if (auto i = answers_.find({name, family}); i != answers_.end())
    return i->second;
  return {duration{}, {}, {errc::resolution_failed, "no such name: " + name}};
}

}  // namespace taps::testing
