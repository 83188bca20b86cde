// What races remember of each other, by the public API in virtual time. One way takes 10 ms.

#include "taps/tests/support/simulation/simulation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace {

constexpr auto v6 = "[2001:db8::1]:80";
constexpr auto v4 = "192.0.2.1:80";

/// Two kinds of streams, of which one can do more, but seldom gets through.
simulation_options two_streams() {
  simulation_options result;
  result.protocols = {stream_protocol("old"), stream_protocol("new")};
  result.protocols[1].features.set(feature::multistreaming, support::on_request);
  result.protocols[1].reach = reachability::unknown;
  return result;
}

class remembering : public ::testing::Test {
protected:
  remembering() { sim.names().add("example.test", {"2001:db8::1", "192.0.2.1"}); }

  /// Establishes a Connection; returns the attempts it took, e.g. `"old [2001:db8::1]:80"`.
  std::vector<std::string> race(const preconnection& pre) {
    const auto before = sim.network().attempts().size();
    initiate(pre, owner);
    EXPECT_TRUE(sim.run_until_idle());
    std::vector<std::string> result;
    for (auto i = before; i < sim.network().attempts().size(); ++i) {
      const auto& x = sim.network().attempts()[i];
      result.push_back(x.protocol + " " + to_string(x.remote));
    }
    return result;
  }

  std::vector<std::string> race(const transport_properties& wanted = reliable_inorder_stream()) {
    return race(sim.to("example.test", 80, wanted));
  }

  std::vector<std::string> known() {
    std::vector<std::string> result;
    for (const auto& x : sim.services().history().entries)
      result.push_back(to_string(x.where) + " " + x.what.stack +
                       (x.what.succeeded ? " works " : " fails ") + std::to_string(x.what.count));
    return result;
  }

  simulation sim;
  recorder& owner = sim.owner();
};

/// A file of the test's own.
class history_file : public remembering {
protected:
  ~history_file() override { std::filesystem::remove(path); }

  void write(std::string_view text) { std::ofstream{path} << text; }

  std::string read() {
    std::ifstream in{path};
    return {std::istreambuf_iterator<char>{in}, {}};
  }

  const std::string path = ::testing::TempDir() + "history_test_" +
                           ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

}  // namespace

TEST_F(remembering, RAC_12_an_address_that_refused_is_tried_last) {
  sim.network().refuse(v6);
  sim.network().accept(v4);
  EXPECT_THAT(race(), ElementsAre("sim_stream [2001:db8::1]:80", "sim_stream 192.0.2.1:80"));
  EXPECT_THAT(race(), ElementsAre("sim_stream 192.0.2.1:80"));
  EXPECT_THAT(known(),
              ElementsAre("[2001:db8::1]:80 sim_stream fails 1", "192.0.2.1:80 sim_stream works 2",
                          "example.test:80 sim_stream works 2"));
}

TEST_F(remembering, a_failure_is_forgotten_after_minutes) {
  sim.network().refuse(v6);
  sim.network().accept(v4);
  race();
  sim.advance(10min);
  sim.network().accept(v6);
  EXPECT_THAT(race(), ElementsAre("sim_stream [2001:db8::1]:80"));
}

TEST_F(remembering, RAC_12_losing_teaches_nothing) {
  sim.network().black_hole(v6);
  sim.network().accept(v4);
  for (int i = 0; i < 2; ++i)
    EXPECT_THAT(race(), ElementsAre("sim_stream [2001:db8::1]:80", "sim_stream 192.0.2.1:80"));
  EXPECT_THAT(known(),
              ElementsAre("192.0.2.1:80 sim_stream works 2", "example.test:80 sim_stream works 2"));
}

TEST_F(remembering, nor_does_a_host_without_routes) {
  sim.network().unreachable(v6);
  sim.network().unreachable(v4);
  race();
  EXPECT_EQ(owner.count<establishment_error>(), 1u);
  for (const auto& x : known())
    EXPECT_THAT(x, Not(HasSubstr("fails")));
}

TEST_F(remembering, a_datagram_socket_teaches_nothing) {
  race(unreliable_datagram());
  EXPECT_EQ(owner.count<ready>(), 1u);
  EXPECT_THAT(known(), IsEmpty());
}

TEST_F(remembering, is_printed) {
  sim.network().accept(v6);
  race(sim.to("2001:db8::1", 80));
  EXPECT_EQ(to_string(sim.services().history()),
            "[2001:db8::1]:80 sim_stream succeeded, handshake 20.0 ms, 0.00 ms ago\n");
}

TEST_F(remembering, an_isolated_session_knows_and_tells_nothing) {
  sim.network().refuse(v6);
  sim.network().accept(v4);
  const auto isolated = reliable_inorder_stream().with(property_id::isolate_session, true);
  race(isolated);
  EXPECT_THAT(known(), IsEmpty());
  race();
  EXPECT_THAT(race(isolated),
              ElementsAre("sim_stream [2001:db8::1]:80", "sim_stream 192.0.2.1:80"));
  EXPECT_THAT(race(), ElementsAre("sim_stream 192.0.2.1:80"));
}

TEST_F(remembering, a_clone_shares_what_its_isolated_group_learned) {
  sim.network().refuse(v6);
  sim.network().accept(v4);
  const auto first =
      initiate(sim.to("example.test", 80,
                      reliable_inorder_stream().with(property_id::isolate_session, true)),
               owner);
  sim.run_until_idle();
  clone(first, owner);
  sim.run_until_idle();
  EXPECT_EQ(owner.count<ready>(), 2u) << owner.text();
  EXPECT_EQ(sim.network().attempts().size(), 3u);
}

// -- stacks -----------------------------------------------------------------------------------

namespace {

class remembering_stacks : public ::testing::Test {
protected:
  /// Lets the peer speak one protocol only.
  void listen_with(std::string_view protocol) {
    listen(sim.services().preconnection(local_endpoint{}.with_port(80).with_protocol(protocol),
                                        reliable_inorder_stream(), security_parameters::disabled()),
           sim.owner());
    sim.run_until_idle();
  }

  preconnection to_peer(const transport_properties& wanted = reliable_inorder_stream()) {
    return sim.to("192.0.2.1", 80, wanted);
  }

  std::vector<std::string> race(const preconnection& pre) {
    const auto before = sim.network().attempts().size();
    initiate(pre, owner);
    EXPECT_TRUE(sim.run_until_idle());
    std::vector<std::string> result;
    for (auto i = before; i < sim.network().attempts().size(); ++i)
      result.push_back(sim.network().attempts()[i].protocol);
    return result;
  }

  simulation sim{two_streams()};
  recorder& owner = sim.owner();
  const transport_properties new_first =
      reliable_inorder_stream().prefer(property_id::multistreaming);
};

}  // namespace

TEST_F(remembering_stacks, SEL_01_success_puts_the_unknown_first) {
  listen_with("old");
  listen_with("new");
  EXPECT_THAT(race(to_peer()), ElementsAre("old"));
  sim.advance(6h);
  EXPECT_THAT(race(to_peer(reliable_inorder_stream().require(property_id::multistreaming))),
              ElementsAre("new"));
  EXPECT_THAT(race(to_peer()), ElementsAre("new"));
}

TEST_F(remembering_stacks, RAC_12_failures_demote_then_prune_until_they_expire) {
  listen_with("old");
  // One Preconnection: what was selected for it before does not hide what was learned since.
  const auto pre = to_peer(new_first);
  for (int i = 0; i < 3; ++i)
    EXPECT_THAT(race(pre), ElementsAre("new", "old")) << i;
  EXPECT_THAT(race(pre), ElementsAre("old"));
  EXPECT_THAT(race(to_peer(new_first)), ElementsAre("old"));
  // Where nothing else is left it is tried all the same.
  EXPECT_THAT(race(to_peer(reliable_inorder_stream().require(property_id::multistreaming))),
              ElementsAre("new"));
  sim.advance(10min);
  EXPECT_THAT(race(pre), ElementsAre("new", "old"));
}

TEST_F(remembering_stacks, RAC_12_what_failed_goes_behind_what_was_never_tried) {
  listen_with("new");
  EXPECT_THAT(race(to_peer()), ElementsAre("old", "new"));
  EXPECT_THAT(race(to_peer()), ElementsAre("new"));
}

TEST(without_history, SEL_12_the_same_properties_lead_to_the_same_choice) {
  auto options = two_streams();
  options.history.enabled = false;
  simulation sim{options};
  auto& owner = sim.owner();
  for (int i = 0; i < 100; ++i)
    initiate(sim.to("192.0.2.1", 80), owner);
  sim.run_until_idle();
  ASSERT_EQ(sim.network().attempts().size(), 200u);
  for (std::size_t i = 0; i < 200; ++i)
    EXPECT_EQ(sim.network().attempts()[i].protocol, i < 100 ? "old" : "new") << i;
  EXPECT_THAT(sim.services().history().entries, IsEmpty());
  EXPECT_FALSE(sim.services().load_history("/nowhere").has_value());
}

// -- files ------------------------------------------------------------------------------------

TEST_F(history_file, RAC_12_saved_and_loaded_it_changes_the_next_race) {
  sim.network().refuse(v6);
  sim.network().accept(v4);
  race();
  const auto before = known();
  ASSERT_TRUE(sim.services().save_history(path).has_value());
  simulation other;
  ASSERT_TRUE(other.services().load_history(path).has_value());
  EXPECT_EQ(other.services().history().entries.size(), before.size());
  other.names().add("example.test", {"2001:db8::1", "192.0.2.1"});
  other.network().accept(v4);
  initiate(other.to("example.test", 80), other.owner());
  other.run_until_idle();
  EXPECT_EQ(other.network().attempts().size(), 1u);
}

TEST_F(history_file, is_replaced_as_a_whole) {
  write("old\n");
  ASSERT_TRUE(sim.services().save_history(path).has_value());
  EXPECT_THAT(read(), ::testing::StartsWith("tapline-history 1\n"));
  const auto folder = std::filesystem::path{path}.parent_path();
  for (const auto& x : std::filesystem::directory_iterator{folder})
    EXPECT_THAT(x.path().string(), Not(HasSubstr(path + "."))) << "left behind";
}

TEST_F(history_file, errors_name_file_and_line) {
  const auto missing = sim.services().load_history(path + "/no");
  ASSERT_FALSE(missing.has_value());
  EXPECT_THAT(missing.failure().text(), HasSubstr(path + "/no"));
  const auto nowhere = sim.services().save_history("/nowhere/x");
  ASSERT_FALSE(nowhere.has_value());
  EXPECT_THAT(nowhere.failure().text(), HasSubstr("/nowhere/x"));
  write("tapline-history 1\nrubbish\n- a:1 x succeeded 1 4000000000 0\n");
  const auto damaged = sim.services().load_history(path);
  ASSERT_FALSE(damaged.has_value());
  EXPECT_THAT(damaged.failure().text(), HasSubstr(path + ", line 2: "));
  EXPECT_THAT(known(), ElementsAre("a:1 x works 1"));
}

TEST_F(history_file, what_is_newer_stays) {
  write("tapline-history 1\n- example.test:80 sim_stream failed 9 1 0\n");
  sim.network().accept(v6);
  race();
  const auto before = known();
  ASSERT_TRUE(sim.services().load_history(path).has_value());
  EXPECT_EQ(known(), before);
}
