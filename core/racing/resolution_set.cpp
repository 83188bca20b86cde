#include "taps/core/racing/resolution_set.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace taps {

std::size_t resolution_set::add(name_request what) {
  endpoints_.emplace_back(std::move(what), resolution_delay_, random_());
  numbered_.emplace_back();
  return endpoints_.size() - 1;
}

// -- inputs --------------------------------------------------------------------

resolution_event resolution_set::on_start(time_point now) {
  auto out = resolution_event::none;
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    out = std::max(out, endpoints_[i].on_start(now));
    collect(i);
  }
  return out;
}

resolution_event resolution_set::on_answer(time_point now, std::size_t number, ip_family family,
                                           result<std::vector<ip_address>> answer, bool dead) {
  const auto [endpoint, index, is_service] = subjects_.at(number);
  assert(!is_service);
  const auto was_usable = usable();
  return translate(endpoints_[endpoint].on_answer(now, index, family, std::move(answer), dead),
                   was_usable);
}

resolution_event resolution_set::on_services(time_point now, std::size_t number,
                                             result<service_records> answer) {
  const auto [endpoint, index, is_service] = subjects_.at(number);
  assert(is_service);
  const auto was_usable = usable();
  const auto event = endpoints_[endpoint].on_services(now, index, std::move(answer));
  collect(endpoint);
  return translate(event, was_usable);
}

resolution_event resolution_set::on_timer(time_point now) {
  auto was_usable = usable();
  auto out = resolution_event::none;
  for (auto& x : endpoints_) {
    const auto event = x.on_timer(now);
    if (event != resolution_event::none && out != resolution_event::released)
      out = event == resolution_event::added ? resolution_event::released : event;
  }
  return translate(out, was_usable);
}

/// Numbers what an endpoint wants to know now.
void resolution_set::collect(std::size_t endpoint) {
  const auto& from = endpoints_[endpoint];
  auto& [services, names] = numbered_[endpoint];
  for (; services < from.num_questions(); ++services) {
    questions_.push_back({subjects_.size(), from.question(services).type});
    subjects_.push_back({endpoint, services, true});
  }
  for (; names < from.names().size(); ++names) {
    for (const auto family : {ip_family::v6, ip_family::v4})
      questions_.push_back({subjects_.size(), record_of(family)});
    subjects_.push_back({endpoint, names, false});
  }
}

resolution_event resolution_set::translate(resolution_event event, bool was_usable) const noexcept {
  switch (event) {
  case resolution_event::released:
    return was_usable ? resolution_event::added : resolution_event::released;
  case resolution_event::failed:
    if (more_to_come() && !usable())
      return resolution_event::none;
    return usable() ? resolution_event::exhausted : resolution_event::failed;
  default:
    return event;
  }
}

// -- properties ----------------------------------------------------------------

std::vector<dns_question> resolution_set::take_questions() { return std::exchange(questions_, {}); }

const std::string& resolution_set::name_of(std::size_t number) const {
  const auto& [endpoint, index, is_service] = subjects_.at(number);
  const auto& from = endpoints_[endpoint];
  return is_service ? from.question(index).name : from.names()[index].hostname();
}

deadline resolution_set::next_deadline() const noexcept {
  deadline out;
  for (const auto& x : endpoints_)
    out = sooner(out, x.next_deadline());
  return out;
}

bool resolution_set::more_to_come() const noexcept {
  return std::ranges::any_of(endpoints_, &endpoint_resolution::more_to_come);
}

bool resolution_set::usable() const noexcept {
  return std::ranges::any_of(endpoints_, &endpoint_resolution::usable);
}

error resolution_set::failure() const {
  std::string text;
  for (const auto& x : endpoints_) {
    if (x.usable() || x.more_to_come())
      continue;
    if (!text.empty())
      text += "; ";
    text += x.failure().text();
  }
  return {errc::resolution_failed, std::move(text)};
}

}  // namespace taps
