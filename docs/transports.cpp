// Writes docs/transports.md from what the protocols say of themselves.

#include "taps/core/properties/property_table.hpp"
#include "taps/core/transport/descriptor.hpp"
#include "taps/net/reactor/reactor.hpp"
#include "taps/net/transports/registry.hpp"

#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace {

using taps::transport_descriptor;

using column = std::function<std::string(const transport_descriptor&)>;

constexpr auto head = R"(# The protocols

Written by `./bazelw run //docs:transports > docs/transports.md`; a test compares. Each protocol describes itself in
`net/transports/<protocol>/descriptor.cpp`; selection, ranking and this page know nothing else about it. How the protocol
meets each TAPS action stands in the README of its folder.
)";

constexpr auto features_head = R"(
## What they provide

"Always" meets Require and fails Prohibit, "on request" meets both, "never" fails Require. An application asks by the
Selection Property of that name, and for encryption by its Security Parameters. Layers leave empty what they do not
change.
)";

constexpr auto honours_head = R"(
## Properties with an effect in the protocol

Selection Properties choose the protocol; those below also configure it. Above the protocol, `connTimeout` limits Close,
`direction` and `final` end the sending, and `safelyReplayable`, `msgOrdered` and `msgReliable` are held against what the
protocol can. Where it says "-", and for the Connection and Message Properties that are not in the table, a value is
checked, kept and read back, and changes nothing. A property of another protocol than the Connection's, such as
`tcp.userTimeoutEnabled` where there is no TCP, is an error on a Connection and ignored in a Preconnection.
)";

constexpr auto remarks_head = R"(
What else is to be known of them:

)";

std::vector<const transport_descriptor*>
protocols(const std::vector<std::unique_ptr<taps::transport>>& transports) {
  std::vector<const transport_descriptor*> result;
  for (const auto& x : transports)
    result.push_back(&x->descriptor());
  return result;
}

class table {
public:
  explicit table(std::vector<const transport_descriptor*> columns) : columns_(std::move(columns)) {
    std::cout << "\n| |";
    for (const auto* x : columns_)
      std::cout << ' ' << x->name << " |";
    std::cout << "\n|---|";
    for (std::size_t i = 0; i < columns_.size(); ++i)
      std::cout << "---|";
    std::cout << "\n";
  }

  void row(std::string_view label, const column& cell) {
    std::cout << "| " << label << " |";
    for (const auto* x : columns_)
      std::cout << ' ' << cell(*x) << " |";
    std::cout << "\n";
  }

private:
  std::vector<const transport_descriptor*> columns_;
};

std::string yes_no(bool value) { return value ? "yes" : "no"; }

void print_nature(table out) {
  out.row("carries", [](const auto& x) { return std::string{to_string(x.unit)}; });
  out.row("runs over", [](const auto& x) {
    return x.runs_over ? "any " + std::string{to_string(*x.runs_over)} : std::string{"IP"};
  });
  out.row("round trips to be ready", [](const auto& x) { return std::to_string(x.round_trips); });
  out.row("asks the peer before it is ready",
          [](const auto& x) { return yes_no(!x.connectionless); });
  out.row("for multicast groups", [](const auto& x) { return yes_no(x.multicast); });
  out.row("several Connections in one", [](const auto& x) { return yes_no(x.multiplexes); });
  out.row("gets through unknown networks", [](const auto& x) {
    return std::string{x.reach == taps::reachability::assumed ? "assumed" : "unknown"};
  });
  out.row("becomes, when the peer lacks it",
          [](const auto& x) { return std::string{x.falls_back_to ? x.falls_back_to->name : "-"}; });
  out.row("order among equals", [](const auto& x) { return std::to_string(x.default_order); });
}

void print_features(table out) {
  for (std::size_t i = 0; i < taps::num_features; ++i) {
    const auto what = static_cast<taps::feature>(i);
    out.row(to_string(what), [what](const transport_descriptor& x) {
      const auto inherited = x.runs_over && !x.features.decides(what);
      return inherited ? std::string{} : std::string{to_string(x.features.get(what))};
    });
  }
}

bool honours(const transport_descriptor& x, taps::property_id id) {
  return std::find(x.honours.begin(), x.honours.end(), id) != x.honours.end();
}

void print_properties(const std::vector<const transport_descriptor*>& all) {
  table out{all};
  for (const auto& x : taps::all_properties()) {
    const auto by = [&x](const transport_descriptor* y) { return honours(*y, x.id); };
    if (std::any_of(all.begin(), all.end(), by))
      out.row(x.name, [&](const auto& y) { return honours(y, x.id) ? "yes" : "-"; });
  }
}

/// One line per property and remark, with the protocols it is true of.
void print_remarks(const std::vector<const transport_descriptor*>& all) {
  std::map<std::pair<taps::property_id, std::string_view>, std::string> lines;
  for (const auto* x : all)
    for (const auto& remark : x->remarks) {
      auto& names = lines[remark];
      names += (names.empty() ? "" : ", ") + std::string{x->name};
    }
  std::cout << remarks_head;
  for (const auto& [remark, names] : lines)
    std::cout << "- `" << to_string(remark.first) << "` (" << names << "): " << remark.second
              << ".\n";
}

constexpr auto multipath = R"(
## Several paths

`multipath` Disabled, the default of Initiate, makes no offer of several paths; Active and Passive prefer a stack that can.
Where the peer cannot, such a stack becomes what its row says, and `_tapline.stack` tells. A Listener has one socket for
peers of both kinds.

What a process may not decide on Linux: whether subflows are opened and between which addresses, which of them are a mere
backup, and whether other addresses are advertised. All that belongs to the network namespace (`ip mptcp`) and its
administrator, so `multipathPolicy` and `advertisesAltaddr` are stored without effect, and an initiator that is Passive may
open subflows if the namespace has it so.
)";

}  // namespace

int main() {
  taps::reactor loop;
  std::vector<std::unique_ptr<taps::transport>> transports;
  for (const auto& make : taps::builtin_transports())
    if (auto made = make(loop))
      transports.push_back(std::move(made));
  const auto all = protocols(transports);
  std::cout << head;
  print_nature(table{all});
  std::cout << features_head;
  print_features(table{all});
  std::cout << honours_head;
  print_properties(all);
  print_remarks(all);
  std::cout << multipath;
}
