// The end of transport services, and what comes late: spawns, clones, look-ups, second shutdowns.

#include "taps/tests/conformance/support/fixture.hpp"

#include <sys/resource.h>

#include <array>
#include <future>
#include <thread>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;

namespace {

class lifetime : public conformance {
protected:
  /// Runs `f` elsewhere; fails the test, instead of hanging, when it does not come back.
  template<class F>
  void expect_return(F f) {
    auto done = std::make_shared<std::promise<void>>();
    auto heard = done->get_future();
    std::thread runner{[f = std::move(f), done]() mutable {
      f();
      done->set_value();
    }};
    if (heard.wait_for(10s) == std::future_status::ready) {
      // What it holds goes first, so that the test finds nothing left behind.
      runner.join();
      return;
    }
    runner.detach();
    FAIL() << "blocks for ever";
  }
};

}  // namespace

TEST_F(lifetime, residents_are_counted_from_any_thread_and_after_the_end) {
  transport_services mine{system_, {.shards = 2}};
  auto counted = std::make_shared<std::promise<std::size_t>>();
  mine.spawn(
      [mine, counted](caf::event_based_actor*) { counted->set_value(mine.num_residents()); });
  auto heard = counted->get_future();
  ASSERT_EQ(heard.wait_for(10s), std::future_status::ready) << "blocks on a shard's thread";
  EXPECT_EQ(heard.get(), 0u);
  mine.shutdown(0ms);
  expect_return([mine] { EXPECT_EQ(mine.num_residents(), 0u); });
}

TEST_F(lifetime, an_actor_spawned_after_shutdown_ends_without_having_run) {
  transport_services mine{system_, {.shards = 1}};
  mine.shutdown(0ms);
  auto ran = std::make_shared<std::atomic<bool>>(false);
  auto ended = std::make_shared<std::promise<caf::error>>();
  auto late = mine.spawn([ran](caf::event_based_actor*) -> caf::behavior {
    *ran = true;
    return {[](int) {}};
  });
  late->attach_functor([ended](const caf::error& x) { ended->set_value(x); });
  auto heard = ended->get_future();
  ASSERT_EQ(heard.wait_for(10s), std::future_status::ready) << "the actor lives for ever";
  EXPECT_EQ(heard.get(), caf::error{caf::exit_reason::user_shutdown});
  EXPECT_FALSE(*ran);
  expect_return([mine]() mutable { mine.run(); });
}

TEST_F(lifetime, a_second_shutdown_waits_for_the_first) {
  transport_services mine{system_, {.shards = 1}};
  auto busy = std::make_shared<std::promise<void>>();
  auto release = std::make_shared<std::promise<void>>();
  mine.spawn([busy, release](caf::event_based_actor*) {
    busy->set_value();
    release->get_future().wait();
  });
  busy->get_future().wait();
  auto first = std::async(std::launch::async, [mine]() mutable { mine.shutdown(0ms); });
  auto second = std::async(std::launch::async, [mine]() mutable { mine.shutdown(0ms); });
  EXPECT_EQ(second.wait_for(100ms), std::future_status::timeout);
  EXPECT_EQ(first.wait_for(0ms), std::future_status::timeout);
  release->set_value();
  EXPECT_EQ(second.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(first.wait_for(10s), std::future_status::ready);
}

TEST_F(lifetime, the_longest_grace_ends_with_the_last_resident) {
  transport_services mine{system_, {.shards = 1}};
  expect_return([mine]() mutable { mine.shutdown(std::chrono::milliseconds::max()); });
}

TEST_F(lifetime, resolve_after_shutdown_says_so) {
  transport_services mine{system_, {.shards = 1}};
  auto older = mine.preconnection(loopback_remote(1), reliable_inorder_stream());
  mine.shutdown(0ms);
  caf::scoped_actor self{system_};
  auto answer = resolve(older, self);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.failure().reason(), errc::connection_closed);
}

TEST_F(lifetime, shutdown_answers_a_running_resolve) {
  // A name server that never answers.
  auto silent = posix_bind(0, AF_INET, SOCK_DGRAM);
  transport_services mine{
      system_,
      {.shards = 1,
       .dns = {.servers = {"127.0.0.1:" + std::to_string(silent.port())}, .timeout = 100s}}};
  auto pre = mine.preconnection(remote_endpoint{}.with_hostname("name.example").with_port(1),
                                reliable_inorder_stream(), plain());
  auto answer = std::async(std::launch::async, [this, pre] {
    caf::scoped_actor self{system_};
    return resolve(pre, self);
  });
  // The query is on its way.
  std::array<char, 1> byte;
  ASSERT_GT(::recv(silent.get(), byte.data(), byte.size(), 0), 0);
  mine.shutdown(0ms);
  ASSERT_EQ(answer.wait_for(10s), std::future_status::ready);
  auto got = answer.get();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.failure().reason(), errc::connection_closed);
}

TEST_F(lifetime, a_clone_after_shutdown_fails) {
  transport_services mine{system_, {.shards = 1}};
  auto peer = posix_bind();
  auto me = make_unpinned_owner();
  auto made =
      initiate(mine.preconnection(loopback_remote(peer.port()), reliable_inorder_stream(), plain()),
               me.actor);
  me.log->wait("ready");
  mine.shutdown(0ms);
  me.log->wait("connection_error");
  clone(made, me.actor);
  me.log->wait("connection_error", 2);
}

TEST_F(lifetime, a_listener_ended_from_outside_tells_its_owner_once) {
  auto me = make_owner();
  auto what = listen(at(loopback_local()), me.actor);
  caf::anon_send_exit(what, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(what, caf::exit_reason::kill);
  EXPECT_EQ(me.log->wait("stopped").listener, what);
  while (net_.num_residents() != 0)
    std::this_thread::yield();
  EXPECT_EQ(me.log->count("stopped"), 1u);
}

TEST_F(lifetime, a_listener_outlives_the_normal_end_of_a_linked_actor_only) {
  auto me = make_owner();
  auto what = listen(at(loopback_local()), me.actor);
  caf::scoped_actor self{system_};
  const auto lives = [&] {
    auto answered = false;
    self->request(what, 10s, get_properties_command{})
        .receive([&](property_list&) { answered = true; }, [](caf::error&) {});
    return answered;
  };
  ASSERT_TRUE(lives());
  for (auto why : {caf::exit_reason::normal, caf::exit_reason::user_shutdown}) {
    auto linked = system_.spawn([what](caf::event_based_actor* x) -> caf::behavior {
      x->link_to(what);
      return {[x](caf::exit_reason y) { x->quit(y); }};
    });
    caf::anon_send(linked, why);
    self->wait_for(linked);
    EXPECT_EQ(lives(), why == caf::exit_reason::normal);
  }
  me.log->wait("stopped");
}

TEST_F(lifetime, a_lack_of_descriptors_is_told_at_the_start) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const auto some = ::dup(0);
  ASSERT_GE(some, 0);
  // One more for the first of those that a reactor needs.
  rlimit few{static_cast<rlim_t>(some), before.rlim_max};
  ::close(some);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  EXPECT_THROW((transport_services{system_, {.shards = 1}}), std::runtime_error);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}
