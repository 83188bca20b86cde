// Every state times every input, against a text that a review reads when it changes.

#include "taps/core/connection/lifecycle.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

using namespace taps;

namespace {

std::string table() {
  std::ostringstream out;
  for (std::size_t s = 0; s < num_lifecycle_states; ++s)
    for (std::size_t i = 0; i < num_lifecycle_inputs; ++i) {
      const auto from = static_cast<lifecycle_state>(s);
      const auto on = static_cast<lifecycle_input>(i);
      const auto [next, actions] = step(from, on);
      out << to_string(from) << " + " << to_string(on) << " -> " << to_string(next) << " : "
          << to_string(actions) << "\n";
    }
  return out.str();
}

}  // namespace

TEST(lifecycle, every_state_times_every_input) {
  std::ifstream file{"tests/core/connection/lifecycle.golden"};
  std::stringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(table(), golden.str()) << "The table now:\n" << table();
}

TEST(lifecycle, ends_with_exactly_one_announcement) {
  constexpr auto announcements = lifecycle_action::announce_establishment_error |
                                 lifecycle_action::announce_connection_error |
                                 lifecycle_action::announce_closed;
  for (std::size_t s = 0; s < num_lifecycle_states; ++s)
    for (std::size_t i = 0; i < num_lifecycle_inputs; ++i) {
      const auto from = static_cast<lifecycle_state>(s);
      const auto [next, actions] = step(from, static_cast<lifecycle_input>(i));
      const auto ends = next == lifecycle_state::ended && from != lifecycle_state::ended;
      EXPECT_EQ(has(actions, announcements), ends);
      if (from == lifecycle_state::ended) {
        EXPECT_EQ(actions, lifecycle_action::none);
      }
    }
}
