#include "taps/actors/rendezvous_supervisor.hpp"

#include "taps/actors/connection_actor.hpp"
#include "taps/actors/meeting_ends.hpp"
#include "taps/actors/pinned.hpp"
#include "taps/core/racing/establishment_recorder.hpp"
#include "taps/core/rendezvous/check_list.hpp"
#include "taps/core/rendezvous/opening_list.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace taps {

namespace {

/// A thin shell of the lists that decide.
class rendezvous_supervisor final : public pinned<caf::event_based_actor, caf_clock::unused>,
                                    handshake_sink,
                                    meeting_listener,
                                    serviced,
                                    resident {
public:
  rendezvous_supervisor(caf::actor_config& cfg, shard_ptr where, config_ptr config,
                        recipient parent, std::optional<duration> timeout)
      : pinned(cfg, std::move(where)), config_(std::move(config)), parent_(std::move(parent)),
        timeout_(timeout), links_(home().links()), request_{config_->locals,
                                                            config_->remotes,
                                                            *config_->properties,
                                                            config_->security.mode(),
                                                            config_->framing_preserves_boundaries(),
                                                            *links_,
                                                            config_->policy.get()},
        recorder_(home().now()),
        timer_([](void* self) { static_cast<rendezvous_supervisor*>(self)->on_timer(); }, this),
        ends_(static_cast<meeting_listener&>(*this)) {}

  const char* name() const override { return "taps.rendezvous_supervisor"; }

protected:
  caf::behavior make_behavior() override {
    home().adopt(caf::strong_actor_ptr{ctrl()}, *this);
    if (timeout_)
      limit_ = later(home().now(), *timeout_);
    begin();
    schedule_timer();
    return {[](caf::unit_t) {}};
  }

  void on_exit() override {
    timer_.cancel();
    home().cancel_service(*this);
    queries_.clear();
    handshake_.reset();
    ends_.close();
    parent_ = {};
    home().release(ctrl());
  }

private:
  // -- preparation -----------------------------------------------------------------------------

  void begin() {
    auto selected = select_for_rendezvous(request_, home().stacks());
    if (!selected) {
      fail(selected.failure());
      return;
    }
    selection_ = std::move(*selected);
    for (const auto& x : names_of(request_))
      for (auto family : {ip_family::v6, ip_family::v4})
        ask(x, family);
    if (queries_.empty())
      open();
  }

  void ask(const std::string& name, ip_family family) {
    ++unanswered_;
    recorder_.asked(home().now(), name, record_of(family));
    queries_.push_back(home().names().resolve(
        name, family, [this, name, family](result<resolved_addresses> answer) {
          enter([&] { on_answer(name, family, answer); });
        }));
  }

  void on_answer(const std::string& name, ip_family family,
                 const result<resolved_addresses>& answer) {
    if (answer) {
      recorder_.answered(home().now(), name, record_of(family), answer->entries.size());
      for (const auto& x : answer->entries)
        request_.names[name].push_back(x.address);
    } else {
      recorder_.answered(home().now(), name, record_of(family), answer.failure());
      no_name_ = answer.failure();
    }
    if (--unanswered_ == 0 && !over_)
      open();
    schedule_timer();
  }

  void open() {
    stack_ = selection_.ranked.front().stack;
    if (const auto opened = try_open(); !opened)
      fail(opened.failure());
  }

  result<void> try_open() {
    auto remotes = find_remotes(request_, *stack_, home().names());
    if (!remotes)
      return no_name_ ? no_name_ : remotes.failure();
    auto bases = find_or_recall_bases();
    if (!bases)
      return bases.failure();
    auto pairs = pair_up(request_, *stack_, *bases, *remotes);
    if (!pairs)
      return pairs.failure();
    std::optional<std::uint8_t> hops;
    for (const auto& x : request_.remotes)
      hops = hops ? hops : x.hop_limit();
    if (auto opened =
            ends_.open(home().transport_of(*stack_), *bases, config_->properties, hops, *pairs);
        !opened)
      return opened;
    start(std::move(*remotes), *pairs);
    return {};
  }

  result<std::vector<meeting_base>> find_or_recall_bases() {
    if (config_->known && config_->known->stack == stack_->name)
      return config_->known->bases;
    return find_bases(request_, *stack_, home().names());
  }

  void start(std::vector<socket_address> remotes, const std::vector<meeting_pair>& pairs) {
    for (const auto& x : pairs)
      introduce(x);
    if (stack_->unit == data_unit::byte_stream) {
      opening_.emplace(ends_.places(), std::move(remotes), pairs);
      perform(opening_->on_start(home().now()));
    } else {
      checks_.emplace(ends_.places(), std::move(remotes), pairs, unguessable_numbers());
      perform(checks_->on_start(home().now()));
    }
  }

  // -- inputs ----------------------------------------------------------------------------------

  void on_timer() {
    enter([this] {
      const auto now = home().now();
      if (limit_ && *limit_ <= now)
        fail({errc::establishment_failed,
              std::string{handshake_ ? "the Message Framers were not ready"
                                     : "the peer was not met"} +
                  " in time"});
      else if (checks_ && !over_)
        perform(checks_->on_timer(now));
      else if (opening_ && !over_)
        perform(opening_->on_timer(now));
      schedule_timer();
    });
  }

  void on_check(const meeting_pair& from, std::span<const std::byte> data) override {
    enter([&] {
      if (checks_ && !over_)
        perform(checks_->on_check(home().now(), from.base, from.remote, data));
      schedule_timer();
    });
  }

  void on_called(const meeting_pair& from) override {
    enter([&] {
      if (checks_ && !over_)
        perform(checks_->on_data(home().now(), from.base, from.remote));
      else if (opening_ && !over_)
        perform(opening_->on_call(home().now(), from));
      // A first datagram is the peer's, or nobody's.
      if (!opening_)
        ends_.hang_up(from);
      request_service();
      schedule_timer();
    });
  }

  void on_open(const meeting_pair& pair) override {
    enter([&] {
      if (!over_)
        perform(opening_->on_open(home().now(), pair));
      schedule_timer();
    });
  }

  void on_broken(const meeting_pair& pair, error reason) override {
    enter([&] {
      if (!over_ && opening_)
        perform(opening_->on_failed(home().now(), pair, std::move(reason)));
      request_service();
      schedule_timer();
    });
  }

  void on_handshake_done() override { request_service(); }

  void on_service() override {
    enter([this] {
      ends_.clean_up();
      if (!over_)
        return;
      ends_.close();
      if (handshake_ && handshake_->done())
        finish(handshake_->take());
    });
  }

  void on_shutdown(bool at_once) override {
    if (at_once)
      enter([this] { quit(caf::exit_reason::user_shutdown); });
  }

  // -- actions ---------------------------------------------------------------------------------

  void perform(const check_actions& actions) {
    using kind = check_action::kind_type;
    for (const auto& x : actions) {
      switch (x.kind) {
      case kind::send:
        ends_.send_check(x.pair, x.data);
        break;
      case kind::began:
        recorder_.started(home().now(), introduce(x.pair));
        break;
      case kind::gave_up:
        given_up_.insert(introduce(x.pair));
        recorder_.failed(home().now(), introduce(x.pair), x.reason);
        break;
      case kind::met:
        met(x.pair);
        break;
      case kind::failed:
        fail(x.reason);
        break;
      }
    }
  }

  void perform(const opening_actions& actions) {
    using kind = opening_action::kind_type;
    for (const auto& x : actions) {
      switch (x.kind) {
      case kind::call:
        place_call(x.pair);
        break;
      case kind::hang_up:
        ends_.hang_up(x.pair);
        request_service();
        break;
      case kind::met:
        met(x.pair);
        break;
      case kind::failed:
        fail(x.reason);
        break;
      }
    }
  }

  void place_call(const meeting_pair& pair) {
    recorder_.started(home().now(), introduce(pair));
    if (auto called = ends_.call(pair); !called)
      perform(opening_->on_failed(home().now(), pair, called.failure()));
  }

  void met(const meeting_pair& pair) {
    over_ = true;
    // What was given up before is another candidate now.
    if (given_up_.contains(introduce(pair)))
      leaves_.erase(pair);
    won_ = introduce(pair);
    recorder_.started(home().now(), won_);
    auto shell = std::make_unique<channel>(config_->framers, stack_->unit, home().memory());
    auto& stack = *shell;
    auto instance = ends_.take(pair, stack.as_protocol_sink());
    if (!instance) {
      fail(instance.failure());
      return;
    }
    handshake_ = std::make_unique<handshake>(std::move(shell), static_cast<handshake_sink&>(*this));
    limit_ = sooner(limit_, later(home().now(), handshake::limit));
    stack.attach_ready(std::move(*instance));
    // The ends close when nothing of them is on the stack.
    request_service();
  }

  // -- the end ---------------------------------------------------------------------------------

  void finish(result<std::unique_ptr<channel>> outcome) {
    if (!outcome) {
      fail(outcome.failure());
      return;
    }
    const auto now = home().now();
    recorder_.reached(now, won_, attempt_stage::ready);
    recorder_.won(now, won_);
    for (leaf_id i = 1; i <= last_leaf_; ++i)
      recorder_.lost(now, i);
    tell({std::make_shared<std::unique_ptr<channel>>(std::move(*outcome)),
          {},
          recorder_.report(now)});
  }

  void fail(const error& reason) {
    const auto now = home().now();
    if (won_ != 0)
      recorder_.failed(now, won_, reason);
    for (leaf_id i = 1; i <= last_leaf_; ++i)
      recorder_.lost(now, i);
    const auto report = recorder_.report(now);
    tell({nullptr, last_leaf_ == 0 ? reason : explain(reason, report), report});
  }

  void tell(race_outcome outcome) {
    over_ = true;
    if (parent_)
      std::exchange(parent_, {}).tell(std::move(outcome));
    quit();
  }

  // -- helpers ---------------------------------------------------------------------------------

  /// Returns the number of a pair in the report.
  leaf_id introduce(const meeting_pair& pair) {
    const auto known = leaves_.find(pair);
    if (known != leaves_.end())
      return known->second;
    const auto made = ++last_leaf_;
    leaves_.emplace(pair, made);
    recorder_.introduce(
        made,
        {"1.1." + std::to_string(made), {}, stack_->name, ends_.places()[pair.base], pair.remote});
    return made;
  }

  void request_service() { home().request_service(*this); }

  void schedule_timer() {
    auto next = limit_;
    if (checks_ && !over_)
      next = sooner(next, checks_->next_deadline());
    if (opening_ && !over_)
      next = sooner(next, opening_->next_deadline());
    if (parent_ && (next || timer_.scheduled()))
      home().timers().schedule(timer_, next);
  }

  config_ptr config_;
  recipient parent_;
  std::optional<duration> timeout_;
  network_ptr links_;
  rendezvous_request request_;
  selection selection_;
  const protocol_stack* stack_ = nullptr;
  establishment_recorder recorder_;
  std::map<meeting_pair, leaf_id> leaves_;
  timer timer_;
  deadline limit_;
  std::vector<std::unique_ptr<resolver_query>> queries_;
  std::size_t unanswered_ = 0;
  error no_name_;
  meeting_ends ends_;
  std::optional<check_list> checks_;
  std::optional<opening_list> opening_;
  std::unique_ptr<handshake> handshake_;
  leaf_id last_leaf_ = 0;
  leaf_id won_ = 0;
  std::set<leaf_id> given_up_;
  /// Met, or failed.
  bool over_ = false;
};

}  // namespace

std::function<std::uint64_t()> unguessable_numbers() {
  return [device = std::make_shared<std::random_device>()] {
    return std::uint64_t{(*device)()} << 32 | (*device)();
  };
}

caf::actor spawn_rendezvous_supervisor(const shard_ptr& home, config_ptr config, recipient parent,
                                       std::optional<duration> timeout) {
  return home->system().spawn<rendezvous_supervisor>(home, std::move(config), std::move(parent),
                                                     timeout);
}

}  // namespace taps
