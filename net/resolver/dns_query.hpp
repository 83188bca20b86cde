#pragma once

#include "taps/core/transport/resolver.hpp"
#include "taps/net/reactor/reactor.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taps {

/// A name in lower case and what is asked for.
using dns_key = std::pair<std::string, dns_record>;

template<class Answer>
class dns_query;

/// What is asked of the servers, on behalf of all who want to know the same.
template<class Answer>
struct dns_lookup {
  class dns_resolver* owner;
  dns_key key;
  /// As the first one wrote it, for error texts.
  std::string name;
  std::vector<dns_query<Answer>*> waiting;

  void finish(const result<Answer>& outcome) {
    for (auto* x : waiting)
      x->finish(outcome);
  }

  /// There will be no answer.
  void abandon() {
    for (auto* x : waiting)
      x->abandon();
  }
};

/// Waits for an answer and delivers it at the end of a turn.
template<class Answer>
class dns_query final : public resolver_query, public io_source {
public:
  using callback = std::function<void(result<Answer>)>;

  dns_query(reactor& loop, callback done) : loop_(&loop), done_(std::move(done)) {}

  ~dns_query() override {
    if (lookup_)
      std::erase(lookup_->waiting, this);
  }

  void wait_for(dns_lookup<Answer>& x) {
    lookup_ = &x;
    x.waiting.push_back(this);
  }

  void abandon() { lookup_ = nullptr; }

  void finish(result<Answer> outcome) {
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
  callback done_;
  dns_lookup<Answer>* lookup_ = nullptr;
  std::optional<result<Answer>> outcome_;
};

}  // namespace taps
