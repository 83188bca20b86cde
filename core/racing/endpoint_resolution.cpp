#include "taps/core/racing/endpoint_resolution.hpp"

#include "taps/core/base/letters.hpp"

#include <algorithm>
#include <utility>

namespace taps {

namespace {

/// HTTPS records have no weights: places of one priority are equals (RFC 9460, section 2.4.1).
void even_out(std::vector<service_record>& places) {
  for (auto& x : places)
    x.weight = 1;
}

}  // namespace

std::vector<service_record> in_order(std::vector<service_record> places, random_source& random) {
  // Those without weight come first among equals, which gives them a chance at all.
  std::ranges::stable_sort(places, {}, [](const service_record& x) {
    return std::pair{x.priority, x.weight != 0};
  });
  for (auto i = places.begin(); i != places.end(); ++i) {
    const auto end = std::find_if(
        i, places.end(), [&](const service_record& x) { return x.priority != i->priority; });
    std::uint64_t sum = 0;
    std::for_each(i, end, [&](const service_record& x) { sum += x.weight; });
    const auto mark = random.below(sum + 1);
    auto chosen = i;
    for (std::uint64_t running = chosen->weight; running < mark; running += chosen->weight)
      ++chosen;
    std::rotate(i, chosen, chosen + 1);
  }
  return places;
}

endpoint_resolution::endpoint_resolution(name_request what, duration resolution_delay,
                                         std::uint64_t seed)
    : request_(std::move(what)), delay_(resolution_delay), random_(seed) {
  if (request_.services.empty())
    request_.host_will_do = true;
  if (request_.host_will_do)
    names_.emplace_back(request_.hostname, delay_);
  for (const auto& x : request_.services)
    services_.push_back({x});
}

// -- inputs --------------------------------------------------------------------

resolution_event endpoint_resolution::on_start(time_point now) {
  auto out = services_.empty() ? resolution_event::none : resolution_event::ask;
  for (auto& x : names_)
    out = std::max(out, x.on_start(now));
  return out;
}

resolution_event endpoint_resolution::on_answer(time_point now, std::size_t name, ip_family family,
                                                result<std::vector<ip_address>> answer, bool dead) {
  return observe(now, [&] { (void)names_[name].on_answer(now, family, std::move(answer), dead); });
}

resolution_event endpoint_resolution::on_services(time_point now, std::size_t question,
                                                  result<service_records> answer) {
  auto& asked = services_[question];
  if (!asked.pending)
    return resolution_event::none;
  return observe(now, [&] {
    asked.pending = false;
    if (answer)
      take(now, question, std::move(*answer));
    else
      asked.reason = answer.failure();
  });
}

resolution_event endpoint_resolution::on_timer(time_point now) {
  return observe(now, [&] {
    for (auto& x : names_)
      (void)x.on_timer(now);
    if (hold_until_ && now >= *hold_until_) {
      hold_until_.reset();
      held_enough_ = true;
    }
  });
}

/// Takes an input and tells what it changed.
template<class Input>
resolution_event endpoint_resolution::observe(time_point now, Input input) {
  const auto before = places();
  const auto was_usable = released_;
  const auto waited = more_to_come();
  input();
  settle(now);
  const auto over = waited && !more_to_come();
  if (!was_usable)
    return released_ ? resolution_event::released
           : over    ? resolution_event::failed
                     : resolution_event::none;
  if (places() != before)
    return resolution_event::added;
  return over ? resolution_event::exhausted : resolution_event::none;
}

/// Releases what is there once nothing better may come, or has had its time.
void endpoint_resolution::settle(time_point now) {
  if (released_)
    return;
  const auto any =
      std::ranges::any_of(names_, &name_resolution::has_addresses) ||
      std::ranges::any_of(targets_, [](const target& x) { return !x.says.hints.empty(); });
  if (any && !services_.empty() && !held_enough_ && !hold_until_) {
    if (delay_ > duration::zero())
      hold_until_ = now + delay_;
    else
      held_enough_ = true;
  }
  released_ = (held_enough_ || best_known()) && !known_places().empty();
  if (released_)
    hold_until_.reset();
}

// -- services ------------------------------------------------------------------

void endpoint_resolution::take(time_point now, std::size_t question, service_records answer) {
  const auto alias = std::ranges::find_if(answer.entries, &service_record::alias);
  if (alias != answer.entries.end()) {
    follow(now, question, alias->target);
    return;
  }
  auto& asked = services_[question];
  if (asked.what.type == dns_record::https)
    even_out(answer.entries);
  asked.offered = !answer.entries.empty();
  for (auto& x : in_order(std::move(answer.entries), random_))
    if (!x.target.empty())
      add_target(now, question, std::move(x));
}

/// Goes on at another name; what its own addresses are is asked as well, in case it has no records.
void endpoint_resolution::follow(time_point now, std::size_t question, const std::string& alias) {
  const auto from = services_[question];
  if (alias.empty() || from.depth == max_aliases)
    return;
  std::erase_if(targets_, [&](const target& x) { return x.service == question; });
  services_.push_back({{from.what.type, alias, from.what.carrier}, from.depth + 1});
  service_record host;
  host.target = alias;
  host.alias = true;
  add_target(now, services_.size() - 1, std::move(host));
}

void endpoint_resolution::add_target(time_point now, std::size_t service, service_record says) {
  if (targets_.size() == max_targets)
    return;
  const auto name = add_name(now, says.target);
  const target made{service, name, std::move(says)};
  // Names that a service is an alias for come after the places that it has there.
  const auto at =
      made.says.alias
          ? targets_.end()
          : std::ranges::find_if(targets_, [](const target& x) { return x.says.alias; });
  targets_.insert(at, made);
}

std::size_t endpoint_resolution::add_name(time_point now, const std::string& hostname) {
  const auto known = std::ranges::find_if(
      names_, [&](const name_resolution& x) { return equal_but_for_case(x.hostname(), hostname); });
  if (known != names_.end())
    return static_cast<std::size_t>(known - names_.begin());
  (void)names_.emplace_back(hostname, delay_).on_start(now);
  return names_.size() - 1;
}

// -- properties ----------------------------------------------------------------

deadline endpoint_resolution::next_deadline() const noexcept {
  auto out = hold_until_;
  for (const auto& x : names_)
    out = sooner(out, x.next_deadline());
  return out;
}

bool endpoint_resolution::more_to_come() const noexcept {
  return std::ranges::any_of(services_, &service_state::pending) ||
         std::ranges::any_of(names_, &name_resolution::more_to_come);
}

/// Tells whether the best place for every stack is known.
bool endpoint_resolution::best_known() const {
  if (services_.empty())
    return names_.front().usable();
  for (std::size_t i = 0; i < services_.size(); ++i)
    if (services_[i].pending || !best_known_of(i))
      return false;
  return true;
}

bool endpoint_resolution::best_known_of(std::size_t service) const {
  for (const auto& x : targets_) {
    if (x.service != service || names_[x.name].state() == resolution_state::failed)
      continue;
    return !addresses_of(x).empty();
  }
  return services_[service].offered || !request_.host_will_do || !names_.front().more_to_come() ||
         names_.front().usable();
}

std::vector<ip_address> endpoint_resolution::addresses_of(const target& x) const {
  const auto& name = names_[x.name];
  auto out = name.addresses();
  for (const auto& hint : x.says.hints)
    if (name.awaits(hint.family()) && std::ranges::find(out, hint) == out.end())
      out.push_back(hint);
  return out;
}

/// Returns which stacks the host itself is for; absent for none, empty for all.
std::optional<std::vector<std::string>> endpoint_resolution::carriers_of_host() const {
  std::vector<std::string> out;
  for (const auto& x : services_) {
    if (x.what.carrier.empty())
      return out;
    if (!x.offered)
      out.push_back(x.what.carrier);
  }
  if (!request_.host_will_do || (out.empty() && !services_.empty()))
    return std::nullopt;
  return out;
}

std::vector<resolved_place> endpoint_resolution::known_places() const {
  std::vector<resolved_place> out;
  const auto add = [&](resolved_place x) {
    if (!x.addresses.empty())
      out.push_back(std::move(x));
  };
  for (const auto& x : targets_) {
    const auto& carrier = services_[x.service].what.carrier;
    std::vector<std::string> carriers;
    if (!carrier.empty())
      carriers.push_back(carrier);
    add({std::move(carriers), x.says.port, x.says.alpn, addresses_of(x)});
  }
  if (auto carriers = carriers_of_host())
    add({std::move(*carriers), {}, {}, names_.front().addresses()});
  return out;
}

std::vector<resolved_place> endpoint_resolution::places() const {
  return released_ ? known_places() : std::vector<resolved_place>{};
}

error endpoint_resolution::failure() const {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
  for (const auto& x : services_)
    add(x.what.name + ": " + std::string{to_string(x.what.type)} + ": " +
        (x.reason    ? x.reason.text()
         : x.offered ? "the service is not there, or its places are not known"
                     : "no record"));
  for (const auto& x : names_)
    if (x.state() == resolution_state::failed)
      add(x.failure().text());
  return {errc::resolution_failed, std::move(text)};
}

}  // namespace taps
