// The machine over a protocol that the test plays: every rule without a socket.

#include "taps/core/base/random.hpp"
#include "taps/core/connection/connection_machine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>

using namespace taps;
using namespace std::chrono_literals;
using kind = connection_event::kind_type;

namespace {

const transport_descriptor stream_descriptor{
    .name = "played",
    .unit = data_unit::byte_stream,
    .runs_over = {},
    .features = feature_vector{}
                    .set(feature::reliability, support::always)
                    .set(feature::preserve_order, support::always)
                    .set(feature::replay_protection, support::always),
    .honours = {},
    .remarks = {},
    .specific = {},
};

/// A byte stream of which the test decides how much goes out and what comes in.
struct played final : protocol {
  played(std::string& wire_of_stage, std::size_t& room_of_stage, int& closes_of_stage)
      : wire(wire_of_stage), room(room_of_stage), closes(closes_of_stage) {}

  void set_sink(protocol_sink& x) noexcept override { sink = &x; }
  void flush(outbound_queue& queue) override {
    std::size_t taken = 0;
    for (const auto& piece : queue.pieces()) {
      const auto n = std::min(room, piece.data.size());
      wire += piece.data.view().substr(0, n);
      room -= n;
      taken += n;
      if (n < piece.data.size())
        break;
    }
    queue.consume(taken);
  }
  void set_demand(bool wanted) override { demand = wanted; }
  void close() override { ++closes; }
  void abort() override { ++closes; }
  const transport_descriptor& descriptor() const noexcept override { return stream_descriptor; }
  socket_address local() const override { return {}; }
  socket_address remote() const override { return {}; }
  message_limits limits() const override { return {std::nullopt, 1000, 1000}; }
  result<void> set_property(property_id id, const property_value&) override {
    if (id == property_id::keep_alive_timeout)
      return {errc::not_supported, "keepAliveTimeout: not here"};
    return {};
  }

  std::string& wire;
  std::size_t& room;
  int& closes;
  protocol_sink* sink = nullptr;
  bool demand = false;
};

struct stage : connection_host {
  stage() : memory(pool), machine(*this) {
    machine.configure(std::make_shared<transport_properties>(), establishment::initiate);
  }

  void request_service() override {}
  void cancel_establishment() override { ++cancels; }
  void on_stream(std::unique_ptr<protocol>) override {}

  /// `early` is what the candidate was given, of which `taken` bytes went with the handshake.
  void establish(const early_message* early = nullptr, std::size_t taken = 0) {
    auto made =
        std::make_unique<channel>(std::vector<framer_factory>{}, data_unit::byte_stream, memory);
    auto instance = std::make_unique<played>(wire, room, closes);
    below = instance.get();
    struct : channel_sink {
      void on_channel_ready() override {}
      void on_channel_writable() override {}
      void on_channel_data(const message_context&, slice, bool) override {}
      void on_channel_broken_message(error) override {}
      void on_channel_end(error) override {}
      void on_channel_stopped() override {}
      void on_channel_stream(std::unique_ptr<protocol>) override {}
      void on_channel_soft_error(error) override {}
      void on_channel_path_change() override {}
      void on_channel_closed() override {}
      void on_channel_failed(error) override {}
    } nobody;
    made->set_sink(nobody);
    if (early != nullptr)
      made->offer_early(*early)->consume(taken);
    made->attach_ready(std::move(instance));
    machine.establish(std::move(made));
  }

  void send(std::string_view text) {
    static_cast<void>(machine.send({slice::copy_of(text), {}, true, true, false}));
  }

  /// As InitiateWithSend does.
  void send_first(std::string_view text, message_context context) {
    static_cast<void>(machine.send({slice::copy_of(text), std::move(context), true, true, true}));
  }

  /// Services and returns the events as text.
  std::string events() {
    machine.service(now);
    std::string result;
    while (!machine.events().empty()) {
      static constexpr const char* names[]{"ready",      "establishment_error",
                                           "sent",       "expired",
                                           "send_error", "received",
                                           "partial",    "receive_error",
                                           "soft_error", "path",
                                           "closed",     "connection_error"};
      const auto event = machine.events().pop_front();
      result +=
          (result.empty() ? "" : " ") + std::string{names[static_cast<std::size_t>(event.kind)]};
      terminal += is_terminal(event.kind) ? 1 : 0;
      told.push_back(event.kind);
    }
    return result;
  }

  buffer_pool pool;
  arena memory;
  std::string wire;
  std::size_t room = 1 << 20;
  int closes = 0;
  int cancels = 0;
  int terminal = 0;
  std::vector<kind> told;
  time_point now = time_point{} + 1h;
  played* below = nullptr;
  connection_machine machine;
};

}  // namespace

TEST(connection_machine, sends_wait_for_ready_and_keep_their_order) {
  stage x;
  x.send("a");
  x.send("b");
  EXPECT_EQ(x.events(), "");
  x.establish();
  EXPECT_EQ(x.events(), "ready sent sent");
  EXPECT_EQ(x.wire, "ab");
}

TEST(connection_machine, sent_comes_when_the_kernel_has_it_all) {
  stage x;
  x.establish();
  x.room = 3;
  x.send("abcd");
  EXPECT_EQ(x.events(), "ready");
  EXPECT_EQ(x.machine.queued_bytes(), 1u);
  x.room = 1;
  x.below->sink->on_writable();
  EXPECT_EQ(x.events(), "sent");
}

TEST(connection_machine, what_went_with_the_handshake_completes_once) {
  stage s;
  s.send_first("question", message_context{}.with_safely_replayable());
  const auto early = s.machine.early();
  ASSERT_TRUE(early);
  s.send("more");
  s.establish(early.get(), 5);
  EXPECT_EQ(s.events(), "ready sent sent");
  EXPECT_EQ(s.wire, "ionmore");
}

TEST(connection_machine, all_of_it_may_have_gone_with_the_handshake) {
  stage s;
  s.send_first("question", message_context{}.with_safely_replayable());
  s.establish(s.machine.early().get(), 8);
  EXPECT_EQ(s.events(), "ready sent");
  EXPECT_EQ(s.wire, "");
}

TEST(connection_machine, what_must_arrive_once_or_ends_the_stream_does_not_go_early) {
  stage s;
  EXPECT_FALSE(s.machine.early());
  s.send_first("question", {});
  EXPECT_FALSE(s.machine.early());
  stage t;
  t.send_first("question", message_context{}.with_safely_replayable().with_final());
  EXPECT_FALSE(t.machine.early());
}

TEST(connection_machine, demand_follows_receives) {
  stage x;
  x.establish();
  x.events();
  EXPECT_FALSE(x.below->demand);
  static_cast<void>(x.machine.receive({}));
  x.events();
  EXPECT_TRUE(x.below->demand);
  x.below->sink->on_data(slice::copy_of(std::string_view{"x"}), {});
  EXPECT_EQ(x.events(), "partial");
  EXPECT_FALSE(x.below->demand);
}

TEST(connection_machine, close_while_establishing_sends_first) {
  stage x;
  x.send("a");
  x.machine.close();
  EXPECT_EQ(x.machine.state(), connection_state::establishing);
  x.establish();
  EXPECT_EQ(x.events(), "ready sent");
  EXPECT_EQ(x.closes, 1);
  x.below->sink->on_closed();
  EXPECT_EQ(x.events(), "closed");
}

TEST(connection_machine, a_flush_without_progress_ends) {
  stage x;
  x.establish();
  x.room = 0;
  x.send("a");
  x.machine.close();
  EXPECT_EQ(x.events(), "ready");
  ASSERT_TRUE(x.machine.next_deadline());
  EXPECT_EQ(*x.machine.next_deadline(), x.now + connection_machine::flush_limit);
  x.now = *x.machine.next_deadline() - 1ms;
  EXPECT_EQ(x.events(), "");
  x.now += 1ms;
  EXPECT_EQ(x.events(), "send_error connection_error");
}

TEST(connection_machine, progress_extends_the_patience) {
  stage x;
  x.establish();
  x.room = 0;
  x.send("ab");
  x.machine.close();
  x.events();
  x.now += connection_machine::flush_limit - 1ms;
  x.room = 1;
  EXPECT_EQ(x.events(), "");
  EXPECT_EQ(*x.machine.next_deadline(), x.now + connection_machine::flush_limit);
}

TEST(connection_machine, failure_answers_everything_first) {
  stage x;
  x.establish();
  x.room = 0;
  x.send("a");
  static_cast<void>(x.machine.receive({.count = 5}));
  x.events();
  x.below->sink->on_failed({errc::connection_aborted, "reset"});
  EXPECT_EQ(x.events(), "send_error receive_error connection_error");
}

// Any sequence of commands and protocol events: one terminal event, nothing after it, one event per
// Send, and always a way on.
TEST(connection_machine, any_sequence_ends_once) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  const int sequences = 10000;
#else
  const int sequences = 100000;
#endif
  const auto* given = std::getenv("TAPLINE_SEED");
  const auto seed = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "TAPLINE_SEED=" << seed << "\n";
  random_source random{seed};
  inbound_info end_of_stream;
  end_of_stream.end_of_message = true;
  end_of_stream.final = true;
  for (int n = 0; n < sequences; ++n) {
    stage x;
    int sends = 0;
    bool established = false;
    bool gone = false;
    for (auto left = random.below(20); left > 0; --left) {
      switch (random.below(12)) {
      case 0:
        if (!established && !x.machine.ended()) {
          x.establish();
          established = true;
        }
        break;
      case 1:
        if (!established && !x.machine.ended())
          x.machine.establishment_failed({errc::establishment_failed, "none"});
        break;
      case 2:
        sends += x.machine.ended() ? 0 : 1;
        x.send("message");
        break;
      case 3:
        static_cast<void>(x.machine.receive({.count = 1 + random.below(3)}));
        break;
      case 4:
        x.machine.close();
        break;
      case 5:
        if (random.below(4) == 0)
          x.machine.abort({errc::local_abort, "test"});
        break;
      case 6:
        x.room = random.below(20);
        break;
      case 7:
        if (established && !gone && x.below->demand)
          x.below->sink->on_data(slice::copy_of(std::string_view{"data"}), {});
        break;
      case 8:
        if (established && !gone && x.below->demand)
          x.below->sink->on_data({}, {.end_of_message = true, .final = true});
        break;
      case 9:
        if (established && !gone && random.below(4) == 0) {
          gone = true;
          x.below->sink->on_failed({errc::connection_aborted, "reset"});
        }
        break;
      case 10:
        if (established && !gone && x.closes > 0) {
          gone = true;
          x.below->sink->on_closed();
        }
        break;
      default:
        x.now += std::chrono::seconds{random.below(20)};
        x.events();
      }
    }
    // Whatever happened, an end can be had: close, and let time or the peer do the rest.
    if (!established && !x.machine.ended())
      x.establish();
    x.machine.close();
    x.events();
    for (int i = 0; i < 100 && !x.machine.ended(); ++i) {
      if (x.closes > 0 && !gone) {
        gone = true;
        x.below->sink->on_closed();
      } else {
        ASSERT_TRUE(x.machine.next_deadline()) << "nothing moves, sequence " << n;
        x.now = *x.machine.next_deadline();
      }
      x.events();
    }
    x.events();
    ASSERT_EQ(x.terminal, 1) << "sequence " << n;
    ASSERT_TRUE(is_terminal(x.told.back())) << "sequence " << n;
    const auto answers = std::count_if(x.told.begin(), x.told.end(), [](kind k) {
      return k == kind::sent || k == kind::send_error;
    });
    ASSERT_EQ(answers, sends) << "sequence " << n;
  }
}

TEST(connection_machine, what_was_set_too_early_to_be_refused_is_taken_back_and_told) {
  stage s;
  const auto before = s.machine.properties().get(property_id::keep_alive_timeout);
  ASSERT_TRUE(s.machine.set_property("keepAliveTimeout", duration{5s}));
  ASSERT_TRUE(s.machine.set_property("connPriority", std::int64_t{7}));
  s.establish();
  EXPECT_EQ(s.events(), "ready soft_error");
  EXPECT_EQ(s.machine.properties().get(property_id::keep_alive_timeout), before);
  EXPECT_EQ(s.machine.properties().get(property_id::conn_priority),
            property_value{std::int64_t{7}});
}
