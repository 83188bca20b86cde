#include "taps/core/connection/handshake.hpp"

#include "taps/core/connection/connection_machine.hpp"
#include "taps/tests/core/connection/handshaking_framer.hpp"
#include "taps/tests/core/connection/played_protocol.hpp"

#include <gtest/gtest.h>

using namespace taps;
using namespace taps::testing;
using kind = connection_event::kind_type;

namespace {

/// A Connection that wins the race, and what it tells.
struct winner final : connection_host {
  winner() : machine(*this) {
    machine.configure(std::make_shared<transport_properties>(), establishment::initiate);
    static_cast<void>(machine.receive({.count = 10}));
  }
  void request_service() override {}
  void cancel_establishment() override {}
  void on_stream(std::unique_ptr<protocol>) override {}

  std::string events() {
    machine.service(time_point{});
    std::string result;
    while (!machine.events().empty()) {
      const auto x = machine.events().pop_front();
      const auto what = x.kind == kind::ready              ? "ready"
                        : x.kind == kind::received         ? "received " + x.data.str()
                        : x.kind == kind::received_partial ? "part " + x.data.str()
                        : x.kind == kind::receive_error
                            ? "error " + std::string{to_string(x.failure->reason())}
                        : x.kind == kind::connection_error
                            ? "connection_error " + std::string{to_string(x.failure->reason())}
                        : x.kind == kind::closed ? "closed"
                                                 : "other";
      result += result.empty() ? what : ", " + what;
    }
    return result;
  }

  connection_machine machine;
};

struct handshake_test : ::testing::Test, handshake_sink {
  handshake_test() : memory(pool) {}

  void on_handshake_done() override { ++done; }

  void make(std::vector<framer_factory> framers = {}, data_unit unit = data_unit::byte_stream) {
    tested = std::make_unique<handshake>(std::make_unique<channel>(framers, unit, memory),
                                         static_cast<handshake_sink&>(*this));
    auto instance = std::make_unique<played_protocol>(unit);
    below = instance.get();
    below->set_sink(tested->get().as_protocol_sink());
    tested->get().attach(std::move(instance));
  }

  /// Ends the handshake as a candidate does, before anybody else has the channel.
  std::unique_ptr<channel> take() {
    auto outcome = tested->take();
    tested.reset();
    return outcome ? std::move(*outcome) : nullptr;
  }

  buffer_pool pool;
  arena memory;
  std::unique_ptr<handshake> tested;
  played_protocol* below = nullptr;
  int done = 0;
};

const framer_factory shaking = [] { return std::make_unique<handshaking_framer>(); };

}  // namespace

TEST_F(handshake_test, ends_with_a_ready_channel) {
  make();
  EXPECT_FALSE(tested->done());
  below->sink->on_ready();
  EXPECT_TRUE(tested->done());
  EXPECT_EQ(done, 1);
  auto ready = take();
  ASSERT_TRUE(ready);
  EXPECT_TRUE(ready->ready());
}

TEST_F(handshake_test, ends_with_the_failure_of_the_protocol) {
  make();
  below->sink->on_failed({errc::protocol_failed, "refused"});
  below->sink->on_failed({errc::protocol_failed, "again"});
  EXPECT_EQ(done, 1);
  auto outcome = tested->take();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.failure().text(), "refused");
}

TEST_F(handshake_test, ends_when_the_peer_does) {
  make({shaking});
  below->sink->on_ready();
  below->data("h", true);
  EXPECT_EQ(done, 1);
  EXPECT_EQ(tested->take().failure().reason(), errc::connection_aborted);
}

TEST_F(handshake_test, ends_when_the_protocol_closes) {
  make({shaking});
  below->sink->on_ready();
  below->sink->on_closed();
  EXPECT_EQ(done, 1);
  EXPECT_EQ(tested->take().failure().reason(), errc::connection_aborted);
}

TEST_F(handshake_test, ends_with_the_failure_of_a_framer) {
  make({shaking});
  below->sink->on_ready();
  EXPECT_EQ(done, 0);
  below->data("no");
  EXPECT_EQ(done, 1);
  EXPECT_EQ(tested->take().failure().text(), "the peer said no");
}

TEST_F(handshake_test, ends_with_what_a_framer_threw) {
  make({[]() -> std::unique_ptr<framer> { throw 1; }});
  below->sink->on_ready();
  EXPECT_EQ(done, 1);
  EXPECT_EQ(tested->take().failure().reason(), errc::protocol_failed);
}

TEST_F(handshake_test, ends_when_a_framer_closes) {
  make({[] { return std::make_unique<closing_framer>(true); }});
  below->sink->on_ready();
  EXPECT_EQ(done, 1);
  auto outcome = tested->take();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.failure().reason(), errc::connection_aborted);
}

TEST_F(handshake_test, a_framer_that_closes_before_the_connection_takes_over_needs_no_stop) {
  make({[] { return std::make_unique<closing_framer>(); }});
  below->sink->on_ready();
  auto ready = take();
  below->data("c");
  winner connection;
  connection.machine.establish(std::move(ready));
  EXPECT_EQ(connection.events(), "ready");
  connection.machine.close();
  EXPECT_EQ(connection.events(), "error ConnectionClosed");
  EXPECT_EQ(below->calls, "close ");
}

TEST_F(handshake_test, framers_may_need_several_rounds) {
  make({shaking, shaking});
  below->sink->on_ready();
  EXPECT_EQ(below->wire, "hello");
  below->data("hi");
  EXPECT_EQ(below->wire, "hellookhello");
  EXPECT_EQ(done, 0);
  below->blocked = true;
  below->data("hi");
  EXPECT_EQ(done, 1);
  EXPECT_EQ(below->wire, "hellookhello");
}

TEST_F(handshake_test, what_comes_right_behind_the_handshake_is_not_lost) {
  make({shaking});
  below->sink->on_ready();
  below->data("hiab");
  auto ready = take();
  ASSERT_TRUE(ready);
  winner connection;
  connection.machine.establish(std::move(ready));
  EXPECT_EQ(connection.events(), "ready, received ab");
  EXPECT_EQ(below->wire, "hellook");
}

TEST_F(handshake_test, a_peer_that_finishes_right_behind_the_handshake_is_heard) {
  make({shaking});
  below->sink->on_ready();
  below->data("hia", true);
  auto ready = take();
  ASSERT_TRUE(ready);
  winner connection;
  connection.machine.establish(std::move(ready));
  EXPECT_EQ(connection.events(), "ready, received a, error NoMoreData");
}

TEST_F(handshake_test, a_peer_that_leaves_before_the_connection_takes_over_is_heard) {
  make();
  below->sink->on_ready();
  auto ready = take();
  // The handshake is gone, the channel on its way to the Connection.
  below->sink->on_writable();
  below->sink->on_failed({errc::connection_aborted, "reset by the peer"});
  winner connection;
  connection.machine.establish(std::move(ready));
  EXPECT_EQ(connection.events(),
            "ready, error ConnectionAborted, connection_error ConnectionAborted");
}

TEST_F(handshake_test, a_failure_between_ready_and_take_is_heard) {
  make();
  below->sink->on_ready();
  below->sink->on_failed({errc::connection_aborted, "reset by the peer"});
  EXPECT_EQ(done, 1);
  winner connection;
  connection.machine.establish(take());
  EXPECT_EQ(connection.events(),
            "ready, error ConnectionAborted, connection_error ConnectionAborted");
}

TEST_F(handshake_test, a_connection_closed_early_takes_over_all_the_same) {
  make({shaking});
  below->sink->on_ready();
  below->data("hia", true);
  winner connection;
  connection.machine.close();
  connection.machine.establish(take());
  EXPECT_EQ(connection.events(), "closed");
}
