// PRE: what Preconnections promise, where establishment_test.cpp leaves something open.

#include "taps/tests/conformance/support/names_fixture.hpp"

using namespace taps;
using namespace taps::testing;

namespace {

using id = property_id;

/// Nobody has tried to connect.
bool untouched(const posix_socket& listener) {
  pollfd wait{listener.get(), POLLIN, 0};
  return ::poll(&wait, 1, 0) == 0;
}

const reaction receive_at_once = [](auto*, const told& x) {
  if (x.what == "connection_received")
    receive(x.connection, {.count = 100});
};

}  // namespace

TEST_F(conformance, PRE_01_02_also_from_owners_of_another_scheduler) {
  auto me = make_unpinned_owner();
  auto made = initiate(net_.preconnection({}, {}, reliable_inorder_stream(), plain()), me.actor);
  const auto failed = me.log->wait("establishment_error");
  EXPECT_EQ(failed.reason.reason(), errc::invalid_configuration);
  EXPECT_EQ(failed.connection, made);
  auto listener = listen(net_.preconnection({}, {}, reliable_inorder_stream(), plain()), me.actor);
  const auto deaf = me.log->wait("establishment_error", 2);
  EXPECT_EQ(deaf.reason.reason(), errc::invalid_configuration);
  EXPECT_EQ(deaf.listener, listener);
  EXPECT_EQ(me.log->names(), "establishment_error establishment_error");
}

TEST_F(conformance, PRE_01_a_local_endpoint_is_no_remote_one) {
  auto me = make_owner();
  initiate(at(loopback_local()), me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_EQ(ev.reason.reason(), errc::invalid_configuration);
  EXPECT_NE(ev.reason.text().find("Remote Endpoint"), std::string::npos) << ev.reason.text();
}

TEST_F(conformance, PRE_02_a_remote_endpoint_is_no_local_one) {
  auto me = make_owner();
  auto listener = listen(to(loopback_remote(1)), me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_EQ(ev.reason.reason(), errc::invalid_configuration);
  EXPECT_EQ(ev.listener, listener);
  EXPECT_NE(ev.reason.text().find("Local Endpoint"), std::string::npos) << ev.reason.text();
}

TEST_F(conformance, PRE_04_properties_are_frozen_by_initiate) {
  auto server = listen_at(at(loopback_local()));
  auto pre = to(loopback_remote(server.port), reliable_inorder_stream().with(id::conn_priority, 7));
  auto me = make_owner();
  auto made = initiate(pre, me.actor);
  pre.set_properties(unreliable_datagram().with(id::conn_priority, 8));
  pre.set_security({});
  EXPECT_EQ(me.log->wait("ready").connection, made);
  const auto properties = properties_of(made);
  EXPECT_EQ(properties.get("connPriority"), property_value{7});
  EXPECT_EQ(properties.get("_tapline.stack"), property_value{"tcp"});
  // The next one gets them: unsecured is no longer asked for.
  initiate(pre, me.actor);
  EXPECT_EQ(me.log->wait("establishment_error").reason.reason(), errc::no_candidates);
}

TEST_F(conformance, PRE_04_properties_are_frozen_by_listen) {
  auto pre = at(loopback_local(), reliable_inorder_stream().with(id::conn_priority, 7));
  auto server = listen_at(pre);
  pre.set_properties(unreliable_datagram().with(id::conn_priority, 8));
  pre.set_security({});
  auto peer = posix_connect(server.port);
  const auto ev = server.by.log->wait("connection_received");
  EXPECT_EQ(properties_of(ev.connection).get("connPriority"), property_value{7});
}

TEST_F(conformance, PRE_04_remote_endpoints_are_frozen_while_it_races) {
  black_hole hole;
  auto server = listen_at(at(loopback_local()));
  auto pre = to(loopback_remote(hole.port()));
  auto me = make_owner();
  auto made = initiate(pre, me.actor);
  settle(made);
  pre.add_remote(loopback_remote(server.port));
  initiate(pre, me.actor);
  // The second one gets through, which the first could have done too had it heard of the change.
  EXPECT_NE(me.log->wait("ready").connection, made);
  EXPECT_EQ(properties_of(made).get("connState"), property_value{connection_state::establishing});
  abort(made);
  EXPECT_EQ(me.log->wait("connection_error").connection, made);
}

TEST_F(conformance, PRE_05_two_at_a_time_are_independent) {
  auto server = listen_at(at(loopback_local()), receive_at_once);
  auto pre = to(loopback_remote(server.port));
  auto me = make_owner();
  auto first = initiate(pre, me.actor);
  auto second = initiate(pre, me.actor);
  EXPECT_NE(first, second);
  me.log->wait("ready", 2);
  server.by.log->wait("connection_received", 2);
  abort(first);
  EXPECT_EQ(me.log->wait("connection_error").connection, first);
  EXPECT_EQ(properties_of(second).get("connState"), property_value{connection_state::established});
  taps::send(second, "alive");
  EXPECT_EQ(server.by.log->wait("received_partial").data.view(), "alive");
}

TEST_F(conformance, PRE_06_the_datagram_stack_has_none_either) {
  auto me = make_owner();
  auto wanted = unreliable_datagram().require(id::per_msg_reliability);
  initiate(to(loopback_remote(9), wanted), me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_EQ(ev.reason.reason(), errc::no_candidates);
  EXPECT_TRUE(ev.report.candidates.empty());
}

TEST_F(conformance_names, PRE_07_nothing_leaves_the_machine) {
  auto listener = posix_bind();
  names_.add("peer.test", "127.0.0.1");
  auto where = remote_endpoint{}.with_hostname("peer.test").with_port(listener.port());
  auto wanted = transport_properties{}.prohibit(id::reliability).require(id::per_msg_reliability);
  auto me = make_owner();
  initiate(to(where, wanted), me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_EQ(ev.reason.reason(), errc::invalid_configuration);
  EXPECT_NE(ev.reason.text().find("reliability"), std::string::npos) << ev.reason.text();
  EXPECT_NE(ev.reason.text().find("perMsgReliability"), std::string::npos) << ev.reason.text();
  EXPECT_TRUE(untouched(listener));
  EXPECT_TRUE(names_.asked().empty());
  // Both would have been seen.
  initiate(to(where), me.actor);
  me.log->wait("ready");
  EXPECT_FALSE(names_.asked().empty());
  EXPECT_FALSE(untouched(listener));
}

TEST_F(conformance_names, PRE_08_nothing_leaves_the_machine) {
  names_.add("peer.test", "127.0.0.1");
  auto wanted = transport_properties{}.require(id::reliability).prohibit(id::congestion_control);
  auto me = make_owner();
  initiate(to(remote_endpoint{}.with_hostname("peer.test").with_port(9), wanted), me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_EQ(ev.reason.reason(), errc::no_candidates);
  EXPECT_NE(ev.reason.text().find("congestionControl"), std::string::npos) << ev.reason.text();
  EXPECT_TRUE(names_.asked().empty());
}

TEST_F(conformance_names, PRE_09_resolve_keeps_ports_and_addresses) {
  names_.add("two.test", "127.0.0.1");
  names_.add("two.test", "127.0.0.2");
  auto pre = to(remote_endpoint{}.with_hostname("two.test").with_port(7));
  pre.add_remote(loopback_remote(8));
  caf::scoped_actor self{system_};
  const auto found = resolve(pre, self);
  ASSERT_TRUE(found) << to_string(found.failure());
  std::vector<std::string> texts;
  for (const auto& x : found->remotes)
    texts.push_back(to_string(*x.address()) + " " + std::to_string(x.port().value_or(0)));
  std::sort(texts.begin(), texts.end());
  EXPECT_EQ(texts, (std::vector<std::string>{"127.0.0.1 7", "127.0.0.1 8", "127.0.0.2 7"}));
}

TEST_F(conformance_names, PRE_10_resolve_names_what_does_not_exist) {
  caf::scoped_actor self{system_};
  const auto found = resolve(to(remote_endpoint{}.with_hostname("absent.test").with_port(7)), self);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.failure().reason(), errc::resolution_failed);
  EXPECT_NE(found.failure().text().find("absent.test"), std::string::npos)
      << found.failure().text();
}

TEST_F(conformance_names, EST_04_names_what_does_not_exist) {
  auto me = make_owner();
  initiate(to(remote_endpoint{}.with_hostname("absent.test").with_port(7)), me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_EQ(ev.reason.reason(), errc::resolution_failed);
  EXPECT_NE(ev.reason.text().find("absent.test"), std::string::npos) << ev.reason.text();
  EXPECT_EQ(me.log->names(), "establishment_error");
}

TEST_F(conformance_names, PRE_11_two_names_of_one_address_are_one_candidate) {
  closed_port nobody;
  names_.add("peer.test", "127.0.0.1");
  const auto named = remote_endpoint{}.with_hostname("peer.test").with_port(nobody.port());
  auto pre = to(named);
  pre.add_remote(named).add_remote(loopback_remote(nobody.port()));
  auto me = make_owner();
  initiate(pre, me.actor);
  EXPECT_EQ(me.log->wait("establishment_error").report.candidates.size(), 1u);
}

TEST_F(conformance, PRE_12_no_event_inside_the_call_that_fails) {
  // The failure is known at once, and still waits until the handler has returned.
  auto pre = net_.preconnection({}, {}, reliable_inorder_stream(), plain());
  auto log = std::make_shared<event_log>();
  const auto acts = [=](caf::event_based_actor* self) -> caf::behavior {
    auto made = initiate(pre, self);
    taps::send(made, "x");
    receive(made);
    close(made);
    log->add({"initiated", made, {}, {}, {}, {}, {}, true, {}});
    return recorder(self, log, {});
  };
  owners_.push_back(net_.spawn(acts));
  log->wait("establishment_error");
  EXPECT_EQ(log->all().front().what, "initiated") << log->names();
  EXPECT_EQ(log->count("initiated"), 1u);
}
