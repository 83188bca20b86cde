#pragma once

#include "taps/net/resolver/dns_resolver.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taps::testing {

/// What came of one query.
struct asked_for {
  std::optional<result<resolved_addresses>> outcome;
  int calls = 0;
  std::unique_ptr<resolver_query> query;

  [[nodiscard]] bool done() const noexcept { return outcome.has_value(); }

  /// The addresses as text, or the error.
  [[nodiscard]] std::string text() const {
    if (!outcome)
      return "nothing yet";
    if (!*outcome)
      return to_string(outcome->failure());
    std::string list;
    for (const auto& x : (**outcome).entries)
      list += (list.empty() ? "" : " ") + to_string(x.address);
    return list;
  }
};

/// What came of a question about a service.
struct services_asked_for {
  std::optional<result<service_records>> outcome;
  std::unique_ptr<resolver_query> query;

  [[nodiscard]] bool done() const noexcept { return outcome.has_value(); }

  /// `priority weight target:port protocols`, in the order of the targets' names, or the error.
  [[nodiscard]] std::string text() const {
    if (!outcome)
      return "nothing yet";
    if (!*outcome)
      return to_string(outcome->failure());
    auto entries = (**outcome).entries;
    std::ranges::sort(entries, {}, &service_record::target);
    std::string list;
    for (const auto& x : entries) {
      list += (list.empty() ? "" : ", ") + std::to_string(x.priority) + " " +
              std::to_string(x.weight) + " " + x.target;
      list += x.port ? ":" + std::to_string(*x.port) : "";
      for (const auto& id : x.alpn)
        list += " " + id;
    }
    return list;
  }
};

/// A reactor with helpers to wait for answers. A test that waits for what never comes fails after a
/// while.
class resolver_fixture : public ::testing::Test {
protected:
  reactor loop;

  std::unique_ptr<resolver> make(const dns_options& options) {
    auto made = make_dns_resolver(loop, options);
    EXPECT_TRUE(made) << (made ? "" : to_string(made.failure()));
    return made ? std::move(*made) : nullptr;
  }

  std::unique_ptr<asked_for> ask(resolver& names, std::string_view host, ip_family family) {
    auto result = std::make_unique<asked_for>();
    result->query = names.resolve(host, family, [x = result.get()](auto outcome) {
      ++x->calls;
      x->outcome = std::move(outcome);
    });
    EXPECT_FALSE(result->done()) << "never from inside resolve";
    return result;
  }

  void turn(bool block = true) {
    loop.poll(block);
    loop.run_deferred();
  }

  bool run_until(const std::function<bool()>& reached) {
    bool late = false;
    timer limit{[](void* flag) { *static_cast<bool*>(flag) = true; }, &late};
    loop.timers().schedule(limit, loop.os().now() + std::chrono::seconds{20});
    while (!reached() && !late)
      turn();
    return reached();
  }

  std::unique_ptr<services_asked_for> ask(resolver& names, std::string_view name, dns_record type) {
    auto result = std::make_unique<services_asked_for>();
    result->query = names.find_service(
        name, type, [x = result.get()](auto outcome) { x->outcome = std::move(outcome); });
    EXPECT_FALSE(result->done()) << "never from inside find_service";
    return result;
  }

  std::string places(resolver& names, std::string_view name, dns_record type) {
    const auto x = ask(names, name, type);
    run_until([&] { return x->done(); });
    return x->text();
  }

  std::string answer(resolver& names, std::string_view host, ip_family family) {
    const auto x = ask(names, host, family);
    run_until([&] { return x->done(); });
    return x->text();
  }
};

}  // namespace taps::testing
