// Owners whose interface is checked at compile time.

#include "taps/tests/conformance/support/fixture.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <future>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;

namespace {

/// What a client handles.
using client = caf::typed_actor<caf::reacts_to<ready>, caf::reacts_to<received_partial>,
                                caf::reacts_to<establishment_error>, caf::reacts_to<closed>,
                                caf::reacts_to<connection_error>>;

/// What a server handles, besides a request of the application's own.
using server =
    caf::typed_actor<caf::reacts_to<connection_received>, caf::reacts_to<received_partial>,
                     caf::reacts_to<closed>, caf::reacts_to<connection_error>,
                     caf::reacts_to<receive_error>, caf::replies_to<int>::with<int>>;

/// Whom a handle is given to, before anything happens.
struct begin {};
using starter = client::extend<caf::reacts_to<begin>>;

/// What the events said, for the test's thread.
struct told_by_client {
  std::string text;
  std::promise<std::string> done;

  std::string wait() {
    auto all = done.get_future();
    return all.wait_for(10s) == std::future_status::ready ? all.get() : "nothing in time";
  }
};

}  // namespace

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(begin)

namespace {

/// Talks to an echo: greets, prints the answer, closes.
template<class Self>
client::behavior_type conversation(Self* self, told_by_client& log) {
  return {
      [&log](const ready& x) {
        log.text += "ready ";
        taps::send(x.connection, "hi");
        receive(x.connection);
      },
      [&log](const received_partial& x) {
        log.text += x.message.str() + " ";
        close(x.connection);
      },
      [self, &log](const establishment_error& x) {
        log.done.set_value(log.text + "establishment_error " + to_string(x.reason));
        self->quit();
      },
      [self, &log](const closed&) {
        log.done.set_value(log.text + "closed");
        self->quit();
      },
      [self, &log](const connection_error& x) {
        log.done.set_value(log.text + "connection_error " + to_string(x.reason));
        self->quit();
      },
  };
}

/// As a class of its own that lives on a shard.
class client_class final : public pinned<client::base> {
public:
  client_class(caf::actor_config& cfg, shard_ptr home, preconnection what, told_by_client& log)
      : pinned(cfg, std::move(home)), what_(std::move(what)), log_(log) {}

protected:
  client::behavior_type make_behavior() override {
    initiate(what_, this);
    return conversation(this, log_);
  }

private:
  preconnection what_;
  told_by_client& log_;
};

struct client_state {
  int answers = 0;
};

class typed_owner : public conformance {
protected:
  /// Echoes; typed itself.
  server spawn_server(bool pinned) {
    const auto body = [](server::pointer) -> server::behavior_type {
      return {
          [](const connection_received& x) { receive(x.connection); },
          [](const received_partial& x) {
            taps::send(x.connection, x.message);
            close(x.connection);
          },
          [](const closed&) {},
          [](const connection_error&) {},
          [](const receive_error&) {},
          [](int x) { return x + 1; },
      };
    };
    auto result = pinned ? net_.spawn(body) : system_.spawn(body);
    owners_.push_back(caf::actor_cast<caf::actor>(result));
    return result;
  }

  void SetUp() override {
    server_ = spawn_server(true);
    listener_ = taps::listen(at(loopback_local()), server_);
    port_ = port_of(listener_);
  }

  preconnection to_server() { return to(loopback_remote(port_)); }

  void TearDown() override {
    server_ = nullptr;
    listener_ = nullptr;
    conformance::TearDown();
  }

  server server_;
  taps::listener listener_;
  std::uint16_t port_ = 0;
  told_by_client log_;
};

constexpr const char* expected = "ready hi closed";

}  // namespace

TEST_F(typed_owner, by_self_pointer_on_a_shard) {
  net_.spawn([pre = to_server(), this](client::pointer self) -> client::behavior_type {
    initiate(pre, self);
    return conversation(self, log_);
  });
  EXPECT_EQ(log_.wait(), expected);
}

TEST_F(typed_owner, by_self_pointer_in_cafs_scheduler) {
  system_.spawn([pre = to_server(), this](client::pointer self) -> client::behavior_type {
    initiate(pre, self);
    return conversation(self, log_);
  });
  EXPECT_EQ(log_.wait(), expected);
}

TEST_F(typed_owner, by_handle) {
  auto mine = net_.spawn(
      [this](client::pointer self) -> client::behavior_type { return conversation(self, log_); });
  initiate(to_server(), mine);
  EXPECT_EQ(log_.wait(), expected);
}

TEST_F(typed_owner, as_a_class) {
  net_.spawn<client_class>(to_server(), std::ref(log_));
  EXPECT_EQ(log_.wait(), expected);
}

TEST_F(typed_owner, with_state) {
  net_.spawn([pre = to_server(),
              this](client::stateful_pointer<client_state> self) -> client::behavior_type {
    initiate(pre, self);
    return conversation(self, log_);
  });
  EXPECT_EQ(log_.wait(), expected);
}

TEST_F(typed_owner, with_messages_of_its_own) {
  // An interface that is wider than the events.
  auto mine =
      net_.spawn([pre = to_server(), this](starter::pointer self) -> starter::behavior_type {
        return {
            [self, pre](begin) { initiate(pre, self); },
            [this](const ready& x) {
              log_.text += "ready ";
              taps::send(x.connection, "hi");
              receive(x.connection);
            },
            [this](const received_partial& x) {
              log_.text += x.message.str() + " ";
              close(x.connection);
            },
            [](const establishment_error&) {},
            [self, this](const closed&) {
              log_.done.set_value(log_.text + "closed");
              self->quit();
            },
            [](const connection_error&) {},
        };
      });
  caf::anon_send(mine, begin{});
  EXPECT_EQ(log_.wait(), expected);
  // A handle to it also serves where a plain client is asked for.
  const client narrow = mine;
  EXPECT_EQ(narrow.id(), mine.id());
}

TEST_F(typed_owner, of_a_listener_in_cafs_scheduler) {
  auto mine = spawn_server(false);
  auto place = taps::listen(at(loopback_local()), mine);
  auto peer = posix_connect(port_of(place));
  ASSERT_TRUE(peer.send("echo"));
  EXPECT_EQ(peer.read(4), "echo");
  caf::scoped_actor self{system_};
  self->request(mine, 10s, 1)
      .receive([](int x) { EXPECT_EQ(x, 2); },
               [](const caf::error& x) { ADD_FAILURE() << to_string(x); });
}

TEST_F(typed_owner, its_death_aborts) {
  auto listener = posix_bind();
  std::promise<void> up;
  using short_one = caf::typed_actor<caf::reacts_to<ready>>;
  auto mine = net_.spawn([&, pre = to(loopback_remote(listener.port()))](
                             short_one::pointer self) -> short_one::behavior_type {
    initiate(pre, self);
    return {[&](const ready&) { up.set_value(); }};
  });
  auto peer = posix_accept(listener);
  up.get_future().wait_for(10s);
  caf::anon_send_exit(mine, caf::exit_reason::kill);
  int failure = 0;
  peer.read(1, &failure);
  EXPECT_EQ(failure, ECONNRESET);
}
