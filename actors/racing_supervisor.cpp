#include "taps/actors/racing_supervisor.hpp"

#include "taps/actors/candidate_actor.hpp"
#include "taps/actors/connection_actor.hpp"
#include "taps/actors/pinned.hpp"
#include "taps/core/establishment/establishment.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>

namespace taps {

namespace {

/// A thin shell of the establishment machine.
class racing_supervisor final : public pinned<caf::event_based_actor, caf_clock::unused>, resident {
public:
  racing_supervisor(caf::actor_config& cfg, shard_ptr where, config_ptr config, recipient parent,
                    std::optional<duration> timeout, std::shared_ptr<const early_message> early)
      : pinned(cfg, std::move(where)), config_(std::move(config)), parent_(std::move(parent)),
        early_(std::move(early)),
        machine_(make_request(timeout), home().stacks(), home().names(), home().now()),
        timer_([](void* self) { static_cast<racing_supervisor*>(self)->on_timer(); }, this) {}

  const char* name() const override { return "taps.racing_supervisor"; }

  void begin() {
    enter([this] {
      home().adopt(caf::strong_actor_ptr{ctrl()}, *this);
      set_down_handler([this](const caf::down_msg& x) { on_candidate_down(x); });
      perform(machine_.on_start(home().now()));
    });
  }

protected:
  caf::behavior make_behavior() override {
    return {[this](candidate_news& news) { on_news(news); }};
  }

  void on_exit() override {
    timer_.cancel();
    queries_.clear();
    for (auto& x : attempts_)
      caf::anon_send_exit(x.who, caf::exit_reason::user_shutdown);
    attempts_.clear();
    winner_.reset();
    parent_ = {};
    home().release(ctrl());
  }

private:
  struct attempt {
    leaf_id leaf = 0;
    caf::actor who;
  };

  establishment_request make_request(std::optional<duration> timeout) {
    const auto& config = *config_;
    establishment_request made;
    made.locals = config.locals;
    made.remotes = config.remotes;
    made.properties = config.properties;
    made.security = config.security.mode();
    made.framing_preserves_boundaries = config.framing_preserves_boundaries();
    made.racing = config.racing;
    made.where = home().links();
    made.timeout = timeout;
    // No secret: it spreads Connections over equal places, differently each time.
    made.seed = static_cast<std::uint64_t>(home().now().time_since_epoch().count()) ^ id() << 40;
    made.policy = config.policy;
    if (config.policy)
      made.verdicts = config.policy->ask(home().stacks(), establishment::initiate, config.locals,
                                         config.remotes);
    if (config.history)
      remember(made);
    made.selected = config.memo.select(made, home().stacks());
    return made;
  }

  void remember(establishment_request& what) {
    for (const auto& x : what.remotes)
      what.places.push_back(place_of(what.where->name(), x));
    what.past = config_->history->recall(home().now(), what.places, home().stacks());
    what.experience_of = [this, attached = what.where](const socket_address& x) {
      return config_->history->experience_of(home().now(), {attached->name(), {}, x});
    };
  }

  // -- inputs ----------------------------------------------------------------------------------

  void on_timer() {
    enter([this] { perform(machine_.on_timer(home().now())); });
  }

  void on_shutdown(bool at_once) override {
    if (at_once)
      enter([this] { quit(caf::exit_reason::user_shutdown); });
  }

  void on_answer(std::size_t name, ip_family family, result<resolved_addresses> answer) {
    enter([&] {
      if (!answer) {
        perform(machine_.on_answer(home().now(), name, family, answer.failure()));
        return;
      }
      std::vector<ip_address> addresses;
      for (const auto& x : answer->entries)
        addresses.push_back(x.address);
      perform(machine_.on_answer(home().now(), name, family, std::move(addresses)));
    });
  }

  void on_news(candidate_news& news) {
    const auto now = home().now();
    if (!news.ready && !news.failure) {
      machine_.on_stage(now, news.leaf, news.stage);
      return;
    }
    if (!forget_attempt(news.leaf))
      return;
    if (news.failure) {
      perform(machine_.on_failed(now, news.leaf, std::move(news.failure)));
      return;
    }
    winner_ = std::move(news.ready);
    machine_.on_bound(news.leaf, (*winner_)->instance().local());
    machine_.on_stage(now, news.leaf, attempt_stage::ready);
    perform(machine_.on_ready(now, news.leaf));
  }

  /// A candidate that breaks down is a candidate that failed.
  void on_candidate_down(const caf::down_msg& what) {
    const auto i = std::ranges::find_if(
        attempts_, [&](const attempt& x) { return x.who.address() == what.source; });
    if (i == attempts_.end())
      return;
    const auto leaf = i->leaf;
    attempts_.erase(i);
    perform(machine_.on_failed(
        home().now(), leaf,
        {errc::protocol_failed, "the candidate broke down: " + to_string(what.reason)}));
  }

  // -- actions ---------------------------------------------------------------------------------

  void perform(const establishment_actions& actions) {
    using kind = establishment_action::kind_type;
    for (const auto& x : actions) {
      switch (x.kind) {
      case kind::ask:
        ask(x.name, x.record);
        break;
      case kind::start_attempt:
        start_attempt(x.leaf);
        break;
      case kind::cancel_attempt:
        end_attempt(x.leaf);
        break;
      case kind::succeeded:
        finish({std::move(winner_), {}, machine_.report(home().now())});
        break;
      case kind::failed:
        finish({nullptr, x.reason, machine_.report(home().now())});
        break;
      }
    }
    if (const auto next = machine_.next_deadline(); next || timer_.scheduled())
      home().timers().schedule(timer_, next);
  }

  void ask(std::size_t name, dns_record record) {
    auto& names = home().names().within(machine_.scope());
    const auto& text = machine_.hostname(name);
    if (record != dns_record::aaaa && record != dns_record::a) {
      queries_.push_back(
          names.find_service(text, record, [this, name](result<service_records> answer) {
            enter([&] { perform(machine_.on_services(home().now(), name, std::move(answer))); });
          }));
      return;
    }
    const auto family = record == dns_record::a ? ip_family::v4 : ip_family::v6;
    queries_.push_back(
        names.resolve(text, family, [this, name, family](result<resolved_addresses> answer) {
          on_answer(name, family, std::move(answer));
        }));
  }

  void start_attempt(leaf_id leaf) {
    auto [who, candidate] =
        spawn_here<candidate_actor>(home_ptr(), machine_.candidate_of(leaf), config_, early_,
                                    recipient{caf::strong_actor_ptr{ctrl()}, this});
    monitor(who);
    attempts_.push_back({leaf, std::move(who)});
    candidate->begin();
  }

  /// Returns the actor, if it still ran for the race.
  caf::actor forget_attempt(leaf_id leaf) {
    const auto i = std::ranges::find(attempts_, leaf, &attempt::leaf);
    if (i == attempts_.end())
      return {};
    auto who = std::move(i->who);
    attempts_.erase(i);
    demonitor(who);
    return who;
  }

  void end_attempt(leaf_id leaf) {
    if (const auto who = forget_attempt(leaf))
      caf::anon_send_exit(who, caf::exit_reason::user_shutdown);
  }

  void finish(race_outcome outcome) {
    if (config_->history)
      config_->history->learn(home().now(), machine_.lessons());
    parent_.tell(std::move(outcome));
    quit();
  }

  config_ptr config_;
  recipient parent_;
  std::shared_ptr<const early_message> early_;
  establishment_machine machine_;
  timer timer_;
  std::vector<std::unique_ptr<resolver_query>> queries_;
  std::vector<attempt> attempts_;
  std::shared_ptr<std::unique_ptr<channel>> winner_;
};

}  // namespace

caf::actor spawn_racing_supervisor(const shard_ptr& home, config_ptr config, recipient parent,
                                   std::optional<duration> timeout,
                                   std::shared_ptr<const early_message> early) {
  auto [handle, self] = spawn_here<racing_supervisor>(home, std::move(config), std::move(parent),
                                                      timeout, std::move(early));
  self->begin();
  return handle;
}

}  // namespace taps
