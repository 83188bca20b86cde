// Simultaneous open, in simulated time: two lists and what is between them.

#include "taps/core/base/random.hpp"
#include "taps/core/rendezvous/opening_list.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <set>

using namespace taps;
using namespace std::chrono_literals;

namespace {

using kind = opening_action::kind_type;

socket_address at(const std::string& text, std::uint16_t port) {
  return {*ip_address::parse(text), port};
}

class opening_test : public ::testing::Test {
protected:
  const socket_address mine_ = at("192.0.2.1", 1000);
  const socket_address other_mine_ = at("2001:db8::1", 1000);
  const socket_address theirs_ = at("192.0.2.2", 2000);
  const socket_address other_theirs_ = at("2001:db8::2", 2000);
  const meeting_pair pair_{0, theirs_};
  const meeting_pair other_pair_{1, other_theirs_};
  opening_list one_{{mine_}, {theirs_}, {pair_}};
  opening_list two_{{mine_, other_mine_}, {theirs_, other_theirs_}, {pair_, other_pair_}};
  time_point now_{};

  static error refused() { return {errc::establishment_failed, "refused"}; }

  static std::vector<kind> kinds(const opening_actions& x) {
    std::vector<kind> result;
    for (const auto& y : x)
      result.push_back(y.kind);
    return result;
  }
};

}  // namespace

TEST_F(opening_test, a_call_that_gets_through_is_it) {
  EXPECT_EQ(kinds(one_.on_start(now_)), std::vector{kind::call});
  const auto out = one_.on_open(now_, pair_);
  EXPECT_EQ(kinds(out), std::vector{kind::met});
  EXPECT_EQ(out[0].pair, pair_);
  EXPECT_FALSE(one_.next_deadline());
}

TEST_F(opening_test, who_is_called_first_needs_no_call) {
  one_.on_start(now_);
  EXPECT_EQ(kinds(one_.on_call(now_, pair_)), std::vector{kind::met});
}

TEST_F(opening_test, refusals_are_waited_out) {
  one_.on_start(now_);
  std::vector<duration> calls;
  while (!one_.over()) {
    one_.on_failed(now_, pair_, refused());
    now_ = *one_.next_deadline();
    const auto out = one_.on_timer(now_);
    if (!out.empty() && out[0].kind == kind::call)
      calls.push_back(now_.time_since_epoch());
    if (one_.over()) {
      EXPECT_EQ(out.back().kind, kind::failed);
      EXPECT_EQ(out.back().reason.text(), "the peer was not met: refused");
    }
  }
  EXPECT_EQ(now_.time_since_epoch(), 40s);
  ASSERT_GT(calls.size(), 5u);
  EXPECT_EQ(calls[0], 100ms);
  EXPECT_EQ(calls[1], 300ms);
  EXPECT_EQ(calls[5] - calls[4], 1s);
}

TEST_F(opening_test, pairs_take_turns_and_the_first_success_ends_calling) {
  EXPECT_EQ(two_.on_start(now_).size(), 1u);
  EXPECT_EQ(two_.next_deadline(), now_ + 250ms);
  EXPECT_TRUE(two_.on_open(now_, pair_).empty()) << "the other may come yet";
  EXPECT_EQ(two_.next_deadline(), now_ + 250ms);
  const auto out = two_.on_timer(now_ + 250ms);
  EXPECT_EQ(kinds(out), std::vector{kind::met});
}

TEST_F(opening_test, a_stream_that_breaks_meanwhile_is_not_chosen) {
  two_.on_start(now_);
  two_.on_open(now_, pair_);
  two_.on_call(now_, other_pair_);
  two_.on_failed(now_, pair_, refused());
  const auto out = two_.on_timer(now_ + 250ms);
  EXPECT_EQ(kinds(out), std::vector{kind::met});
  EXPECT_EQ(out[0].pair, other_pair_);
}

TEST_F(opening_test, with_none_left_calls_go_on) {
  two_.on_start(now_);
  two_.on_open(now_, pair_);
  two_.on_failed(now_, pair_, refused());
  EXPECT_EQ(kinds(two_.on_timer(now_ + 250ms)), (std::vector{kind::call, kind::call}));
}

TEST_F(opening_test, strangers_are_hung_up_on) {
  one_.on_start(now_);
  EXPECT_EQ(kinds(one_.on_call(now_, {0, at("192.0.2.66", 2000)})), std::vector{kind::hang_up});
  EXPECT_FALSE(one_.over());
  // The peer may have taken any port.
  EXPECT_TRUE(one_.on_call(now_, {0, at("192.0.2.2", 4444)}).empty());
  now_ += 250ms;
  const auto out = one_.on_timer(now_);
  EXPECT_EQ(kinds(out), (std::vector{kind::hang_up, kind::met}));
  EXPECT_EQ(out[1].pair.remote.port, 4444);
}

TEST_F(opening_test, a_flood_of_callers_is_bounded) {
  one_.on_start(now_);
  std::size_t refusals = 0;
  for (std::uint16_t port = 1; port <= 100; ++port)
    refusals += one_.on_call(now_, {0, at("192.0.2.2", port)}).size();
  EXPECT_EQ(refusals, 84u);
}

// -- both sides -----------------------------------------------------------------------------------

/// Two lists over a network where calls take their time, cross each other and are refused. Whatever
/// happens, both keep the same stream.
TEST(opening_property, both_sides_choose_the_same_stream) {
  for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    random_source random{seed};
    const std::array addresses{
        std::array{at("192.0.2.1", 1000), at("2001:db8::1", 1000), at("192.0.2.3", 1000)},
        std::array{at("192.0.2.2", 2000), at("2001:db8::2", 2000), at("192.0.2.4", 2000)}};
    struct node {
      std::unique_ptr<opening_list> list;
      std::vector<meeting_pair> pairs;
      time_point starts{};
      bool started = false;
      std::optional<meeting_pair> met;
    };
    struct event {
      time_point due;
      std::function<void()> what;
      bool operator<(const event& x) const { return x.due < due; }
    };
    std::array<node, 2> nodes;
    std::priority_queue<event> queue;
    time_point now{};
    const duration delay = 1us * (100 + random.below(60000));
    /// Pairs that have a stream, or had one: by the numbers of both addresses.
    std::set<std::pair<std::size_t, std::size_t>> streams;

    for (std::size_t i = 0; i < 2; ++i) {
      for (std::size_t base = 0; base < 3; ++base)
        for (std::size_t peer = 0; peer < 3; ++peer)
          if ((base == 1) == (peer == 1))
            nodes[i].pairs.push_back({base, addresses[1 - i][peer]});
      for (std::size_t k = nodes[i].pairs.size(); k > 1; --k)
        std::swap(nodes[i].pairs[k - 1], nodes[i].pairs[random.below(k)]);
      nodes[i].list = std::make_unique<opening_list>(
          std::vector(addresses[i].begin(), addresses[i].end()),
          std::vector(addresses[1 - i].begin(), addresses[1 - i].end()), nodes[i].pairs);
    }
    nodes[1].starts = now + 1ms * random.below(3000);
    const auto number_of = [&](std::size_t side, const socket_address& x) {
      return static_cast<std::size_t>(std::ranges::find(addresses[side], x) -
                                      addresses[side].begin());
    };
    // The stream of a pair, seen from the other side.
    const auto mirrored = [&](std::size_t side, const meeting_pair& x) {
      return meeting_pair{number_of(1 - side, x.remote), addresses[side][x.base]};
    };
    std::function<void(std::size_t, const opening_actions&)> perform =
        [&](std::size_t side, const opening_actions& actions) {
          for (const auto& x : actions) {
            const auto there =
                mirrored(side, x.kind == kind::failed ? nodes[side].pairs[0] : x.pair);
            const auto other = 1 - side;
            if (x.kind == kind::met)
              nodes[side].met = x.pair;
            else if (x.kind == kind::hang_up)
              queue.push({now + delay, [&, there, other] {
                            perform(other, nodes[other].list->on_failed(
                                               now, there, {errc::connection_aborted, "reset"}));
                          }});
            else if (x.kind == kind::call)
              queue.push({now + delay, [&, there, other, side, pair = x.pair] {
                            const auto up = nodes[other].started && !nodes[other].list->over();
                            const auto key = side == 0 ? std::pair{pair.base, there.base}
                                                       : std::pair{there.base, pair.base};
                            if (up && streams.insert(key).second)
                              perform(other, nodes[other].list->on_call(now, there));
                            queue.push(
                                {now + delay, [&, side, pair, up] {
                                   auto& list = *nodes[side].list;
                                   perform(side,
                                           up ? list.on_open(now, pair)
                                              : list.on_failed(now, pair,
                                                               {errc::establishment_failed, "no"}));
                                 }});
                          }});
          }
        };
    while (now < time_point{} + 60s && !(nodes[0].met && nodes[1].met)) {
      deadline next = queue.empty() ? deadline{} : queue.top().due;
      for (auto& x : nodes)
        next = sooner(next, x.started ? x.list->next_deadline() : x.starts);
      if (!next)
        break;
      now = std::max(now, *next);
      for (std::size_t i = 0; i < 2; ++i)
        if (!nodes[i].started && nodes[i].starts <= now) {
          nodes[i].started = true;
          perform(i, nodes[i].list->on_start(now));
        } else if (nodes[i].started) {
          perform(i, nodes[i].list->on_timer(now));
        }
      while (!queue.empty() && queue.top().due <= now) {
        const auto what = queue.top().what;
        queue.pop();
        what();
      }
    }
    ASSERT_TRUE(nodes[0].met);
    ASSERT_TRUE(nodes[1].met);
    ASSERT_EQ(mirrored(0, *nodes[0].met), *nodes[1].met);
  }
}
