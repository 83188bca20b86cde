#include "taps/core/establishment/establishment.hpp"

#include "taps/core/establishment/multicast.hpp"
#include "taps/core/establishment/name_scopes.hpp"
#include "taps/core/establishment/service_names.hpp"
#include "taps/core/path/path_selection.hpp"

#include <algorithm>

namespace taps {

namespace {

using kind = establishment_action::kind_type;

candidate_identity identity(const candidate& x) {
  return {x.node, x.path.interface, x.stack->name, x.local.value_or(socket_address{}), x.remote};
}

}  // namespace

result<selection> select_for(const establishment_request& what,
                             std::span<const protocol_stack> stacks) {
  if (auto fine = check_endpoints(what.locals, what.remotes, establishment::initiate); !fine)
    return fine.failure();
  if (auto fine = check_multicast(what.locals, what.remotes, what.properties->direction(),
                                  establishment::initiate);
      !fine)
    return fine.failure();
  if (what.policy && what.policy->broken())
    return what.policy->broken();
  selection_request wanted;
  wanted.properties = *what.properties;
  wanted.security = what.security;
  wanted.framing_preserves_boundaries = what.framing_preserves_boundaries;
  wanted.protocols = restriction_of(what.remotes);
  wanted.multicast = is_multicast(what.locals, what.remotes);
  const auto number = [&](const protocol_stack& x) {
    return static_cast<std::size_t>(&x - stacks.data());
  };
  if (!what.verdicts.empty())
    wanted.policy = [&](const protocol_stack& x) { return what.verdicts[number(x)]; };
  if (!what.past.empty())
    wanted.history = [&](const protocol_stack& x) { return what.past[number(x)]; };
  return select_stacks(stacks, wanted);
}

establishment_machine::establishment_machine(establishment_request request,
                                             std::span<const protocol_stack> stacks,
                                             const resolver& lookup, time_point now)
    : request_(std::move(request)), stacks_(stacks), lookup_(lookup),
      names_(clamped(request_.racing).resolution_delay, request_.seed), race_(request_.racing),
      recorder_(now) {
  input_.options.max_attempts = request_.racing.max_attempts;
  input_.source_for = [this](const ip_address& x) { return lookup_.source_for(x); };
  input_.experience_of = request_.experience_of;
  if (request_.policy)
    input_.permitted = [this](const candidate& x) { return permits(x); };
}

// -- inputs ---------------------------------------------------------------------------------------

establishment_actions establishment_machine::on_start(time_point now) {
  establishment_actions out;
  if (auto done = prepare(); !done) {
    fail(now, done.failure(), out);
    return out;
  }
  take_race(
      now,
      race_.on_start(now, request_.timeout ? deadline{later(now, *request_.timeout)} : deadline{}),
      out);
  take_names(now, names_.on_start(now), out);
  // Addresses that are known need not wait for names.
  if (names_.endpoints().empty() ||
      std::ranges::any_of(input_.remotes, [](const auto& x) { return !x.addresses.empty(); }))
    offer(now, out);
  return out;
}

establishment_actions establishment_machine::on_answer(time_point now, std::size_t name,
                                                       ip_family family,
                                                       result<std::vector<ip_address>> answer) {
  establishment_actions out;
  if (over_)
    return out;
  if (answer)
    recorder_.answered(now, hostname(name), record_of(family), answer->size());
  else
    recorder_.answered(now, hostname(name), record_of(family), answer.failure());
  const auto dead = answer && all_dead(name, *answer);
  take_names(now, names_.on_answer(now, name, family, std::move(answer), dead), out);
  return out;
}

establishment_actions establishment_machine::on_services(time_point now, std::size_t name,
                                                         result<service_records> answer) {
  establishment_actions out;
  if (over_)
    return out;
  if (answer)
    recorder_.answered(now, hostname(name), names_.record_of_service(name), answer->entries.size());
  else
    recorder_.answered(now, hostname(name), names_.record_of_service(name), answer.failure());
  take_names(now, names_.on_services(now, name, std::move(answer)), out);
  return out;
}

establishment_actions establishment_machine::on_ready(time_point now, leaf_id leaf) {
  establishment_actions out;
  take_race(now, race_.on_ready(now, leaf), out);
  return out;
}

establishment_actions establishment_machine::on_failed(time_point now, leaf_id leaf, error reason) {
  establishment_actions out;
  book_.failed(leaf, reason);
  recorder_.failed(now, leaf, std::move(reason));
  take_race(now, race_.on_failed(now, leaf), out);
  return out;
}

establishment_actions establishment_machine::on_timer(time_point now) {
  establishment_actions out;
  if (over_)
    return out;
  take_names(now, names_.on_timer(now), out);
  take_race(now, race_.on_timer(now), out);
  return out;
}

void establishment_machine::on_stage(time_point now, leaf_id leaf, attempt_stage stage) {
  book_.reached(now, leaf, stage);
  recorder_.reached(now, leaf, stage);
}

void establishment_machine::on_bound(leaf_id leaf, const socket_address& local) {
  recorder_.bound(leaf, local);
}

const candidate& establishment_machine::candidate_of(leaf_id leaf) const {
  return *std::ranges::find(started_, leaf, &candidate::id);
}

std::vector<lesson> establishment_machine::lessons() const {
  return request_.places.empty() ? std::vector<lesson>{} : book_.lessons(request_.places);
}

deadline establishment_machine::next_deadline() const noexcept {
  return over_ ? deadline{} : sooner(names_.next_deadline(), race_.next_deadline());
}

// -- preparation ----------------------------------------------------------------------------------

result<void> establishment_machine::prepare() {
  if (request_.selected) {
    input_.stacks = request_.selected->ranked;
  } else {
    auto selected = select_for(request_, stacks_);
    if (!selected)
      return selected.failure();
    input_.stacks = std::move(selected->ranked);
  }
  for (std::size_t i = 0; i < request_.remotes.size(); ++i)
    if (auto done = prepare_remote(i); !done)
      return done;
  for (std::size_t i = 0; i < request_.locals.size(); ++i)
    if (auto done = prepare_local(i); !done)
      return done;
  return prepare_paths();
}

result<void> establishment_machine::prepare_paths() {
  auto wanted = path_request_of(*request_.properties, establishment::initiate);
  add_locals(input_.locals, input_.stacks, wanted);
  add_groups(input_.remotes, wanted);
  auto paths = select_paths(*request_.where, wanted);
  if (!paths)
    return paths.failure();
  input_.paths = std::move(*paths);
  scope_ = scope_of(*request_.where, input_.paths, wanted.domains);
  input_.where = request_.where;
  input_.temporary_address_required = wanted.temporary_address == preference::require;
  return {};
}

result<void> establishment_machine::prepare_remote(std::size_t index) {
  const auto& from = request_.remotes[index];
  auto remote = describe(index, from);
  if (auto done = find_interface(remote.interface, remote.scope); !done)
    return done;
  auto questions = find_service(from, input_.stacks, lookup_, remote);
  if (!questions)
    return questions.failure();
  if (needs_resolution(from)) {
    const auto has_port = remote.port || !remote.service_ports.empty();
    names_.add({*from.hostname(), std::move(*questions), has_port});
    owners_.push_back({false, index});
  }
  input_.remotes.push_back(remote);
  remotes_.push_back(std::move(remote));
  return {};
}

result<void> establishment_machine::prepare_local(std::size_t index) {
  const auto& from = request_.locals[index];
  auto local = describe(index, from);
  if (auto done = find_interface(local.interface, local.scope); !done)
    return done;
  if (needs_resolution(from)) {
    names_.add(*from.hostname());
    owners_.push_back({true, index});
  }
  input_.locals.push_back(std::move(local));
  return {};
}

/// Finds the name and the index of what an endpoint calls by either.
result<void> establishment_machine::find_interface(std::string& name, std::uint32_t& index) const {
  if (name.empty())
    return {};
  const auto* found = request_.where->find(name);
  if (!found)
    return {errc::invalid_configuration, "there is no interface " + name};
  name = found->name;
  index = found->index;
  return {};
}

// -- progress -------------------------------------------------------------------------------------

void establishment_machine::ask(time_point now, establishment_actions& out) {
  for (const auto& x : names_.take_questions()) {
    recorder_.asked(now, hostname(x.number), x.record);
    out.push_back({kind::ask, x.number, x.record, 0, {}});
  }
}

void establishment_machine::take_names(time_point now, resolution_event event,
                                       establishment_actions& out) {
  ask(now, out);
  switch (event) {
  case resolution_event::none:
  case resolution_event::ask:
    break;
  default:
    refresh_addresses();
    offer(now, out);
  }
}

bool establishment_machine::permits(const candidate& x) {
  const auto why = request_.policy->forbids(x);
  if (why.empty())
    return true;
  const auto& endpoint = request_.remotes[x.remote_index];
  prohibited_ = {errc::policy_prohibited, to_string(endpoint) + ": forbidden by policy: " + why};
  return false;
}

bool establishment_machine::all_dead(std::size_t name,
                                     const std::vector<ip_address>& addresses) const {
  const auto& owner = owners_[names_.endpoint_of(name)];
  if (!input_.experience_of || owner.local)
    return false;
  const auto known = experience_at(input_, remotes_[owner.index]);
  return std::ranges::all_of(addresses, [&](const auto& x) { return known(x).dead; });
}

void establishment_machine::refresh_addresses() {
  std::vector<std::optional<std::vector<resolved_place>>> places(remotes_.size());
  for (std::size_t i = 0; i < owners_.size(); ++i) {
    auto found = names_.endpoints()[i].places();
    if (owners_[i].local) {
      auto& local = input_.locals[owners_[i].index];
      local.unresolved = found.empty();
      local.addresses = found.empty() ? std::vector<ip_address>{} : found.front().addresses;
    } else {
      places[owners_[i].index] = std::move(found);
    }
  }
  input_.remotes.clear();
  for (std::size_t i = 0; i < remotes_.size(); ++i)
    if (places[i] && !places[i]->empty())
      add_places(remotes_[i], *places[i]);
    else
      input_.remotes.push_back(remotes_[i]);
}

/// Adds what a Remote Endpoint resolves to.
void establishment_machine::add_places(const resolved_remote& from,
                                       std::span<const resolved_place> places) {
  for (const auto& x : places) {
    auto to = from;
    to.addresses = x.addresses;
    to.alpn = x.alpn;
    if (x.port && x.carriers.empty())
      to.port = x.port;
    if (!x.carriers.empty())
      std::erase_if(to.service_ports, [&](const auto& entry) {
        return x.port || std::ranges::find(x.carriers, entry.first) == x.carriers.end();
      });
    for (const auto& carrier : x.carriers)
      if (x.port)
        to.service_ports.emplace_back(carrier, *x.port);
    input_.remotes.push_back(std::move(to));
  }
}

void establishment_machine::offer(time_point now, establishment_actions& out) {
  untried_ = std::exchange(gathered_, true) ? regather(input_, started_, untried_) : gather(input_);
  const auto more = names_.more_to_come();
  error why_none;
  if (untried_.empty() && started_.empty() && !more)
    why_none = !names_.endpoints().empty() && !names_.usable() ? names_.failure()
               : prohibited_                                   ? prohibited_
                                                               : no_leaves(input_);
  std::vector<race_leaf> leaves;
  leaves.reserve(untried_.size());
  for (const auto& x : untried_) {
    leaves.push_back({x.id, x.branch == branch_type::path       ? delay_class::path
                            : x.branch == branch_type::protocol ? delay_class::protocol
                                                                : delay_class::endpoint});
    recorder_.introduce(x.id, identity(x));
  }
  take_race(now, race_.on_offer(now, leaves, more, why_none), out);
}

void establishment_machine::take_race(time_point now, const race_actions& what,
                                      establishment_actions& out) {
  for (const auto& x : what) {
    switch (x.what) {
    case race_action::kind::start_attempt: {
      const auto next = std::ranges::find(untried_, x.leaf, &candidate::id);
      started_.push_back(std::move(*next));
      untried_.erase(next);
      if (!request_.places.empty())
        book_.started(now, started_.back());
      recorder_.started(now, x.leaf);
      out.push_back({kind::start_attempt, 0, {}, x.leaf, {}});
      break;
    }
    case race_action::kind::cancel_attempt:
      recorder_.lost(now, x.leaf);
      out.push_back({kind::cancel_attempt, 0, {}, x.leaf, {}});
      break;
    case race_action::kind::succeeded:
      book_.won(now, x.leaf);
      recorder_.won(now, x.leaf);
      over_ = true;
      out.push_back({kind::succeeded, 0, {}, x.leaf, {}});
      break;
    default:
      fail(now, x.reason, out);
    }
  }
}

void establishment_machine::fail(time_point now, const error& reason, establishment_actions& out) {
  over_ = true;
  auto told = started_.empty() ? reason : explain(reason, recorder_.report(now));
  out.push_back({kind::failed, 0, {}, 0, std::move(told)});
}

}  // namespace taps
