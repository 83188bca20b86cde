#pragma once

#include "taps/actors/actions.hpp"
#include "taps/actors/messages.hpp"
#include "taps/core/base/time.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/event_based_actor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace taps::testing {

/// Any event of Tapline.
using owner_event = std::variant<ready, establishment_error, connection_received, stopped,
                                 clone_error, sent, expired, send_error, received, received_partial,
                                 receive_error, soft_error, path_change, closed, connection_error>;

/// An actor that owns Connections and Listeners and writes down all that it is told: as values, and
/// as lines of text with the virtual time for comparison with what is expected:
///
///     0.250 ready c1 1.2.1 sim_stream 192.0.2.2:80
///     0.270 received c1 "hello"
///     0.290 closed c1
///
/// Connections and Listeners are numbered in the order in which they are first heard of. All
/// members are for the test's thread while the loop does not run, or for hooks.
class recorder {
public:
  using hook = std::function<void(caf::event_based_actor*, const owner_event&)>;
  using task = std::function<void(caf::event_based_actor*)>;

  recorder(const recorder&) = delete;
  recorder& operator=(const recorder&) = delete;
  ~recorder() = default;

  [[nodiscard]] const caf::actor& handle() const noexcept { return handle_; }
  [[nodiscard]] operator owner_ref() const { return owner_ref{handle_}; }

  // -- script -----------------------------------------------------------------------------

  /// Has `what` run by the actor, in its own context, when the loop gets to it.
  void run(task what);

  /// Has `what` run by the actor at each event of type `Event`, after it was written down.
  template<class Event, class F>
  void on(F what) {
    hooks_.push_back([what](caf::event_based_actor* self, const owner_event& x) {
      if (const auto* event = std::get_if<Event>(&x))
        what(self, *event);
    });
  }

  /// Ends the actor by an exit message.
  void end(caf::exit_reason why = caf::exit_reason::user_shutdown);

  // -- record --------------------------------------------------------------------------------

  [[nodiscard]] const std::vector<std::string>& lines() const noexcept { return lines_; }
  /// All lines, each with a line feed.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] const std::vector<owner_event>& events() const noexcept { return events_; }

  /// The events of one type, oldest first. Valid until the loop runs again.
  template<class Event>
  [[nodiscard]] std::vector<const Event*> all() const {
    std::vector<const Event*> found;
    for (const auto& x : events_)
      if (const auto* event = std::get_if<Event>(&x))
        found.push_back(event);
    return found;
  }

  /// The latest event of one type; null for none.
  template<class Event>
  [[nodiscard]] const Event* last() const {
    const auto found = all<Event>();
    return found.empty() ? nullptr : found.back();
  }

  template<class Event>
  [[nodiscard]] std::size_t count() const {
    return all<Event>().size();
  }

  /// Writes a line of the test's own, with the time.
  void note(std::string_view text);
  /// Returns the name of a Connection or Listener in the lines: `c1`, `l1`.
  std::string name_of(const connection& what);
  std::string name_of(const listener& what);

  /// Forgets everything, and with it the handles.
  void clear();

  // -- for the simulation ---------------------------------------------------------------------

  using clock_reader = std::function<duration()>;

  explicit recorder(clock_reader now) : now_(std::move(now)) {}
  void set_handle(caf::actor what) { handle_ = std::move(what); }
  void take(caf::event_based_actor* self, owner_event what);
  void take_down(const caf::down_msg& what);

private:
  [[nodiscard]] std::string describe(const owner_event& what);
  std::string number(caf::actor_id who, std::string_view prefix);

  clock_reader now_;
  caf::actor handle_;
  std::vector<hook> hooks_;
  std::vector<std::string> lines_;
  std::vector<owner_event> events_;
  std::vector<std::pair<caf::actor_id, std::string>> names_;
  int connections_ = 0;
  int listeners_ = 0;
};

/// The behavior of a recording actor.
caf::behavior recording_owner(caf::event_based_actor* self, std::shared_ptr<recorder> record);

/// A command of a test to a recording actor.
struct recorder_task {
  recorder::task what;
};

}  // namespace taps::testing

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(taps::testing::recorder_task)
