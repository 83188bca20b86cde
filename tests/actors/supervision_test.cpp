// CAF's own supervision, `monitor` and `link_to`, on Connections.

#include "taps/tests/conformance/support/fixture.hpp"

#include <future>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;

namespace {

/// What an actor heard by way of supervision.
using farewell = std::promise<caf::error>;

/// Returns the reason, or fails the test when none comes in time.
caf::error reason_of(farewell& from) {
  auto heard = from.get_future();
  if (heard.wait_for(10s) == std::future_status::ready)
    return heard.get();
  ADD_FAILURE() << "nothing heard of the end";
  return caf::exit_reason::unknown;
}

struct stop_now {
  caf::error why;
};

}  // namespace

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(stop_now)

namespace {

class supervision : public conformance {
protected:
  /// A Connection of `me` with a plain peer, established.
  struct pair {
    connection made;
    posix_socket peer;
  };

  pair connect(owner& me) {
    auto listener = posix_bind();
    auto made = initiate(to(loopback_remote(listener.port())), me.actor);
    auto peer = posix_accept(listener);
    me.log->wait("ready");
    return {made, std::move(peer)};
  }

  /// An actor that monitors `whom`, in the middle of its life, and tells of the end. It is no
  /// owner.
  caf::actor watcher(const connection& whom, farewell& heard) {
    return spawn_and_wait([&, whom](caf::event_based_actor* self) {
      self->monitor(whom);
      self->set_down_handler([&heard, whom, self](const caf::down_msg& x) {
        EXPECT_EQ(x.source, whom.address());
        heard.set_value(x.reason);
        self->quit();
      });
    });
  }

  /// An actor linked to `whom`, not trapping exits, whose own end is told.
  caf::actor linked_to(const connection& whom, farewell& heard) {
    return spawn_and_wait([&, whom](caf::event_based_actor* self) {
      self->link_to(whom);
      self->attach_functor([&heard](const caf::error& x) { heard.set_value(x); });
    });
  }

  caf::actor spawn_and_wait(std::function<void(caf::event_based_actor*)> begin) {
    std::promise<void> begun;
    auto result = system_.spawn([&](caf::event_based_actor* self) -> caf::behavior {
      begin(self);
      begun.set_value();
      return {[self](const stop_now& x) { self->quit(x.why); }};
    });
    begun.get_future().wait();
    owners_.push_back(result);
    return result;
  }

  /// Nothing may come after the one terminal event.
  void expect_one_end(owner& me, const connection& whom) {
    me.log->wait_end();
    farewell gone;
    watcher(whom, gone);
    reason_of(gone);
    EXPECT_EQ(me.log->count("closed") + me.log->count("connection_error") +
                  me.log->count("establishment_error"),
              1u)
        << me.log->names();
  }

  static errc errc_of(const caf::error& x) { return from_caf_error(x).reason(); }
};

}  // namespace

// -- monitor ------------------------------------------------------------------------------------

TEST_F(supervision, a_monitor_sees_a_close_as_a_normal_end) {
  auto me = make_owner();
  auto [made, peer] = connect(me);
  farewell heard;
  watcher(made, heard);
  peer.finish();
  close(made);
  EXPECT_EQ(reason_of(heard), caf::error{});
  me.log->wait("closed");
}

TEST_F(supervision, a_monitor_sees_the_error_that_the_owner_sees) {
  auto me = make_owner();
  auto [made, peer] = connect(me);
  farewell heard;
  watcher(made, heard);
  receive(made);
  peer.reset();
  const auto reason = reason_of(heard);
  const auto event = me.log->wait("connection_error").reason;
  EXPECT_EQ(reason, to_caf_error(event));
  EXPECT_EQ(from_caf_error(reason).text(), event.text());
  EXPECT_NE(errc_of(reason), errc::local_abort);
}

TEST_F(supervision, a_monitor_sees_a_failed_establishment) {
  auto me = make_owner();
  closed_port nobody;
  auto made = initiate(to(loopback_remote(nobody.port())), me.actor);
  farewell heard;
  watcher(made, heard);
  EXPECT_EQ(reason_of(heard).category(), caf::atom("taps"));
  me.log->wait("establishment_error");
}

TEST_F(supervision, a_monitor_sees_an_abort_and_an_accepted_connection) {
  auto server = listen_at(at(loopback_local()));
  auto peer = posix_connect(server.port);
  auto made = server.by.log->wait("connection_received").connection;
  farewell heard;
  watcher(made, heard);
  taps::abort(made);
  EXPECT_EQ(errc_of(reason_of(heard)), errc::local_abort);
  expect_one_end(server.by, made);
}

TEST_F(supervision, an_owner_monitors_its_own_connection) {
  auto listener = posix_bind();
  auto pre = to(loopback_remote(listener.port()));
  farewell heard;
  std::promise<std::string> order;
  net_.spawn(
      [&, events = std::make_shared<std::string>()](caf::event_based_actor* self) -> caf::behavior {
        self->monitor(initiate(pre, self));
        self->set_down_handler([&, self, events](const caf::down_msg& x) {
          heard.set_value(x.reason);
          order.set_value(*events);
          self->quit();
        });
        return {
            [events](const ready& x) {
              *events += "ready ";
              close(x.connection);
            },
            [events](const closed&) { *events += "closed "; },
        };
      });
  auto peer = posix_accept(listener);
  peer.finish();
  ASSERT_EQ(reason_of(heard), caf::error{});
  EXPECT_EQ(order.get_future().get(), "ready closed ");
}

TEST_F(supervision, an_owner_monitors_its_own_listener) {
  auto place = at(loopback_local());
  farewell heard;
  net_.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    auto made = taps::listen(place, self);
    self->monitor(made);
    self->set_down_handler([&, self](const caf::down_msg& x) {
      heard.set_value(x.reason);
      self->quit();
    });
    taps::stop(made);
    return {[](const stopped&) {}};
  });
  EXPECT_EQ(reason_of(heard), caf::error{});
}

// -- link ---------------------------------------------------------------------------------------

TEST_F(supervision, a_failed_connection_takes_a_linked_actor_along) {
  auto me = make_owner();
  auto [made, peer] = connect(me);
  farewell heard;
  linked_to(made, heard);
  receive(made);
  peer.reset();
  EXPECT_EQ(reason_of(heard), to_caf_error(me.log->wait("connection_error").reason));
}

TEST_F(supervision, a_failed_establishment_takes_a_linked_owner_along) {
  closed_port nobody;
  auto nowhere = to(loopback_remote(nobody.port()));
  for (const bool pinned : {true, false}) {
    farewell heard;
    std::atomic<int> errors{0};
    auto body = [&](caf::event_based_actor* self) -> caf::behavior {
      self->link_to(initiate(nowhere, self));
      self->attach_functor([&heard](const caf::error& x) { heard.set_value(x); });
      return {[&](const establishment_error&) { ++errors; }};
    };
    if (pinned)
      net_.spawn(body);
    else
      system_.spawn(body);
    EXPECT_EQ(reason_of(heard).category(), caf::atom("taps"));
    EXPECT_EQ(errors, 1);
  }
}

TEST_F(supervision, a_trapping_owner_hears_why_its_connection_failed) {
  closed_port nobody;
  auto nowhere = to(loopback_remote(nobody.port()));
  farewell heard;
  net_.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    self->link_to(initiate(nowhere, self));
    self->set_exit_handler([&, self](const caf::exit_msg& x) {
      heard.set_value(x.reason);
      self->quit();
    });
    return {[](const establishment_error&) {}};
  });
  EXPECT_EQ(reason_of(heard).category(), caf::atom("taps"));
}

TEST_F(supervision, a_close_leaves_a_linked_actor_alone) {
  auto me = make_owner();
  auto [made, peer] = connect(me);
  farewell heard;
  auto other = linked_to(made, heard);
  farewell gone;
  watcher(made, gone);
  peer.finish();
  close(made);
  EXPECT_EQ(reason_of(gone), caf::error{});
  // Whatever the link brought came before this.
  caf::anon_send(other, stop_now{caf::exit_reason::user_shutdown});
  EXPECT_EQ(reason_of(heard), caf::exit_reason::user_shutdown);
}

TEST_F(supervision, a_linked_actor_that_dies_aborts_the_connection) {
  auto me = make_owner();
  auto [made, peer] = connect(me);
  farewell heard;
  auto other = linked_to(made, heard);
  farewell gone;
  watcher(made, gone);
  caf::anon_send(other, stop_now{caf::exit_reason::user_shutdown});
  EXPECT_EQ(me.log->wait("connection_error").reason.reason(), errc::local_abort);
  EXPECT_EQ(errc_of(reason_of(gone)), errc::local_abort);
  int failure = 0;
  peer.read(1, &failure);
  EXPECT_EQ(failure, ECONNRESET);
  expect_one_end(me, made);
}

TEST_F(supervision, a_linked_actor_that_is_killed_aborts_the_connection) {
  auto me = make_owner();
  auto [made, peer] = connect(me);
  farewell heard;
  auto other = linked_to(made, heard);
  caf::anon_send_exit(other, caf::exit_reason::kill);
  EXPECT_EQ(me.log->wait("connection_error").reason.reason(), errc::local_abort);
  expect_one_end(me, made);
}

TEST_F(supervision, a_linked_actor_that_dies_ends_an_establishment) {
  black_hole hole;
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(hole.port())), me.actor);
  farewell heard;
  auto other = linked_to(made, heard);
  caf::anon_send(other, stop_now{caf::exit_reason::user_shutdown});
  expect_one_end(me, made);
}

TEST_F(supervision, a_linked_actor_that_ends_normally_leaves_the_connection_alone) {
  auto me = make_owner();
  auto [made, peer] = connect(me);
  farewell heard;
  auto other = linked_to(made, heard);
  caf::anon_send(other, stop_now{});
  EXPECT_EQ(reason_of(heard), caf::error{});
  settle(made);
  receive(made);
  ASSERT_TRUE(peer.send("still here"));
  EXPECT_EQ(me.log->wait("received_partial").data.view(), "still here");
}

TEST_F(supervision, a_linked_owner_that_closes_and_quits_loses_nothing) {
  auto listener = posix_bind();
  auto pre = to(loopback_remote(listener.port()));
  const std::string all(1 << 20, 'x');
  net_.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    self->link_to(initiate(pre, self));
    return {[&all, self](const ready& x) {
      taps::send(x.connection, all);
      close(x.connection);
      self->quit();
    }};
  });
  auto peer = posix_accept(listener);
  int failure = 0;
  EXPECT_EQ(peer.read(all.size(), &failure).size(), all.size());
  EXPECT_EQ(failure, 0);
}
