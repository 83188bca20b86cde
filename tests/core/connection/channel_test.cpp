#include "taps/core/connection/channel.hpp"

#include "taps/core/message/framers/length_prefix.hpp"
#include "taps/tests/core/connection/handshaking_framer.hpp"
#include "taps/tests/core/connection/played_protocol.hpp"

#include <gtest/gtest.h>

using namespace taps;
using namespace taps::testing;

namespace {

/// Writes down in words what the channel tells.
struct log_sink final : channel_sink {
  void on_channel_ready() override { add("ready"); }
  void on_channel_writable() override { add("writable"); }
  void on_channel_data(const message_context& context, slice data, bool end) override {
    add((end ? "message " : "part ") + data.str());
    contexts.push_back(context);
  }
  void on_channel_broken_message(error reason) override { add("broken", reason); }
  void on_channel_end(error failure) override { add("end", failure); }
  void on_channel_stopped() override { add("stopped"); }
  void on_channel_stream(std::unique_ptr<protocol> x) override { add(x ? "stream" : "nothing"); }
  void on_channel_soft_error(error reason) override { add("soft", reason); }
  void on_channel_path_change() override { add("path"); }
  void on_channel_closed() override { add("closed"); }
  void on_channel_failed(error reason) override { add("failed", reason); }

  void add(std::string what, const error& reason = {}) {
    if (reason)
      what += " " + std::string{to_string(reason.reason())};
    text += text.empty() ? what : ", " + what;
  }

  /// Returns what was told since the last call.
  std::string take() { return std::exchange(text, {}); }

  std::string text;
  std::vector<message_context> contexts;
};

struct channel_test : ::testing::Test {
  channel_test() : memory(pool) {}

  static early_message early(std::string_view text) { return {slice::copy_of(text), {}}; }

  void make(std::vector<framer_factory> framers = {}, data_unit unit = data_unit::byte_stream) {
    tested.emplace(framers, unit, memory);
    tested->set_sink(heard);
    auto instance = std::make_unique<played_protocol>(unit);
    below = instance.get();
    below->set_sink(tested->as_protocol_sink());
    tested->attach(std::move(instance));
  }

  /// Gets the channel ready without framers that shake hands.
  void make_ready(std::vector<framer_factory> framers = {},
                  data_unit unit = data_unit::byte_stream) {
    make(std::move(framers), unit);
    below->sink->on_ready();
    ASSERT_EQ(heard.take(), "ready");
  }

  buffer_pool pool;
  arena memory;
  log_sink heard;
  std::optional<channel> tested;
  played_protocol* below = nullptr;
};

const framer_factory shaking = [] { return std::make_unique<handshaking_framer>(); };

}  // namespace

// -- ready ----------------------------------------------------------------------------------

TEST_F(channel_test, without_framers_the_protocol_makes_ready) {
  make();
  EXPECT_FALSE(tested->ready());
  below->sink->on_ready();
  EXPECT_TRUE(tested->ready());
  EXPECT_EQ(heard.take(), "ready");
  EXPECT_EQ(below->demands, "");
}

TEST_F(channel_test, an_accepted_instance_is_ready_when_it_comes) {
  tested.emplace(std::vector<framer_factory>{}, data_unit::byte_stream, memory);
  tested->set_sink(heard);
  auto instance = std::make_unique<played_protocol>();
  below = instance.get();
  tested->attach_ready(std::move(instance));
  EXPECT_EQ(heard.take(), "ready");
  below->data("a");
  EXPECT_EQ(heard.take(), "part a");
}

TEST_F(channel_test, FRM_03_framers_shake_hands_with_demand_of_their_own) {
  make({shaking});
  EXPECT_EQ(below->wire, "");
  below->sink->on_ready();
  EXPECT_EQ(below->wire, "hello");
  EXPECT_EQ(below->demands, "+");
  EXPECT_FALSE(tested->ready());
  below->data("h");
  EXPECT_EQ(heard.take(), "");
  below->data("i");
  // What a framer says by itself makes the channel's user flush.
  EXPECT_EQ(heard.take(), "ready, writable");
  tested->flush();
  EXPECT_EQ(below->wire, "hellook");
  EXPECT_EQ(below->demands, "+-");
}

TEST_F(channel_test, a_framer_may_fail_before_ready) {
  make({shaking});
  below->sink->on_ready();
  below->data("nope");
  EXPECT_EQ(heard.take(), "failed ProtocolFailed");
  EXPECT_FALSE(tested->ready());
  below->data("hi");
  EXPECT_EQ(heard.take(), "");
}

TEST_F(channel_test, a_stack_of_shaking_framers_starts_from_below) {
  make({shaking, shaking});
  below->sink->on_ready();
  below->data("hi");
  EXPECT_EQ(heard.take(), "writable");
  tested->flush();
  EXPECT_EQ(below->wire, "hellookhello");
  below->data("hi");
  EXPECT_EQ(heard.take(), "ready, writable");
}

// -- data -----------------------------------------------------------------------------------

TEST_F(channel_test, nothing_is_flushed_before_the_protocol_is_ready) {
  make();
  ASSERT_TRUE(tested->send(slice::copy_of(std::string_view{"early"}), {}, true));
  tested->flush();
  EXPECT_EQ(below->flushes, 0);
  below->sink->on_ready();
  EXPECT_EQ(below->wire, "early");
}

TEST_F(channel_test, demand_reaches_the_protocol_when_it_changes) {
  make_ready();
  tested->set_demand(true);
  tested->set_demand(true);
  tested->set_demand(false);
  EXPECT_EQ(below->demands, "+-");
}

TEST_F(channel_test, a_framer_answers_by_itself) {
  make({shaking});
  below->sink->on_ready();
  below->data("hi");
  tested->flush();
  heard.take();
  below->wire.clear();
  below->data("a?b");
  EXPECT_EQ(heard.take(), "message a, message b, writable");
  tested->flush();
  EXPECT_EQ(below->wire, "!");
}

TEST_F(channel_test, messages_know_their_endpoints_and_share_them) {
  make_ready({length_prefix({.width = 1})});
  below->data("\1a\1b");
  EXPECT_EQ(heard.take(), "message a, message b");
  EXPECT_EQ(heard.contexts[0].remote_endpoint().port, 2);
  EXPECT_EQ(heard.contexts[0].local_endpoint().port, 1);
  EXPECT_TRUE(heard.contexts[0] == heard.contexts[1]);
}

TEST_F(channel_test, what_is_special_about_a_packet_stays_with_it) {
  make_ready({}, data_unit::datagram);
  below->sink->on_data(slice::copy_of(std::string_view{"a"}), {.end_of_message = true, .ecn = 3});
  below->sink->on_data(slice::copy_of(std::string_view{"b"}),
                       {.end_of_message = true, .early_data = true});
  below->data("c");
  EXPECT_EQ(heard.take(), "message a, message b, message c");
  EXPECT_EQ(heard.contexts[0].ecn(), 3);
  EXPECT_FALSE(heard.contexts[0].early_data());
  EXPECT_EQ(heard.contexts[1].ecn(), std::nullopt);
  EXPECT_TRUE(heard.contexts[1].early_data());
  EXPECT_FALSE(heard.contexts[2].early_data());
  EXPECT_EQ(heard.contexts[2].remote_endpoint().port, 2);
}

TEST_F(channel_test, an_empty_datagram_is_a_message) {
  make_ready({}, data_unit::datagram);
  below->data("");
  EXPECT_EQ(heard.take(), "message ");
}

TEST_F(channel_test, a_broken_datagram_spoils_no_other) {
  make_ready({length_prefix({.width = 1})}, data_unit::datagram);
  below->data("\5ab");
  below->data("\1a");
  below->data("\1b\1");
  below->data("\1c");
  EXPECT_EQ(heard.take(), "part ab, broken DeframingFailed, message a, message b, "
                          "broken DeframingFailed, message c");
}

// -- the end --------------------------------------------------------------------------------

TEST_F(channel_test, the_end_is_told_once) {
  make_ready();
  below->data("a", true);
  below->data("", true);
  EXPECT_EQ(heard.take(), "part a, end");
  // There is nothing to demand any more.
  tested->set_demand(true);
  EXPECT_EQ(below->demands, "");
}

TEST_F(channel_test, FRM_11_the_end_in_a_frame_is_an_error) {
  make_ready({length_prefix()});
  below->data(std::string_view{"\0\0\0\5ab", 6}, true);
  EXPECT_EQ(heard.take(), "part ab, end DeframingFailed");
}

TEST_F(channel_test, the_end_in_a_header_is_an_error) {
  make_ready({length_prefix()});
  below->data(std::string_view{"\0\0", 2}, true);
  EXPECT_EQ(heard.take(), "end DeframingFailed");
}

TEST_F(channel_test, FRM_06_framers_say_good_bye) {
  make({shaking});
  below->sink->on_ready();
  below->data("hi");
  tested->flush();
  heard.take();
  tested->stop_framers();
  EXPECT_EQ(heard.take(), "stopped");
  tested->flush();
  EXPECT_EQ(below->wire, "hellookbye");
  tested->close();
  EXPECT_EQ(below->calls, "close ");
  below->sink->on_closed();
  EXPECT_EQ(heard.take(), "closed");
}

TEST_F(channel_test, without_framers_stopping_takes_no_time) {
  make_ready();
  tested->stop_framers();
  EXPECT_EQ(heard.take(), "stopped");
}

// -- between two sinks ------------------------------------------------------------------------

TEST_F(channel_test, without_a_sink_all_is_kept_in_order) {
  make_ready({length_prefix({.width = 1})});
  tested->drop_sink();
  below->sink->on_soft_error({errc::protocol_failed, "soft"});
  below->data("\1a\2bc");
  below->sink->on_path_change();
  below->sink->on_inbound_stream(std::make_unique<played_protocol>());
  below->sink->on_writable();
  below->data("\5d", true);
  below->sink->on_closed();
  EXPECT_EQ(heard.take(), "");
  log_sink next;
  tested->set_sink(next);
  tested->tell_kept();
  EXPECT_EQ(next.take(), "soft ProtocolFailed, message a, message bc, path, stream, part d, "
                         "end DeframingFailed, closed");
  EXPECT_EQ(next.contexts[0].remote_endpoint().port, 2);
  tested->tell_kept();
  EXPECT_EQ(next.take(), "");
}

TEST_F(channel_test, a_framer_that_closes_without_a_sink_is_kept) {
  make_ready({[] { return std::make_unique<closing_framer>(); }});
  tested->drop_sink();
  below->data("c");
  log_sink next;
  tested->set_sink(next);
  tested->tell_kept();
  EXPECT_EQ(next.take(), "stopped");
}

TEST_F(channel_test, an_early_message_waits_for_the_winner) {
  make();
  auto* offered = tested->offer_early(early("question"));
  ASSERT_NE(offered, nullptr);
  EXPECT_EQ(offered->bytes(), 8u);
  offered->consume(3);
  below->sink->on_ready();
  tested->flush();
  EXPECT_EQ(below->wire, "") << "nobody has won yet";
  EXPECT_TRUE(tested->adopt_early());
  EXPECT_FALSE(tested->adopt_early());
  tested->flush();
  EXPECT_EQ(below->wire, "stion");
}

TEST_F(channel_test, framers_speak_first) {
  make({length_prefix()});
  EXPECT_EQ(tested->offer_early(early("question")), nullptr);
  EXPECT_FALSE(tested->adopt_early());
}

TEST_F(channel_test, a_failure_without_a_sink_is_kept) {
  make_ready();
  tested->drop_sink();
  below->sink->on_failed({errc::connection_aborted, "reset"});
  log_sink next;
  tested->set_sink(next);
  tested->tell_kept();
  EXPECT_EQ(next.take(), "failed ConnectionAborted");
}
