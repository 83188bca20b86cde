// The checks of ICE, in simulated time, over a simulated network with NATs, loss and delay.

#include "taps/core/base/random.hpp"
#include "taps/core/rendezvous/check_list.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <queue>

using namespace taps;
using namespace std::chrono_literals;

namespace {

socket_address at(const std::string& text, std::uint16_t port) {
  return {*ip_address::parse(text), port};
}

/// How a NAT maps and filters (RFC 4787).
enum class nat_type { none, full_cone, address_restricted, port_restricted, symmetric };

std::string to_string(nat_type x) {
  const char* const names[] = {"none", "full_cone", "address_restricted", "port_restricted",
                               "symmetric"};
  return names[static_cast<int>(x)];
}

/// One host, maybe behind a NAT, with one check list.
struct host {
  host(nat_type type, std::string private_address, std::string public_address)
      : nat(type), base(at(private_address, 5000)), outside(std::move(public_address)) {}

  /// The address by which packets to `to` leave the NAT.
  socket_address map(const socket_address& to) {
    if (nat == nat_type::none)
      return base;
    const auto key = nat == nat_type::symmetric ? to : socket_address{};
    auto& port = ports[key];
    if (port == 0)
      port = next_port++;
    contacted[port].push_back(to);
    return at(outside, port);
  }

  bool lets_in(const socket_address& from, std::uint16_t port) {
    const auto i = contacted.find(port);
    if (i == contacted.end())
      return false;
    return std::ranges::any_of(i->second, [&](const socket_address& x) {
      return nat == nat_type::full_cone ||
             (x.address == from.address &&
              (nat == nat_type::address_restricted || x.port == from.port));
    });
  }

  nat_type nat;
  socket_address base;
  std::string outside;
  std::map<socket_address, std::uint16_t> ports;
  std::map<std::uint16_t, std::vector<socket_address>> contacted;
  std::uint16_t next_port = 40000;
  std::unique_ptr<check_list> list;
  time_point starts{};
  bool started = false;
  std::vector<check_action> terminal;
  std::size_t sent = 0;
};

class network_test : public ::testing::Test {
protected:
  struct packet {
    time_point due;
    std::size_t number;
    socket_address from;
    socket_address to;
    std::vector<std::byte> data;
    bool operator<(const packet& x) const {
      return std::tie(x.due, x.number) < std::tie(due, number);
    }
  };

  host& add(nat_type type, std::string inside, std::string outside = {}) {
    hosts_.push_back(std::make_unique<host>(type, std::move(inside), std::move(outside)));
    return *hosts_.back();
  }

  /// What the host may tell its peer: its own address, and the one a STUN server saw.
  std::vector<socket_address> candidates(host& x) {
    std::vector<socket_address> result{x.base};
    if (x.nat != nat_type::none)
      result.push_back(x.map(at("192.0.2.250", 3478)));
    return result;
  }

  void give_list(host& to, std::vector<socket_address> remotes) {
    std::vector<meeting_pair> pairs;
    for (const auto& x : remotes)
      pairs.push_back({0, x});
    to.list = std::make_unique<check_list>(std::vector{to.base}, remotes, pairs,
                                           [this] { return random_(); });
  }

  void introduce(host& a, host& b) {
    const auto of_a = candidates(a);
    const auto of_b = candidates(b);
    give_list(a, of_b);
    give_list(b, of_a);
  }

  void send(host& who, const socket_address& to, const std::vector<std::byte>& data) {
    ++who.sent;
    if (random_.below(100) < loss_)
      return;
    packets_.push({now_ + delay_ + 1us * random_.below(2000), ++number_, who.map(to), to, data});
  }

  void perform(host& who, const check_actions& actions) {
    for (const auto& x : actions)
      if (x.kind == check_action::kind_type::send)
        send(who, x.pair.remote, x.data);
      else if (x.kind == check_action::kind_type::met || x.kind == check_action::kind_type::failed)
        who.terminal.push_back(x);
  }

  void deliver(const packet& x) {
    for (auto& who : hosts_) {
      const auto inside = who->nat == nat_type::none && who->base == x.to;
      const auto mapped = who->nat != nat_type::none && to_string(x.to.address) == who->outside &&
                          who->lets_in(x.from, x.to.port);
      if (!inside && !mapped)
        continue;
      if (who->list->over())
        answer_late(*who, x);
      else if (who->started)
        perform(*who, who->list->on_check(now_, 0, x.from, x.data));
    }
  }

  /// What the port does once its list is over.
  void answer_late(host& who, const packet& x) {
    const auto request = read_stun(x.data);
    if (!who.terminal.empty() && who.terminal[0].kind == check_action::kind_type::met && request &&
        request->what == stun_class::request)
      send(who, x.from, write_stun(answer_to(*request, x.from)));
  }

  void run() {
    const auto limit = now_ + 10min;
    while (now_ < limit) {
      deadline next = packets_.empty() ? deadline{} : packets_.top().due;
      for (auto& x : hosts_)
        next = sooner(next, x->started ? x->list->next_deadline() : x->starts);
      if (!next)
        return;
      now_ = std::max(now_, *next);
      for (auto& x : hosts_) {
        if (!x->started && x->starts <= now_) {
          x->started = true;
          perform(*x, x->list->on_start(now_));
        } else if (x->started) {
          perform(*x, x->list->on_timer(now_));
        }
      }
      while (!packets_.empty() && packets_.top().due <= now_) {
        const auto x = packets_.top();
        packets_.pop();
        deliver(x);
      }
    }
    FAIL() << "no end";
  }

  void expect_met(const host& a, const host& b) {
    for (const auto* x : {&a, &b}) {
      ASSERT_EQ(x->terminal.size(), 1u);
      EXPECT_EQ(x->terminal[0].kind, check_action::kind_type::met) << x->terminal[0].reason.text();
    }
    EXPECT_NE(a.list->controlling(), b.list->controlling());
  }

  random_source random_{1};
  std::uint64_t loss_ = 0;
  duration delay_ = 10ms;
  time_point now_{};
  std::size_t number_ = 0;
  std::priority_queue<packet> packets_;
  std::vector<std::unique_ptr<host>> hosts_;
};

using kind = check_action::kind_type;

}  // namespace

// -- who meets ----------------------------------------------------------------------------------

TEST_F(network_test, two_hosts_meet_within_some_round_trips) {
  auto& a = add(nat_type::none, "192.0.2.1");
  auto& b = add(nat_type::none, "192.0.2.2");
  introduce(a, b);
  run();
  expect_met(a, b);
  EXPECT_EQ(a.terminal[0].pair, (meeting_pair{0, b.base}));
  EXPECT_EQ(b.terminal[0].pair, (meeting_pair{0, a.base}));
  EXPECT_LT(now_.time_since_epoch(), 300ms);
}

TEST_F(network_test, every_pair_of_nats_that_can_meet_does) {
  const std::array all{nat_type::none, nat_type::full_cone, nat_type::address_restricted,
                       nat_type::port_restricted, nat_type::symmetric};
  for (const auto x : all)
    for (const auto y : all) {
      SCOPED_TRACE(to_string(x) + " and " + to_string(y));
      hosts_.clear();
      now_ = {};
      auto& a = add(x, "10.0.0.1", "198.51.100.1");
      auto& b = add(y, "10.0.0.2", "203.0.113.1");
      introduce(a, b);
      run();
      // Nobody can tell the port that a symmetric NAT will take, so nobody lets it in who looks at
      // ports.
      const auto hopeless = [](nat_type s, nat_type t) {
        return s == nat_type::symmetric &&
               (t == nat_type::symmetric || t == nat_type::port_restricted);
      };
      if (hopeless(x, y) || hopeless(y, x)) {
        ASSERT_EQ(a.terminal.size(), 1u);
        EXPECT_EQ(a.terminal[0].kind, kind::failed);
        EXPECT_EQ(a.terminal[0].reason.reason(), errc::establishment_failed);
      } else if (x != nat_type::none || y != nat_type::none) {
        expect_met(a, b);
      }
    }
}

TEST_F(network_test, the_peer_may_come_late) {
  auto& a = add(nat_type::port_restricted, "10.0.0.1", "198.51.100.1");
  auto& b = add(nat_type::port_restricted, "10.0.0.2", "203.0.113.1");
  introduce(a, b);
  b.starts = now_ + 20s;
  run();
  expect_met(a, b);
  EXPECT_LT(now_.time_since_epoch(), 21s) << "its own checks wake ours";
}

TEST_F(network_test, nobody_is_there) {
  auto& a = add(nat_type::none, "192.0.2.1");
  give_list(a, {at("192.0.2.2", 5000)});
  run();
  ASSERT_EQ(a.terminal.size(), 1u);
  EXPECT_EQ(a.terminal[0].kind, kind::failed);
  EXPECT_EQ(now_.time_since_epoch(), 39500ms) << "RFC 8489, section 6.2.1";
  EXPECT_EQ(a.sent, 7u);
}

TEST_F(network_test, any_schedule_ends_with_both_met_or_none_alone) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    random_ = random_source{seed};
    hosts_.clear();
    packets_ = {};
    now_ = {};
    loss_ = random_.below(4) * 15;
    delay_ = 1ms * (1 + random_.below(400));
    auto& a = add(static_cast<nat_type>(random_.below(4)), "10.0.0.1", "198.51.100.1");
    auto& b = add(static_cast<nat_type>(1 + random_.below(3)), "10.0.0.2", "203.0.113.1");
    introduce(a, b);
    b.starts = now_ + 1ms * random_.below(5000);
    run();
    ASSERT_EQ(a.terminal.size(), 1u);
    ASSERT_EQ(b.terminal.size(), 1u);
    if (loss_ < 30) {
      EXPECT_EQ(a.terminal[0].kind, kind::met);
      EXPECT_EQ(b.terminal[0].kind, kind::met);
    }
    EXPECT_LT(a.sent, 200u) << "no storm of checks";
  }
}

// -- roles and nomination ------------------------------------------------------------------------

TEST_F(network_test, the_better_pair_is_waited_for) {
  // Both of b's addresses lead to it; the first is better, and its check is lost at first.
  auto& a = add(nat_type::none, "192.0.2.1");
  auto& b = add(nat_type::none, "192.0.2.2");
  give_list(a, {at("192.0.2.9", 1), b.base});
  give_list(b, {a.base});
  run();
  expect_met(a, b);
  EXPECT_GT(now_.time_since_epoch(), a.list->controlling() ? 300ms : 0ms);
  EXPECT_LT(now_.time_since_epoch(), 500ms);
}

// -- strangers ------------------------------------------------------------------------------------

namespace {

class one_sided : public network_test {
protected:
  one_sided() {
    give_list(me_, {there_});
    check_ = me_.list->on_start(now_).back().data;
  }

  std::vector<std::byte> request(std::uint64_t tie, bool use = false) {
    stun_message x;
    x.transaction.fill(std::byte{9});
    x.controlling = tie;
    x.use_candidate = use;
    x.priority = 1;
    return write_stun(x);
  }

  check_actions hear(const socket_address& from, const std::vector<std::byte>& data) {
    return me_.list->on_check(now_, 0, from, data);
  }

  host& me_ = add(nat_type::none, "192.0.2.1");
  socket_address there_ = at("192.0.2.2", 5000);
  std::vector<std::byte> check_;
};

constexpr auto largest = ~std::uint64_t{0};

}  // namespace

TEST_F(one_sided, strangers_get_no_answer) {
  EXPECT_TRUE(hear(at("192.0.2.66", 5000), request(largest, true)).empty());
  EXPECT_TRUE(me_.list->on_data(now_, 0, at("192.0.2.66", 5000)).empty());
  EXPECT_TRUE(me_.list->on_data(now_, 0, at("192.0.2.2", 5001)).empty());
}

TEST_F(one_sided, the_answer_of_another_transaction_or_place_counts_for_nothing) {
  auto answer = answer_to(*read_stun(check_), me_.base);
  EXPECT_TRUE(hear(at("192.0.2.2", 5001), write_stun(answer)).empty());
  answer.transaction[0] ^= std::byte{1};
  EXPECT_TRUE(hear(there_, write_stun(answer)).empty());
  EXPECT_FALSE(me_.list->over());
}

TEST_F(one_sided, our_own_check_come_back_is_no_peer) { EXPECT_TRUE(hear(there_, check_).empty()); }

TEST_F(one_sided, a_message_of_the_peer_is_enough) {
  const auto out = me_.list->on_data(now_, 0, there_);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].kind, kind::met);
  EXPECT_EQ(out[0].pair, (meeting_pair{0, there_}));
}

TEST_F(one_sided, the_larger_number_controls) {
  // The smaller one is told so, and nothing else follows.
  const auto refused = hear(there_, request(0));
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(read_stun(refused[0].data)->error_code, 487);
  EXPECT_TRUE(me_.list->controlling());
  hear(there_, request(largest));
  EXPECT_FALSE(me_.list->controlling());
}

TEST_F(one_sided, a_refused_role_is_given_up_and_the_check_repeated) {
  auto refusal = answer_to(*read_stun(check_), me_.base);
  refusal.what = stun_class::error;
  refusal.mapped.reset();
  refusal.error_code = std::uint16_t{487};
  hear(there_, write_stun(refusal));
  EXPECT_FALSE(me_.list->controlling());
  now_ += 50ms;
  const auto out = me_.list->on_timer(now_);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_TRUE(read_stun(out[0].data)->controlled);
}

TEST_F(one_sided, a_flood_of_ports_is_bounded) {
  for (std::uint16_t port = 1; port < 1000; ++port)
    hear(at("192.0.2.2", port), request(largest));
  std::size_t checks = 0;
  for (now_ += 1s; me_.list->next_deadline() && *me_.list->next_deadline() <= now_;)
    for (const auto& x : me_.list->on_timer(now_))
      checks += x.kind == kind::began ? 1 : 0;
  EXPECT_LE(checks, 17u);
}

TEST_F(one_sided, a_plain_client_of_stun_is_answered_and_no_peer) {
  stun_message plain;
  const auto out = hear(there_, write_stun(plain));
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(read_stun(out[0].data)->mapped, there_);
  EXPECT_EQ(read_stun(out[0].data)->what, stun_class::success);
}
