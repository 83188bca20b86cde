// Prints what every input does in every state and compares with race_table.golden, so that a
// changed transition shows in review.

#include "taps/core/racing/race.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using taps::race_input;

namespace {

constexpr auto golden_path = "tests/core/racing/race_table.golden";
constexpr auto begin = taps::time_point{} + 1h;
constexpr auto timeout = begin + 10s;

struct scene {
  std::string name;
  std::function<void(taps::race&)> set;
};

struct probe {
  std::string name;
  race_input input;
  std::function<taps::race_actions(taps::race&)> apply;
};

void offer(taps::race& r, std::vector<taps::race_leaf> leaves, bool more) {
  (void)r.on_offer(begin, leaves, more);
}

void start(taps::race& r) { (void)r.on_start(begin, timeout); }

/// Leaves 1 and 2 run, 3 is untried.
void race_three(taps::race& r) {
  start(r);
  offer(r, {{1}, {2}, {3}}, false);
  (void)r.on_timer(begin + 250ms);
}

std::vector<scene> scenes() {
  return {
      {"idle", [](auto&) {}},
      {"waiting", start},
      {"racing 1+2, 3 untried", race_three},
      {"racing 1, last",
       [](auto& r) {
         start(r);
         offer(r, {{1}}, false);
       }},
      {"racing 1, more to come",
       [](auto& r) {
         start(r);
         offer(r, {{1}}, true);
       }},
      {"won",
       [](auto& r) {
         race_three(r);
         (void)r.on_ready(begin + 300ms, 2);
       }},
      {"failed",
       [](auto& r) {
         race_three(r);
         (void)r.on_timer(timeout);
       }},
  };
}

std::vector<probe> probes() {
  auto at = begin + 300ms;
  auto offer_of = [at](std::vector<taps::race_leaf> x, bool more) {
    return [=](taps::race& r) { return r.on_offer(at, x, more); };
  };
  return {
      {"start", race_input::start, [=](auto& r) { return r.on_start(at, timeout); }},
      {"offer nothing, more to come", race_input::offer, offer_of({}, true)},
      {"offer nothing", race_input::offer, offer_of({}, false)},
      {"offer 9", race_input::offer, offer_of({{9}}, false)},
      {"ready 1", race_input::ready, [=](auto& r) { return r.on_ready(at, 1); }},
      {"ready 7", race_input::ready, [=](auto& r) { return r.on_ready(at, 7); }},
      {"failed 1", race_input::failed, [=](auto& r) { return r.on_failed(at, 1); }},
      {"failed 7", race_input::failed, [=](auto& r) { return r.on_failed(at, 7); }},
      {"timer early", race_input::timer, [=](auto& r) { return r.on_timer(at); }},
      {"timer", race_input::timer, [](auto& r) { return r.on_timer(begin + 500ms); }},
      {"timer at timeout", race_input::timer, [](auto& r) { return r.on_timer(timeout); }},
  };
}

void print(std::ostream& out, const scene& from, const probe& input) {
  taps::race r;
  from.set(r);
  auto reaction = taps::race::reaction_to(r.state(), input.input);
  out << "  " << input.name << ": " << to_string(reaction);
  if (reaction != taps::race_reaction::refuse) {
    auto actions = input.apply(r);
    out << " -> " << to_string(r.state());
    for (const auto& x : actions)
      out << "; " << to_string(x);
  }
  out << "\n";
}

std::string table() {
  std::ostringstream out;
  for (const auto& from : scenes()) {
    out << from.name << "\n";
    for (const auto& input : probes())
      print(out, from, input);
  }
  return out.str();
}

}  // namespace

TEST(race_table, matches_the_golden_text) {
  std::ifstream file{golden_path};
  ASSERT_TRUE(file) << "no " << golden_path << "; run from the root of the repository";
  std::ostringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(table(), golden.str())
      << "if the change is meant, put this into " << golden_path << ":\n"
      << table();
}

TEST(race_table, every_state_and_input_has_a_name_and_a_reaction) {
  for (int s = 0; s < 5; ++s) {
    auto state = static_cast<taps::race_state>(s);
    EXPECT_FALSE(to_string(state).empty());
    for (int i = 0; i < 5; ++i) {
      auto input = static_cast<race_input>(i);
      EXPECT_FALSE(to_string(taps::race::reaction_to(state, input)).empty());
      // Nothing is acted upon after the end.
      if (state >= taps::race_state::won) {
        EXPECT_GE(taps::race::reaction_to(state, input), taps::race_reaction::ignore);
      }
    }
  }
}
