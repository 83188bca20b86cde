#include "taps/core/candidate/selection.hpp"

#include "taps/tests/core/candidate/protocols.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace taps;
using namespace taps::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace {

class selection_test : public ::testing::Test {
protected:
  /// All that the requirements' matrix offers here, and the two protocols of a minimal build.
  std::vector<protocol_stack> all =
      compose_stacks({&tcp(), &mptcp(), &udp(), &sctp(), &tls(), &dtls(), &quic()});
  std::vector<protocol_stack> two = compose_stacks({&tcp(), &udp()});
  std::vector<protocol_stack> plain = compose_stacks({&tcp(), &mptcp(), &udp(), &sctp()});

  static selection_request request(transport_properties properties,
                                   security_mode security = security_mode::disabled) {
    selection_request result;
    result.properties = std::move(properties);
    result.security = security;
    return result;
  }

  static std::vector<std::string> ranked(const std::vector<protocol_stack>& stacks,
                                         const selection_request& what) {
    std::vector<std::string> result;
    for (const auto& x : select_among(stacks, what).ranked)
      result.push_back(x.stack->name);
    return result;
  }

  static error failure(const std::vector<protocol_stack>& stacks, const selection_request& what) {
    const auto result = select_stacks(stacks, what);
    return result ? error{} : result.failure();
  }
};

const exclusion_reason& first_reason(const selection& what, std::string_view name) {
  static const exclusion_reason none;
  for (const auto& x : what.excluded)
    if (x.stack->name == name)
      return x.reasons.front();
  ADD_FAILURE() << name << " was not excluded";
  return none;
}

}  // namespace

// -- requirements -------------------------------------------------------------------

TEST_F(selection_test, SEL_01_defaults_prefer_what_is_assumed_to_get_through) {
  EXPECT_THAT(ranked(plain, request({})), ElementsAre("tcp", "mptcp", "sctp"));
}

TEST_F(selection_test, SEL_01_past_success_or_explicit_wish_puts_the_unknown_first) {
  auto x = request({});
  x.history = [](const protocol_stack& stack) {
    return stack.name == "sctp" ? past_outcome::succeeded : past_outcome::nothing;
  };
  EXPECT_EQ(ranked(plain, x).front(), "sctp");
  EXPECT_EQ(
      ranked(plain, request(transport_properties{}.prefer(property_id::multistreaming))).front(),
      "sctp");
}

TEST_F(selection_test, policy_ranks_between_explicit_wishes_and_history) {
  auto x = request(transport_properties{}.prefer(property_id::multistreaming));
  x.policy = [](const protocol_stack& stack) {
    return policy_answer{stack.name == "mptcp" ? policy_answer::verdict::prefer
                                               : policy_answer::verdict::neutral,
                         {}};
  };
  x.history = [](const protocol_stack& stack) {
    return stack.name == "tcp" ? past_outcome::succeeded : past_outcome::failed;
  };
  EXPECT_THAT(ranked(plain, x), ElementsAre("sctp", "mptcp", "tcp"));
}

TEST_F(selection_test, RAC_12_what_failed_goes_to_the_end) {
  auto x = request({});
  x.history = [](const protocol_stack& stack) {
    return stack.name == "tcp" ? past_outcome::failed : past_outcome::nothing;
  };
  EXPECT_THAT(ranked(plain, x), ElementsAre("mptcp", "sctp", "tcp"));
}

TEST_F(selection_test, RAC_12_what_is_hopeless_is_left_out) {
  auto x = request({});
  x.history = [](const protocol_stack& stack) {
    return stack.name == "tcp" ? past_outcome::hopeless : past_outcome::nothing;
  };
  EXPECT_THAT(ranked(plain, x), ElementsAre("mptcp", "sctp"));
  EXPECT_EQ(first_reason(select_among(plain, x), "tcp").why, exclusion_reason::cause::history);
  // Unless nothing else is left, or the application names it.
  EXPECT_THAT(ranked(two, x), ElementsAre("tcp"));
  x.protocols.named = {"tcp"};
  EXPECT_THAT(ranked(plain, x), ElementsAre("tcp", "mptcp", "sctp"));
}

TEST_F(selection_test, RAC_12_a_blocked_secure_stack_does_not_make_room_for_a_plain_one) {
  auto x = request({}, security_mode::opportunistic);
  x.history = [](const protocol_stack& stack) {
    return stack.security.empty() ? past_outcome::succeeded : past_outcome::hopeless;
  };
  EXPECT_THAT(ranked(compose_stacks({&tcp(), &tls()}), x), ElementsAre("tls/tcp", "tcp"));
}

TEST_F(selection_test, SEL_02_reliable_message_needs_message_transport) {
  EXPECT_THAT(ranked(plain, request(reliable_message())), ElementsAre("sctp"));
  const auto reason = failure(two, request(reliable_message()));
  EXPECT_EQ(reason, errc::no_candidates);
  EXPECT_EQ(reason.text(),
            "no protocol stack fits: tcp: no preserveMsgBoundaries (Require); udp: no "
            "reliability (Require)");
}

TEST_F(selection_test, SEL_03_unreliable_datagram_is_udp_even_beside_sctp) {
  const auto names = ranked(plain, request(unreliable_datagram()));
  ASSERT_FALSE(names.empty());
  EXPECT_EQ(names.front(), "udp");
}

TEST_F(selection_test, SEL_04_udp_is_no_candidate_without_safely_replayable) {
  auto x = request(unreliable_datagram().with(property_id::safely_replayable, false));
  EXPECT_THAT(ranked(plain, x), ElementsAre("sctp"));
  const auto chosen = select_among(plain, x);
  EXPECT_EQ(first_reason(chosen, "udp").why, exclusion_reason::cause::replay);
  const auto reason = failure(two, x);
  EXPECT_EQ(reason, errc::no_candidates);
  EXPECT_THAT(reason.text(),
              HasSubstr("udp: needs safelyReplayable, since it may deliver a Message twice"));
}

TEST_F(selection_test, SEL_04_who_only_receives_needs_no_safely_replayable) {
  auto x = request(unreliable_datagram()
                       .with(property_id::safely_replayable, false)
                       .with(property_id::direction, direction::unidirectional_receive));
  EXPECT_EQ(ranked(plain, x).front(), "udp");
}

TEST_F(selection_test, SEL_06_explicit_prefer_outranks_explicit_avoid) {
  // SCTP is the one with multistreaming, and the one with boundaries.
  auto x = request(transport_properties{}
                       .prefer(property_id::multistreaming)
                       .avoid(property_id::preserve_msg_boundaries));
  EXPECT_EQ(ranked(plain, x).front(), "sctp");
}

TEST_F(selection_test, SEL_06_explicit_avoid_outranks_default_prefer) {
  auto good = tcp();
  good.reach = reachability::unknown;
  auto x = request(transport_properties{}.avoid(property_id::preserve_msg_boundaries));
  auto sctp_known = sctp();
  sctp_known.reach = reachability::assumed;
  const auto stacks = compose_stacks({&sctp_known, &good});
  EXPECT_EQ(ranked(stacks, x).front(), "tcp");
  // Without the wish, reachability and default Prefer(multistreaming) would decide.
  EXPECT_EQ(ranked(stacks, request({})).front(), "sctp");
}

TEST_F(selection_test, SEL_11_default_security_never_yields_a_plain_stack) {
  for (const auto& properties : {transport_properties{}, reliable_message(), unreliable_datagram(),
                                 reliable_inorder_stream()}) {
    const auto x = request(properties, security_mode::secure);
    const auto chosen = select_among(all, x);
    for (const auto& y : chosen.ranked)
      EXPECT_EQ(y.stack->features.get(feature::encryption), support::always) << y.stack->name;
    EXPECT_THAT(ranked(plain, x), IsEmpty());
    EXPECT_EQ(failure(plain, x), errc::no_candidates);
  }
  EXPECT_EQ(ranked(all, request({}, security_mode::secure)).front(), "tls/tcp");
  EXPECT_THAT(ranked(all, request(unreliable_datagram(), security_mode::secure)),
              ElementsAre("dtls/udp"));
}

TEST_F(selection_test, SEL_11_the_text_says_how_to_get_plain_connections) {
  const auto reason = failure(two, request({}, security_mode::secure));
  EXPECT_EQ(reason.text(), "no protocol stack fits: tcp: no encryption; udp: no reliability "
                           "(Require); add security_parameters::disabled() for plain connections");
  // That advice would not help here.
  EXPECT_THAT(failure(two, request(reliable_message(), security_mode::secure)).text(),
              Not(HasSubstr("disabled()")));
}

TEST_F(selection_test, SEL_12_same_properties_same_choice) {
  const auto x = request(unreliable_datagram());
  const auto first = ranked(plain, x);
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(ranked(plain, x), first);
}

TEST_F(selection_test, SEL_12_the_order_of_registration_does_not_matter) {
  const auto other = compose_stacks({&sctp(), &udp(), &mptcp(), &tcp()});
  EXPECT_EQ(ranked(other, request({})), ranked(plain, request({})));
}

TEST_F(selection_test, active_multipath_prefers_capable_stacks) {
  EXPECT_EQ(
      ranked(compose_stacks({&tcp(), &mptcp()}),
             request(transport_properties{}.with(property_id::multipath, multipath_mode::active)))
          .front(),
      "mptcp");
}

TEST_F(selection_test, without_multipath_a_stack_for_it_gives_way_to_its_fallback) {
  auto several = mptcp();
  several.falls_back_to = &tcp();
  const auto stacks = compose_stacks({&tcp(), &several, &tls()});
  const auto wanted = [](multipath_mode mode) {
    return request(transport_properties{}.with(property_id::multipath, mode));
  };
  EXPECT_THAT(ranked(stacks, wanted(multipath_mode::disabled)), ElementsAre("tcp"));
  EXPECT_THAT(ranked(stacks, wanted(multipath_mode::passive)), ElementsAre("mptcp", "tcp"));
  // Layers stand on either.
  auto secure = wanted(multipath_mode::disabled);
  secure.security = security_mode::secure;
  EXPECT_THAT(ranked(stacks, secure), ElementsAre("tls/tcp"));
  // It stays where nothing else fits, and where an endpoint asks for it.
  auto by_name = wanted(multipath_mode::disabled);
  by_name.protocols.named = {"mptcp"};
  EXPECT_THAT(ranked(stacks, by_name), ElementsAre("mptcp", "tcp"));
  EXPECT_THAT(ranked(compose_stacks({&several}), wanted(multipath_mode::disabled)),
              ElementsAre("mptcp"));
  const auto told = select_among(stacks, wanted(multipath_mode::disabled));
  EXPECT_EQ(to_string(first_reason(told, "mptcp")), "without multipath the same as tcp");
}

TEST_F(selection_test, SEL_14_required_zero_rtt_prunes_udp_and_sctp) {
  EXPECT_THAT(ranked(plain, request(transport_properties{}.require(property_id::zero_rtt_msg))),
              ElementsAre("tcp", "mptcp"));
}

TEST_F(selection_test, policy_that_forbids_all_that_fits_is_named) {
  auto x = request({});
  x.policy = [](const protocol_stack& stack) {
    return stack.uses("tcp") ? policy_answer{policy_answer::verdict::forbid, "why"}
                             : policy_answer{};
  };
  const auto reason = failure(two, x);
  EXPECT_EQ(reason, errc::policy_prohibited);
  EXPECT_THAT(reason.text(), HasSubstr("tcp: forbidden by policy: why"));
}

TEST_F(selection_test, SEL_16_framers_give_byte_streams_boundaries) {
  auto x = request(reliable_message());
  x.framing_preserves_boundaries = true;
  const auto chosen = select_stacks(two, x);
  ASSERT_TRUE(chosen.has_value());
  ASSERT_EQ(chosen->ranked.size(), 1u);
  EXPECT_EQ(chosen->ranked[0].stack->name, "tcp");
  x.framing_preserves_boundaries = false;
  EXPECT_THAT(failure(two, x).text(), HasSubstr("preserveMsgBoundaries"));
}

TEST_F(selection_test, prohibited_boundaries_look_at_the_transport_only) {
  auto x = request(transport_properties{}.prohibit(property_id::preserve_msg_boundaries));
  x.framing_preserves_boundaries = true;
  EXPECT_THAT(ranked(plain, x), ElementsAre("tcp", "mptcp"));
}

TEST_F(selection_test, required_boundaries_race_one_data_unit_only) {
  auto x = request(reliable_message());
  x.framing_preserves_boundaries = true;
  EXPECT_THAT(ranked(plain, x), ElementsAre("tcp", "mptcp"));
  x.how = establishment::listen;
  // A Listener prefers several paths by default.
  EXPECT_THAT(ranked(plain, x), ElementsAre("mptcp", "tcp", "sctp"));
}

// -- preconnection ------------------------------------------------------------------

TEST_F(selection_test, PRE_06_nothing_does_per_message_reliability) {
  const auto reason =
      failure(two, request(transport_properties{}.require(property_id::per_msg_reliability)));
  EXPECT_EQ(reason, errc::no_candidates);
  EXPECT_THAT(reason.text(), HasSubstr("tcp: no perMsgReliability (Require)"));
}

TEST_F(selection_test, PRE_07_contradiction_is_an_invalid_configuration) {
  EXPECT_EQ(failure(all, request(transport_properties{}
                                     .prohibit(property_id::reliability)
                                     .require(property_id::per_msg_reliability))),
            errc::invalid_configuration);
}

TEST_F(selection_test, PRE_08_nothing_is_reliable_without_congestion_control) {
  const auto reason = failure(two, request(transport_properties{}
                                               .require(property_id::reliability)
                                               .prohibit(property_id::congestion_control)));
  EXPECT_EQ(reason, errc::no_candidates);
  EXPECT_EQ(reason.text(), "no protocol stack fits: tcp: always congestionControl (Prohibit); udp: "
                           "no reliability (Require)");
}

TEST_F(selection_test, stacks_with_the_same_reason_share_a_clause) {
  EXPECT_EQ(
      failure(compose_stacks({&tcp(), &mptcp()}), request({}, security_mode::secure)).text(),
      "no protocol stack fits: tcp, mptcp: no encryption; add security_parameters::disabled() "
      "for plain connections");
  EXPECT_EQ(failure({}, request({})).text(), "no protocol stack is available");
}

// -- security -----------------------------------------------------------------------

TEST_F(selection_test, disabled_security_excludes_encrypted_stacks) {
  for (const auto& name : ranked(all, request({})))
    EXPECT_THAT(name, Not(HasSubstr("tls")));
  EXPECT_THAT(failure(compose_stacks({&udp(), &quic()}), request({})).text(),
              HasSubstr("quic/udp: encrypted, but security is disabled"));
}

TEST_F(selection_test, only_equally_secure_stacks_race) {
  const auto chosen = select_among(all, request({}, security_mode::secure));
  std::vector<std::string> names;
  for (const auto& x : chosen.ranked)
    names.push_back(x.stack->name);
  EXPECT_THAT(names, ElementsAre("tls/tcp", "tls/mptcp"));
  EXPECT_EQ(first_reason(chosen, "quic/udp").why, exclusion_reason::cause::not_equivalent);
  EXPECT_EQ(to_string(first_reason(chosen, "quic/udp")),
            "security 'quic' differs from 'tls' of the best stack");

  auto x = request({}, security_mode::secure);
  x.equally_secure = [](const auto&, const auto&) { return true; };
  EXPECT_THAT(ranked(all, x), ElementsAre("tls/tcp", "tls/mptcp", "quic/udp"));
}

TEST_F(selection_test, opportunistic_security_falls_back_only_after_failure) {
  const auto chosen =
      select_among(compose_stacks({&tcp(), &tls()}), request({}, security_mode::opportunistic));
  ASSERT_EQ(chosen.ranked.size(), 2u);
  EXPECT_FALSE(chosen.ranked[0].only_after_failure);
  EXPECT_TRUE(chosen.ranked[1].only_after_failure);
  // Nothing encrypted exists: plain is the best there is.
  const auto fallback = select_among(two, request({}, security_mode::opportunistic));
  ASSERT_EQ(fallback.ranked.size(), 1u);
  EXPECT_FALSE(fallback.ranked[0].only_after_failure);
}

TEST_F(selection_test, opportunistic_security_ranks_encryption_above_wishes) {
  const auto stacks = compose_stacks({&sctp(), &tcp(), &tls()});
  EXPECT_EQ(ranked(stacks, request(transport_properties{}.prefer(property_id::multistreaming),
                                   security_mode::opportunistic))
                .front(),
            "tls/tcp");
}

// -- ranking ------------------------------------------------------------------------

TEST_F(selection_test, recent_failure_goes_last_but_stays) {
  auto x = request({});
  x.history = [](const protocol_stack& stack) {
    return stack.name == "tcp" ? past_outcome::failed : past_outcome::nothing;
  };
  EXPECT_THAT(ranked(plain, x), ElementsAre("mptcp", "sctp", "tcp"));
}

TEST_F(selection_test, named_protocols_count_as_known) {
  auto x = request({});
  const std::vector<remote_endpoint> endpoints{remote_endpoint{}.with_protocol("SCTP"),
                                               remote_endpoint{}};
  x.protocols = restriction_of(endpoints);
  EXPECT_FALSE(x.protocols.exclusive);
  EXPECT_THAT(ranked(plain, x), ElementsAre("sctp", "tcp", "mptcp"));
}

TEST_F(selection_test, protocols_without_endpoint_are_out) {
  auto x = request({});
  const std::vector<remote_endpoint> endpoints{remote_endpoint{}.with_protocol("udp"),
                                               remote_endpoint{}.with_protocol("udp")};
  x.protocols = restriction_of(endpoints);
  EXPECT_TRUE(x.protocols.exclusive);
  EXPECT_EQ(failure(two, x).text(), "no protocol stack fits: tcp: the Remote Endpoints are for udp "
                                    "only; udp: no reliability (Require)");
  EXPECT_FALSE(restriction_of({}).exclusive);
}

TEST_F(selection_test, default_order_then_name_break_ties) {
  auto a = tcp();
  auto b = tcp();
  a.name = "b-name";
  b.name = "a-name";
  EXPECT_THAT(ranked(compose_stacks({&a, &b}), request({})), ElementsAre("a-name", "b-name"));
  a.default_order = -1;
  EXPECT_THAT(ranked(compose_stacks({&b, &a}), request({})), ElementsAre("b-name", "a-name"));
}

TEST_F(selection_test, rendezvous_ignores_active_read_before_send) {
  auto x = request(unreliable_datagram().require(property_id::active_read_before_send));
  EXPECT_THAT(ranked(two, x), IsEmpty());
  x.how = establishment::rendezvous;
  EXPECT_THAT(ranked(two, x), ElementsAre("udp"));
}
