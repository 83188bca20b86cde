#pragma once

#include "taps/taps.hpp"
#include "taps/tests/conformance/support/posix.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace taps::testing {

/// One event, as an owner heard it.
struct told {
  std::string what;
  taps::connection connection;
  taps::listener listener;
  connection_state state{};
  error reason;
  slice data;
  message_context context;
  bool end = true;
  establishment_report report;
};

/// The events of one owner, in order. Waiting ends after ten seconds.
class event_log {
public:
  void add(told x) {
    std::lock_guard guard{mutex_};
    events_.push_back(std::move(x));
    changed_.notify_all();
  }

  /// Waits for the `count`th event of a kind and returns it; an empty one in vain.
  told wait(const std::string& what, std::size_t count = 1) {
    std::unique_lock guard{mutex_};
    const told* found = nullptr;
    changed_.wait_for(guard, std::chrono::seconds{10}, [&] {
      std::size_t n = 0;
      for (const auto& x : events_)
        if (x.what == what && ++n == count)
          found = &x;
      return found != nullptr;
    });
    if (!found) {
      ADD_FAILURE() << "no " << what << "; came: " << text(events_);
      return {};
    }
    return *found;
  }

  /// Waits for a terminal event of a Connection, whichever.
  told wait_end() {
    std::unique_lock guard{mutex_};
    const told* found = nullptr;
    changed_.wait_for(guard, std::chrono::seconds{10}, [&] {
      for (const auto& x : events_)
        if (x.what == "closed" || x.what == "connection_error" || x.what == "establishment_error")
          found = &x;
      return found != nullptr;
    });
    if (!found) {
      ADD_FAILURE() << "no end; came: " << text(events_);
      return {};
    }
    return *found;
  }

  /// Waits for any event and returns the first one; an empty one in vain.
  told wait_first() {
    std::unique_lock guard{mutex_};
    if (!changed_.wait_for(guard, std::chrono::seconds{10}, [&] { return !events_.empty(); })) {
      ADD_FAILURE() << "no event came";
      return {};
    }
    return events_.front();
  }

  [[nodiscard]] std::size_t count(const std::string& what) const {
    std::lock_guard guard{mutex_};
    std::size_t n = 0;
    for (const auto& x : events_)
      n += x.what == what ? 1 : 0;
    return n;
  }

  /// The names of all events, separated by blanks.
  [[nodiscard]] std::string names() const {
    std::lock_guard guard{mutex_};
    return text(events_);
  }

  [[nodiscard]] std::vector<told> all() const {
    std::lock_guard guard{mutex_};
    return events_;
  }

private:
  static std::string text(const std::vector<told>& events) {
    std::string result;
    for (const auto& x : events)
      result += (result.empty() ? "" : " ") + x.what;
    return result;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<told> events_;
};

using event_log_ptr = std::shared_ptr<event_log>;
/// What an owner does inside its handler, before the event is logged.
using reaction = std::function<void(caf::event_based_actor*, const told&)>;

/// Logs every event.
inline caf::behavior recorder(caf::event_based_actor* self, event_log_ptr log, reaction react) {
  auto note = [=](told x) {
    if (react)
      react(self, x);
    log->add(std::move(x));
  };
  self->set_default_handler(caf::print_and_drop);
  return {
      [=](const ready& x) {
        told y{"ready", x.connection, {}, x.state, {}, {}, {}, true, x.report};
        note(std::move(y));
      },
      [=](const rendezvous_done& x) {
        note({"rendezvous_done", x.connection, {}, x.state, {}, {}, {}, true, x.report});
      },
      [=](const establishment_error& x) {
        note({"establishment_error",
              x.connection,
              x.listener,
              connection_state::closed,
              x.reason,
              {},
              {},
              true,
              x.report});
      },
      [=](const connection_received& x) {
        note({"connection_received", x.connection, x.listener, x.state, {}, {}, {}, true, {}});
      },
      [=](const stopped& x) {
        note({"stopped", {}, x.listener, {}, {}, {}, {}, true, {}});
      },
      [=](const clone_error& x) {
        note({"clone_error", x.connection, {}, x.state, x.reason, {}, {}, true, {}});
      },
      [=](const sent& x) {
        note({"sent", x.connection, {}, x.state, {}, {}, x.context, true, {}});
      },
      [=](const send_error& x) {
        note({"send_error", x.connection, {}, x.state, x.reason, {}, x.context, true, {}});
      },
      [=](const received& x) {
        note({"received", x.connection, {}, x.state, {}, x.message, x.context, true, {}});
      },
      [=](const received_partial& x) {
        note({"received_partial",
              x.connection,
              {},
              x.state,
              {},
              x.message,
              x.context,
              x.end_of_message,
              {}});
      },
      [=](const receive_error& x) {
        note({"receive_error", x.connection, {}, x.state, x.reason, {}, x.context, true, {}});
      },
      [=](const soft_error& x) {
        note({"soft_error", x.connection, {}, x.state, x.reason, {}, {}, true, {}});
      },
      [=](const path_change& x) {
        note({"path_change", x.connection, {}, x.state, {}, {}, {}, true, {}});
      },
      [=](const closed& x) {
        note({"closed", x.connection, {}, x.state, {}, {}, {}, true, {}});
      },
      [=](const connection_error& x) {
        note({"connection_error", x.connection, {}, x.state, x.reason, {}, {}, true, {}});
      },
  };
}

inline remote_endpoint loopback_remote(std::uint16_t port) {
  return remote_endpoint{}.with_ip_address("127.0.0.1").with_port(port);
}

inline local_endpoint loopback_local(std::uint16_t port = 0) {
  auto where = local_endpoint{}.with_ip_address("127.0.0.1");
  return port == 0 ? where : where.with_port(port);
}

/// Transport services, recording owners, real sockets. By default one thread that the owners share
/// with their Connections; TAPLINE_TEST_SHARDS=2 makes it two threads, and
/// TAPLINE_TEST_OWNERS=unpinned leaves the owners to CAF's scheduler. The expectations are the
/// same.
class conformance : public ::testing::Test {
protected:
  struct owner {
    caf::actor actor;
    event_log_ptr log = std::make_shared<event_log>();
  };

  struct listening {
    taps::listener listener;
    std::uint16_t port = 0;
    owner by;
  };

  conformance() : conformance(options()) {}

  explicit conformance(transport_services_options with)
      : system_(config()), net_(system_, std::move(with)) {}

  /// Once the owners are gone nothing may remain: no resident, no actor, no descriptor.
  void TearDown() override {
    for (const auto& x : owners_)
      caf::anon_send_exit(x, caf::exit_reason::kill);
    owners_.clear();
    std::size_t residents = 0;
    std::size_t actors = 0;
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    do {
      std::this_thread::yield();
      residents = net_.num_residents();
      actors = system_.registry().running();
    } while ((residents != 0 || actors != 0) && std::chrono::steady_clock::now() < limit);
    EXPECT_EQ(residents, 0u) << "left behind";
    EXPECT_EQ(actors, 0u) << "left behind";
    EXPECT_LE(open_descriptors(), descriptors_) << "left behind";
  }

  /// Those of this program, without the ones of plain peers.
  static std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all{"/proc/self/fd"};
    return static_cast<std::size_t>(std::distance(begin(all), end(all))) - posix_socket::open();
  }

  static std::size_t resident_kilobytes() {
    std::size_t total = 0;
    std::size_t resident = 0;
    std::ifstream{"/proc/self/statm"} >> total >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 1024;
  }

  static caf::actor_system_config& config() {
    static auto instance = [] {
      auto result = std::make_unique<caf::actor_system_config>();
      add_messages(*result);
      return result;
    }();
    return *instance;
  }

  static transport_services_options options(std::size_t shards = 1) {
    transport_services_options result;
    result.shards = setting("TAPLINE_TEST_SHARDS") == "2" ? 2 : shards;
    return result;
  }

  static std::string setting(const char* name) {
    const auto* value = std::getenv(name);
    return value ? value : "";
  }

  owner make_owner(reaction react = {}) {
    owner result;
    result.actor = setting("TAPLINE_TEST_OWNERS") == "unpinned"
                       ? system_.spawn(recorder, result.log, std::move(react))
                       : net_.spawn(recorder, result.log, std::move(react));
    owners_.push_back(result.actor);
    return result;
  }

  /// An owner that CAF's own scheduler runs, so that all its events come by mailbox.
  owner make_unpinned_owner(reaction react = {}) {
    owner result;
    result.actor = system_.spawn(recorder, result.log, std::move(react));
    owners_.push_back(result.actor);
    return result;
  }

  static security_parameters plain() { return security_parameters::disabled(); }

  preconnection to(remote_endpoint where, transport_properties wanted = reliable_inorder_stream()) {
    return net_.preconnection(std::move(where), std::move(wanted), plain());
  }

  preconnection at(local_endpoint where, transport_properties wanted = reliable_inorder_stream()) {
    return net_.preconnection(std::move(where), std::move(wanted), plain());
  }

  std::uint16_t port_of(const taps::listener& x) {
    caf::scoped_actor self{system_};
    std::uint16_t port = 0;
    self->request(x, std::chrono::seconds{10}, get_properties_command{})
        .receive(
            [&](const property_list& y) {
              port =
                  static_cast<std::uint16_t>(y.get("_tapline.localPort").get_or<std::int64_t>(0));
            },
            [&](const caf::error& y) { ADD_FAILURE() << "not listening: " << to_string(y); });
    return port;
  }

  listening listen_at(const preconnection& pre, reaction react = {}) {
    listening result;
    result.by = make_owner(std::move(react));
    result.listener = taps::listen(pre, result.by.actor);
    result.port = port_of(result.listener);
    return result;
  }

  property_list properties_of(const connection& x) {
    caf::scoped_actor self{system_};
    property_list result;
    self->request(x, std::chrono::seconds{10}, get_properties_command{})
        .receive([&](const property_list& y) { result = y; },
                 [&](const caf::error& y) { ADD_FAILURE() << to_string(y); });
    return result;
  }

  /// Returns the outcome of SetProperty.
  error set(const connection& x, std::string name, property_value value) {
    caf::scoped_actor self{system_};
    error result;
    self->request(x, std::chrono::seconds{10}, set_property_command{std::move(name), value})
        .receive([] {}, [&](const caf::error& y) { result = from_caf_error(y); });
    return result;
  }

  /// Nobody answers any more.
  void expect_closed(const connection& x) {
    caf::scoped_actor self{system_};
    self->request(x, std::chrono::seconds{10}, get_properties_command{})
        .receive(
            [](const property_list& y) {
              ADD_FAILURE() << "still " << to_string(y.get("connState"));
            },
            [](const caf::error&) {});
  }

  /// Returns when everything told to `x` so far has been handled, and its events told.
  void settle(const connection& x) {
    for (int i = 0; i < 3; ++i)
      properties_of(x);
  }

  caf::actor_system system_;
  transport_services net_;
  /// Those of the threads; what Connections and Listeners open comes on top.
  std::size_t descriptors_ = open_descriptors();
  std::vector<caf::actor> owners_;
};

}  // namespace taps::testing
