#include "taps/tests/support/simulation/recorder.hpp"

#include <caf/send.hpp>

#include <cstdio>

namespace taps::testing {

namespace {

/// Seconds with milliseconds, and microseconds where there are any.
std::string time_text(duration at) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(at).count();
  char text[32];
  if (us % 1000 == 0)
    std::snprintf(text, sizeof text, "%lld.%03lld", static_cast<long long>(us / 1000000),
                  static_cast<long long>(us / 1000 % 1000));
  else
    std::snprintf(text, sizeof text, "%lld.%06lld", static_cast<long long>(us / 1000000),
                  static_cast<long long>(us % 1000000));
  return text;
}

/// Short text in quotes, else its size.
std::string data_text(const slice& data) {
  constexpr std::size_t longest = 48;
  if (data.size() > longest)
    return std::to_string(data.size()) + " bytes";
  std::string text = "\"";
  for (const auto c : data.view())
    text += c >= ' ' && c <= '~' ? c : '.';
  return text + '"';
}

/// What a line says after the subject.
struct details {
  std::string operator()(const ready& x) const {
    const auto* winner = x.report.winner();
    return winner ? " " + winner->who.node + " " + winner->who.stack + " " +
                        to_string(winner->who.remote)
                  : "";
  }
  std::string operator()(const received& x) const { return " " + data_text(x.message); }
  std::string operator()(const received_partial& x) const {
    return " " + data_text(x.message) + (x.end_of_message ? " end" : "");
  }
  template<class Event>
  std::string operator()(const Event& x) const {
    if constexpr (requires { x.reason; })
      return " " + std::string{to_string(x.reason.reason())};
    return "";
  }
};

constexpr const char* event_names[] = {"ready",
                                       "establishment_error",
                                       "connection_received",
                                       "stopped",
                                       "clone_error",
                                       "sent",
                                       "expired",
                                       "send_error",
                                       "received",
                                       "received_partial",
                                       "receive_error",
                                       "soft_error",
                                       "path_change",
                                       "closed",
                                       "connection_error"};

static_assert(std::size(event_names) == std::variant_size_v<owner_event>);

}  // namespace

// -- script -------------------------------------------------------------------------------------

void recorder::run(task what) { caf::anon_send(handle_, recorder_task{std::move(what)}); }

void recorder::end(caf::exit_reason why) { caf::anon_send_exit(handle_, why); }

// -- record ---------------------------------------------------------------------------------------

std::string recorder::text() const {
  std::string all;
  for (const auto& x : lines_)
    all += x + '\n';
  return all;
}

void recorder::note(std::string_view text) {
  lines_.push_back(time_text(now_()) + " " + std::string{text});
}

std::string recorder::name_of(const connection& what) { return number(what.id(), "c"); }

std::string recorder::name_of(const listener& what) { return number(what.id(), "l"); }

std::string recorder::number(caf::actor_id who, std::string_view prefix) {
  for (const auto& [id, name] : names_)
    if (id == who)
      return name;
  auto& last = prefix == "c" ? connections_ : listeners_;
  return names_.emplace_back(who, std::string{prefix} + std::to_string(++last)).second;
}

void recorder::clear() {
  lines_.clear();
  events_.clear();
}

void recorder::take(caf::event_based_actor* self, owner_event what) {
  note(describe(what));
  events_.push_back(std::move(what));
  // Hooks may be added meanwhile, and events, too.
  const auto event = events_.back();
  for (std::size_t i = 0; i < hooks_.size(); ++i) {
    const auto next = hooks_[i];
    next(self, event);
  }
}

void recorder::take_down(const caf::down_msg& what) {
  std::string who = "stranger";
  for (const auto& [id, name] : names_)
    if (id == what.source.id())
      who = name;
  note("down " + who +
       (what.reason ? " " + to_string(from_caf_error(what.reason)) : std::string{}));
}

std::string recorder::describe(const owner_event& what) {
  const auto subject = std::visit(
      [this](const auto& x) {
        std::string text;
        if constexpr (requires { x.listener; })
          if (x.listener)
            text += " " + name_of(x.listener);
        if constexpr (requires { x.connection; })
          if (x.connection)
            text += " " + name_of(x.connection);
        return text;
      },
      what);
  return event_names[what.index()] + subject + std::visit(details{}, what);
}

// -- the actor ------------------------------------------------------------------------------------

caf::behavior recording_owner(caf::event_based_actor* self, std::shared_ptr<recorder> record) {
  auto* log = record.get();
  self->set_down_handler([log](const caf::down_msg& x) { log->take_down(x); });
  return {
      [self, record](const recorder_task& x) { x.what(self); },
      [=](const ready& x) { log->take(self, x); },
      [=](const establishment_error& x) { log->take(self, x); },
      [=](const connection_received& x) { log->take(self, x); },
      [=](const stopped& x) { log->take(self, x); },
      [=](const clone_error& x) { log->take(self, x); },
      [=](const sent& x) { log->take(self, x); },
      [=](const expired& x) { log->take(self, x); },
      [=](const send_error& x) { log->take(self, x); },
      [=](const received& x) { log->take(self, x); },
      [=](const received_partial& x) { log->take(self, x); },
      [=](const receive_error& x) { log->take(self, x); },
      [=](const soft_error& x) { log->take(self, x); },
      [=](const path_change& x) { log->take(self, x); },
      [=](const closed& x) { log->take(self, x); },
      [=](const connection_error& x) { log->take(self, x); },
  };
}

}  // namespace taps::testing
