#include "taps/core/properties/property_value.hpp"

namespace taps {

namespace {

std::string duration_text(duration x) {
  using namespace std::chrono;
  if (x % seconds{1} == duration::zero())
    return std::to_string(duration_cast<seconds>(x).count()) + "s";
  if (x % milliseconds{1} == duration::zero())
    return std::to_string(duration_cast<milliseconds>(x).count()) + "ms";
  if (x % microseconds{1} == duration::zero())
    return std::to_string(duration_cast<microseconds>(x).count()) + "us";
  return std::to_string(duration_cast<nanoseconds>(x).count()) + "ns";
}

struct to_text {
  std::string operator()(bool x) const { return x ? "true" : "false"; }
  std::string operator()(std::int64_t x) const { return std::to_string(x); }
  std::string operator()(duration x) const { return duration_text(x); }
  std::string operator()(const std::string& x) const { return x; }
  std::string operator()(const interface_preferences& x) const { return to_string(x); }
  template<class Enum>
  std::string operator()(Enum x) const {
    return std::string{to_string(x)};
  }
};

}  // namespace

std::string_view to_string(preference x) noexcept {
  switch (x) {
  case preference::prohibit:
    return "Prohibit";
  case preference::avoid:
    return "Avoid";
  case preference::no_preference:
    return "No Preference";
  case preference::prefer:
    return "Prefer";
  case preference::require:
    return "Require";
  }
  return "Unknown";
}

std::string_view to_string(multipath_mode x) noexcept {
  switch (x) {
  case multipath_mode::disabled:
    return "Disabled";
  case multipath_mode::active:
    return "Active";
  case multipath_mode::passive:
    return "Passive";
  }
  return "Unknown";
}

std::string_view to_string(direction x) noexcept {
  switch (x) {
  case direction::bidirectional:
    return "Bidirectional";
  case direction::unidirectional_send:
    return "Unidirectional Send";
  case direction::unidirectional_receive:
    return "Unidirectional Receive";
  }
  return "Unknown";
}

std::string_view to_string(capacity_profile x) noexcept {
  switch (x) {
  case capacity_profile::default_profile:
    return "Default";
  case capacity_profile::scavenger:
    return "Scavenger";
  case capacity_profile::low_latency_interactive:
    return "Low Latency/Interactive";
  case capacity_profile::low_latency_non_interactive:
    return "Low Latency/Non-Interactive";
  case capacity_profile::constant_rate_streaming:
    return "Constant-Rate Streaming";
  case capacity_profile::capacity_seeking:
    return "Capacity-Seeking";
  }
  return "Unknown";
}

std::string_view to_string(scheduler x) noexcept {
  switch (x) {
  case scheduler::first_come_first_served:
    return "First-Come First-Served";
  case scheduler::round_robin:
    return "Round-Robin";
  case scheduler::round_robin_per_packet:
    return "Round-Robin per Packet";
  case scheduler::priority:
    return "Priority-Based";
  case scheduler::fair_capacity:
    return "Fair Capacity";
  case scheduler::weighted_fair_queueing:
    return "Weighted Fair Queueing";
  }
  return "Unknown";
}

std::string_view to_string(multipath_policy x) noexcept {
  switch (x) {
  case multipath_policy::handover:
    return "Handover";
  case multipath_policy::interactive:
    return "Interactive";
  case multipath_policy::aggregate:
    return "Aggregate";
  }
  return "Unknown";
}

std::string_view to_string(connection_state x) noexcept {
  switch (x) {
  case connection_state::establishing:
    return "Establishing";
  case connection_state::established:
    return "Established";
  case connection_state::closing:
    return "Closing";
  case connection_state::closed:
    return "Closed";
  }
  return "Unknown";
}

std::string_view to_string(special x) noexcept {
  switch (x) {
  case special::not_applicable:
    return "Not applicable";
  case special::unlimited:
    return "Unlimited";
  case special::disabled:
    return "Disabled";
  case special::full_coverage:
    return "Full Coverage";
  case special::infinite:
    return "Infinite";
  }
  return "Unknown";
}

std::string to_string(const interface_preferences& x) {
  std::string result;
  for (auto& entry : x) {
    if (!result.empty())
      result += ", ";
    result += to_string(entry.level);
    result += "(" + entry.name + ")";
  }
  return result;
}

std::string to_string(const property_value& x) { return std::visit(to_text{}, x.get()); }

}  // namespace taps
