// TRM and ORD: termination and the order of events, against plain sockets and ourselves.

#include "taps/tests/conformance/support/transfer_fixture.hpp"

#include <atomic>
#include <future>
#include <mutex>
#include <thread>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;

namespace {

using ends = transfer;

}  // namespace

// -- termination ----------------------------------------------------------------------------------

TEST_F(ends, TRM_01_close_delivers_everything) {
  connect();
  me_.log->wait("ready");
  ASSERT_TRUE(peer_.send(std::string(1000, 'u')));
  taps::send(made_, std::string(1 << 20, 'x'), {}, {.notify = true});
  close(made_);
  int failure = 0;
  EXPECT_EQ(peer_.read(static_cast<std::size_t>(-1), &failure).size(), std::size_t{1} << 20);
  EXPECT_EQ(failure, 0);
  peer_.close();
  me_.log->wait("closed");
  EXPECT_EQ(names(), "ready sent closed");
}

TEST_F(ends, TRM_01_the_owner_may_leave) {
  listener_ = posix_bind();
  auto pre = to(loopback_remote(listener_.port()));
  net_.spawn([pre](caf::event_based_actor* self) -> caf::behavior {
    auto made = initiate(pre, self);
    return {[=](const ready&) {
      taps::send(made, std::string(1 << 20, 'x'));
      close(made);
      self->quit();
    }};
  });
  peer_ = posix_accept(listener_);
  int failure = 0;
  EXPECT_EQ(peer_.read(static_cast<std::size_t>(-1), &failure).size(), std::size_t{1} << 20);
  EXPECT_EQ(failure, 0);
}

TEST_F(ends, TRM_02_abort_resets) {
  connect();
  me_.log->wait("ready");
  abort(made_);
  EXPECT_EQ(me_.log->wait("connection_error").reason.reason(), errc::local_abort);
  int failure = 0;
  peer_.read(1, &failure);
  EXPECT_EQ(failure, ECONNRESET);
}

TEST_F(ends, TRM_02_the_peers_reset) {
  connect();
  me_.log->wait("ready");
  peer_.reset();
  EXPECT_EQ(me_.log->wait("connection_error").reason.reason(), errc::connection_aborted);
}

TEST_F(ends, TRM_03_abort_answers_everything_first) {
  connect();
  me_.log->wait("ready");
  taps::send(made_, std::string(64 << 20, 'x'));
  receive(made_);
  abort(made_);
  me_.log->wait("connection_error");
  EXPECT_EQ(names(), "ready send_error receive_error connection_error");
}

TEST_F(ends, TRM_04_datagrams_close_and_abort) {
  auto free = posix_bind(0, AF_INET, SOCK_DGRAM);
  const auto port = free.port();
  free.close();
  auto me = make_owner();
  auto made = initiate(net_.preconnection({loopback_local(port)}, {loopback_remote(9)},
                                          unreliable_datagram(), plain()),
                       me.actor);
  me.log->wait("ready");
  close(made);
  me.log->wait("closed");
  EXPECT_GE(posix_bind(port, AF_INET, SOCK_DGRAM).get(), 0);
  auto other = initiate(to(loopback_remote(9), unreliable_datagram()), me.actor);
  me.log->wait("ready", 2);
  abort(other);
  EXPECT_EQ(me.log->wait("connection_error").reason.reason(), errc::local_abort);
}

TEST_F(ends, TRM_05_double_close) {
  connect();
  me_.log->wait("ready");
  close(made_);
  close(made_);
  peer_.read();
  peer_.close();
  me_.log->wait("closed");
  close(made_);
  abort(made_);
  EXPECT_EQ(names(), "ready closed");
}

TEST_F(ends, TRM_05_abort_in_closing) {
  connect();
  me_.log->wait("ready");
  // More than fits into the sockets: a Connection with a promise open cannot close before Abort.
  taps::send(made_, std::string(64 << 20, 'x'));
  close(made_);
  abort(made_);
  me_.log->wait("connection_error");
  EXPECT_EQ(names(), "ready send_error connection_error");
}

// -- order ----------------------------------------------------------------------------------------

TEST_F(ends, ORD_01_nothing_after_the_end) {
  connect();
  me_.log->wait("ready");
  abort(made_);
  me_.log->wait("connection_error");
  taps::send(made_, "x");
  receive(made_);
  close(made_);
  auto other = make_owner();
  auto second = initiate(to(loopback_remote(listener_.port())), other.actor);
  other.log->wait("ready");
  settle(second);
  EXPECT_EQ(names(), "ready connection_error");
}

TEST_F(ends, ORD_01_nor_after_closed_and_establishment_error) {
  connect();
  me_.log->wait("ready");
  receive(made_, {.count = 100});
  close(made_);
  peer_.read();
  peer_.close();
  me_.log->wait("closed");
  closed_port nobody;
  auto failed = initiate(to(loopback_remote(nobody.port())), me_.actor);
  receive(failed, {.count = 100});
  me_.log->wait("establishment_error");
  const auto before = names();
  for (const auto& x : {made_, failed}) {
    taps::send(x, "x", {}, {.notify = true});
    receive(x);
    close(x);
    abort(x);
  }
  // Events of a later Connection come after any that these could have caused.
  auto last = initiate(to(loopback_remote(listener_.port())), me_.actor);
  me_.log->wait("ready", 2);
  settle(last);
  EXPECT_EQ(names(), before + " ready");
}

TEST_F(ends, ORD_02_closed_waits_although_the_connection_has_ended) {
  std::promise<void> entered;
  std::promise<void> go;
  auto gate = go.get_future().share();
  // On a thread of its own, so that the Connection can go on and end.
  me_ = make_unpinned_owner([&entered, gate](auto*, const told& x) {
    if (x.what == "received_partial") {
      entered.set_value();
      gate.wait_for(10s);
    }
  });
  listener_ = posix_bind();
  made_ = initiate(to(loopback_remote(listener_.port())), me_.actor);
  peer_ = posix_accept(listener_);
  receive(made_);
  ASSERT_TRUE(peer_.send("x"));
  ASSERT_EQ(entered.get_future().wait_for(10s), std::future_status::ready);
  close(made_);
  EXPECT_EQ(peer_.read(), "");
  peer_.close();
  const auto limit = std::chrono::steady_clock::now() + 10s;
  while (net_.num_residents() != 0 && std::chrono::steady_clock::now() < limit)
    std::this_thread::yield();
  EXPECT_EQ(net_.num_residents(), 0u);
  EXPECT_EQ(names(), "ready");
  go.set_value();
  me_.log->wait("closed");
  EXPECT_EQ(names(), "ready received_partial closed");
}

TEST_F(ends, ORD_02_closed_waits_for_slow_handlers) {
  std::promise<void> go;
  auto gate = go.get_future().share();
  connect(reliable_inorder_stream(), {}, [gate](auto*, const told& x) {
    if (x.what == "received_partial")
      gate.wait_for(10s);
  });
  receive(made_);
  ASSERT_TRUE(peer_.send("x"));
  close(made_);
  go.set_value();
  peer_.read();
  peer_.close();
  me_.log->wait("closed");
  const auto all = me_.log->all();
  EXPECT_EQ(all.back().what, "closed");
}

TEST_F(ends, ORD_03_every_action_inside_a_handler) {
  std::atomic<int> inside = 0;
  connect(reliable_inorder_stream(), {}, [&inside](auto*, const told& x) {
    EXPECT_EQ(++inside, 1) << x.what << " inside another handler";
    if (x.what == "ready") {
      receive(x.connection);
      taps::send(x.connection, "one");
    }
    if (x.what == "received_partial") {
      taps::send(x.connection, "two");
      close(x.connection);
      receive(x.connection);
      abort(x.connection);
    }
    --inside;
  });
  EXPECT_EQ(peer_.read(3), "one");
  ASSERT_TRUE(peer_.send("x"));
  me_.log->wait("connection_error");
  EXPECT_EQ(me_.log->all().back().what, "connection_error");
}

TEST_F(ends, ORD_04_states_of_events) {
  connect();
  EXPECT_EQ(me_.log->wait("ready").state, connection_state::established);
  receive(made_);
  ASSERT_TRUE(peer_.send("x"));
  EXPECT_EQ(me_.log->wait("received_partial").state, connection_state::established);
  EXPECT_EQ(properties_of(made_).get("connState"), property_value{connection_state::established});
  receive(made_);
  close(made_);
  EXPECT_EQ(me_.log->wait("receive_error").state, connection_state::closing);
  peer_.read();
  peer_.close();
  EXPECT_EQ(me_.log->wait("closed").state, connection_state::closed);
}

TEST_F(ends, ORD_04_a_query_in_the_handler_says_the_same) {
  struct answers {
    std::mutex mutex;
    std::vector<std::string> told;
    std::vector<std::string> asked;
  };
  auto got = std::make_shared<answers>();
  connect(reliable_inorder_stream(), {}, [got](caf::event_based_actor* self, const told& x) {
    if (x.what == "closed" || x.what == "connection_error")
      return;
    std::lock_guard guard{got->mutex};
    got->told.push_back(x.what + " " + to_string(property_value{x.state}));
    self->request(x.connection, caf::infinite, get_properties_command{})
        .then([got, what = x.what](const property_list& y) {
          std::lock_guard inner{got->mutex};
          got->asked.push_back(what + " " + to_string(y.get("connState")));
        });
  });
  me_.log->wait("ready");
  settle(made_);
  taps::send(made_, "x", {}, {.notify = true});
  me_.log->wait("sent");
  settle(made_);
  receive(made_);
  ASSERT_TRUE(peer_.send("x"));
  me_.log->wait("received_partial");
  settle(made_);
  receive(made_);
  close(made_);
  // The peer stays, so that the Connection is Closing for a while.
  me_.log->wait("receive_error");
  settle(made_);
  peer_.read();
  peer_.close();
  me_.log->wait("closed");
  std::lock_guard guard{got->mutex};
  EXPECT_EQ(got->asked, got->told);
  EXPECT_EQ(got->told,
            (std::vector<std::string>{"ready Established", "sent Established",
                                      "received_partial Established", "receive_error Closing"}));
}

TEST_F(ends, ORD_05_the_last_handle_goes_in_a_handler) {
  listener_ = posix_bind();
  auto pre = to(loopback_remote(listener_.port()));
  std::promise<void> up;
  std::promise<void> ended;
  net_.spawn([&](caf::event_based_actor* self) -> caf::behavior {
    auto held = std::make_shared<connection>(initiate(pre, self));
    return {
        [=, &up](const ready& x) {
          receive(x.connection);
          *held = nullptr;
          up.set_value();
        },
        [=, &ended](const connection_error&) {
          ended.set_value();
          self->quit();
        },
        [](const receive_error&) {},
    };
  });
  peer_ = posix_accept(listener_);
  ASSERT_EQ(up.get_future().wait_for(10s), std::future_status::ready);
  peer_.reset();
  EXPECT_EQ(ended.get_future().wait_for(10s), std::future_status::ready);
}
