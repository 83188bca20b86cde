// PRP: properties as running Connections have them, and that a bad one harms nothing.

#include "taps/tests/conformance/support/fixture.hpp"

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;

namespace {

using id = property_id;

/// A Connection between two of ours.
class pair : public conformance {
protected:
  void connect(transport_properties wanted = reliable_inorder_stream()) {
    server_ = listen_at(at(loopback_local(), wanted), [](auto*, const told& x) {
      if (x.what == "connection_received")
        receive(x.connection, {.count = 100});
    });
    me_ = make_owner();
    made_ = initiate(to(loopback_remote(server_.port), wanted), me_.actor);
    me_.log->wait("ready");
  }

  connection accepted() { return server_.by.log->wait("connection_received").connection; }

  /// The Connection still carries data.
  void expect_alive(const std::string& event = "received_partial") {
    taps::send(made_, "alive");
    EXPECT_EQ(server_.by.log->wait(event).data.view(), "alive");
    EXPECT_EQ(properties_of(made_).get("connState"), property_value{connection_state::established});
  }

  listening server_;
  owner me_;
  connection made_;
};

using conformance_pair = pair;

}  // namespace

TEST_F(conformance_pair, PRP_01_any_spelling_on_a_running_connection) {
  connect();
  EXPECT_FALSE(set(made_, "CONNPRIORITY", 5));
  EXPECT_EQ(properties_of(made_).get("connPriority"), property_value{5});
  EXPECT_FALSE(set(made_, "conn_priority", 6));
  EXPECT_EQ(properties_of(made_).get("ConnPriority"), property_value{6});
  EXPECT_EQ(properties_of(made_).get("conn_priority"), property_value{6});
}

TEST_F(conformance_pair, PRP_02_defaults_of_a_running_connection) {
  connect();
  const auto properties = properties_of(made_);
  EXPECT_EQ(properties.get("recvChecksumLen"), property_value{special::full_coverage});
  EXPECT_EQ(properties.get("connPriority"), property_value{100});
  EXPECT_EQ(properties.get("connTimeout"), property_value{special::disabled});
  EXPECT_EQ(properties.get("keepAliveTimeout"), property_value{special::disabled});
  EXPECT_EQ(properties.get("connScheduler"), property_value{scheduler::weighted_fair_queueing});
  EXPECT_EQ(properties.get("connCapacityProfile"),
            property_value{capacity_profile::default_profile});
  EXPECT_EQ(properties.get("multipathPolicy"), property_value{multipath_policy::handover});
  for (const auto* rate : {"minSendRate", "minRecvRate", "maxSendRate", "maxRecvRate"})
    EXPECT_EQ(properties.get(rate), property_value{special::unlimited}) << rate;
  EXPECT_EQ(properties.get("groupConnLimit"), property_value{special::unlimited});
  EXPECT_EQ(properties.get("isolateSession"), property_value{false});
  EXPECT_EQ(properties.get("tcp.userTimeoutValue"), property_value{300});
  EXPECT_EQ(properties.get("tcp.userTimeoutEnabled"), property_value{false});
  EXPECT_EQ(properties.get("tcp.userTimeoutChangeable"), property_value{true});
}

TEST_F(conformance_pair, PRP_03_who_listens_has_other_defaults) {
  connect();
  EXPECT_EQ(properties_of(made_).get("multipath"), property_value{multipath_mode::disabled});
  EXPECT_EQ(properties_of(accepted()).get("multipath"), property_value{multipath_mode::passive});
}

TEST_F(conformance_pair, PRP_05_bad_values_leave_the_old_ones) {
  connect();
  ASSERT_FALSE(set(made_, "connPriority", 7));
  EXPECT_EQ(set(made_, "connPriority", -1).reason(), errc::invalid_configuration);
  EXPECT_EQ(set(made_, "connPriority", "high").reason(), errc::invalid_configuration);
  EXPECT_EQ(properties_of(made_).get("connPriority"), property_value{7});
  ASSERT_FALSE(set(made_, "maxSendRate", 800000));
  EXPECT_EQ(set(made_, "maxSendRate", 0).reason(), errc::invalid_configuration);
  EXPECT_EQ(properties_of(made_).get("maxSendRate"), property_value{800000});
  EXPECT_EQ(set(made_, "connTimeout", -1s).reason(), errc::invalid_configuration);
  EXPECT_EQ(properties_of(made_).get("connTimeout"), property_value{special::disabled});
  expect_alive();
}

TEST_F(conformance_pair, PRP_06_setting_what_is_read_only_harms_nothing) {
  connect();
  for (const auto* name : {"connState", "canSend", "canReceive", "sendMsgMaxLen", "recvMsgMaxLen",
                           "singularTransmissionMsgMaxLen", "_tapline.stack"})
    EXPECT_EQ(set(made_, name, 1).reason(), errc::read_only) << name;
  // Nor without anybody who waits for the answer.
  set_property(made_, "connState", connection_state::closed);
  expect_alive();
}

TEST_F(conformance_pair, PRP_07_every_selection_property_is_fixed) {
  connect();
  for (const auto& info : all_properties())
    if (info.kind == property_kind::selection) {
      EXPECT_TRUE(set(made_, std::string{info.name}, properties_of(made_).get(info.name)))
          << info.name;
    }
  set_property(made_, "reliability", preference::prohibit);
  expect_alive();
}

TEST_F(conformance_pair, PRP_08_all_preferences_read_as_booleans_on_both_sides) {
  connect();
  for (const auto& x : {made_, accepted()}) {
    const auto properties = properties_of(x);
    for (const auto& info : all_properties())
      if (info.kind == property_kind::selection && info.type == property_type::preference) {
        EXPECT_TRUE(properties.get(info.name).holds<bool>()) << info.name;
      }
    EXPECT_TRUE(properties.has("reliability"));
    EXPECT_TRUE(properties.has("preserveOrder"));
    EXPECT_TRUE(properties.has("congestionControl"));
    EXPECT_FALSE(properties.has("preserveMsgBoundaries"));
    EXPECT_FALSE(properties.has("multistreaming"));
    EXPECT_EQ(properties.get("direction"), property_value{direction::bidirectional});
  }
}

TEST_F(conformance_pair, PRP_08_datagrams) {
  connect(unreliable_datagram());
  const auto properties = properties_of(made_);
  EXPECT_EQ(properties.get("reliability"), property_value{false});
  EXPECT_EQ(properties.get("preserveOrder"), property_value{false});
  EXPECT_EQ(properties.get("preserveMsgBoundaries"), property_value{true});
}

TEST_F(conformance, PRP_08_as_asked_for_while_establishing) {
  black_hole hole;
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(hole.port())), me.actor);
  const auto properties = properties_of(made);
  EXPECT_EQ(properties.get("connState"), property_value{connection_state::establishing});
  EXPECT_EQ(properties.get("reliability"), property_value{preference::require});
  EXPECT_EQ(properties.get("multistreaming"), property_value{preference::prefer});
  abort(made);
  me.log->wait("connection_error");
}

TEST_F(conformance_pair, PRP_10_unknown_names_on_a_running_connection) {
  connect();
  const auto failure = set(made_, "connPriorty", 1);
  EXPECT_EQ(failure.reason(), errc::invalid_configuration);
  EXPECT_NE(failure.text().find("connPriorty"), std::string::npos) << failure.text();
  EXPECT_FALSE(set(made_, "_vendor.x", "y"));
  EXPECT_EQ(properties_of(made_).get("_vendor.x"), property_value{"y"});
  expect_alive();
}

TEST_F(conformance, PRP_10_a_preconnection_with_an_unknown_name_fails_its_actions) {
  auto me = make_owner();
  auto wanted = reliable_inorder_stream().with("connPriorty", 1);
  initiate(to(loopback_remote(9), wanted), me.actor);
  const auto ev = me.log->wait("establishment_error");
  EXPECT_EQ(ev.reason.reason(), errc::invalid_configuration);
  EXPECT_NE(ev.reason.text().find("connPriorty"), std::string::npos) << ev.reason.text();
}

TEST_F(conformance_pair, PRP_11_on_both_sides_and_vendors_too) {
  connect(reliable_inorder_stream()
              .with(id::conn_timeout, 5s)
              .with(id::conn_capacity_profile, capacity_profile::scavenger)
              .with("_vendor.x", "y"));
  for (const auto& x : {made_, accepted()}) {
    const auto properties = properties_of(x);
    EXPECT_EQ(properties.get("connTimeout"), property_value{5s});
    EXPECT_EQ(properties.get("connCapacityProfile"), property_value{capacity_profile::scavenger});
    EXPECT_EQ(properties.get("_vendor.x"), property_value{"y"});
  }
}

TEST_F(conformance_pair, PRP_12_on_a_running_connection) {
  connect();
  EXPECT_EQ(properties_of(made_).get("tcp.userTimeoutChangeable"), property_value{true});
  ASSERT_FALSE(set(made_, "connTimeout", 5s));
  EXPECT_EQ(properties_of(made_).get("connTimeout"), property_value{5s});
  EXPECT_EQ(properties_of(made_).get("tcp.userTimeoutChangeable"), property_value{false});
}

TEST_F(conformance_pair, PRP_18_the_other_direction_works) {
  auto server = listen_at(at(loopback_local()), [](auto*, const told& x) {
    if (x.what == "connection_received")
      receive(x.connection);
    if (x.what == "received_partial")
      taps::send(x.connection, "answer");
  });
  auto me = make_owner();
  const auto only = [&](direction x) {
    return initiate(
        to(loopback_remote(server.port), reliable_inorder_stream().with(id::direction, x)),
        me.actor);
  };
  auto out = only(direction::unidirectional_send);
  me.log->wait("ready");
  EXPECT_EQ(properties_of(out).get("canSend"), property_value{true});
  EXPECT_NE(properties_of(out).get("sendMsgMaxLen"), property_value{0});
  taps::send(out, "question");
  EXPECT_EQ(server.by.log->wait("received_partial").data.view(), "question");
  auto in = only(direction::unidirectional_receive);
  me.log->wait("ready", 2);
  EXPECT_EQ(properties_of(in).get("canReceive"), property_value{true});
  EXPECT_NE(properties_of(in).get("recvMsgMaxLen"), property_value{0});
  taps::send(server.by.log->wait("connection_received", 2).connection, "news");
  receive(in);
  EXPECT_EQ(me.log->wait("received_partial").data.view(), "news");
}

TEST_F(conformance_pair, PRP_19_the_limit_is_the_largest_that_goes_through) {
  connect(unreliable_datagram());
  const auto limit = properties_of(made_).get("sendMsgMaxLen").get_or<std::int64_t>(0);
  EXPECT_EQ(limit, 65507);
  const auto singular = properties_of(made_).get("singularTransmissionMsgMaxLen");
  ASSERT_TRUE(singular.holds<std::int64_t>());
  EXPECT_LE(*singular.get_if<std::int64_t>(), limit);
  auto context = message_context{}.with_safely_replayable();
  taps::send(made_, std::string(static_cast<std::size_t>(limit), 'x'), context);
  EXPECT_EQ(server_.by.log->wait("received").data.size(), static_cast<std::size_t>(limit));
}

TEST_F(conformance, PRP_19_of_the_other_family) {
  auto me = make_owner();
  auto made = initiate(
      to(remote_endpoint{}.with_ip_address("::1").with_port(9), unreliable_datagram()), me.actor);
  me.log->wait("ready");
  EXPECT_EQ(properties_of(made).get("sendMsgMaxLen"), property_value{65527});
}
