#include "taps/core/candidate/stack.hpp"

#include "taps/tests/core/candidate/protocols.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace taps;
using namespace taps::testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace {

support has(const protocol_stack& stack, feature what) { return stack.features.get(what); }

}  // namespace

TEST(stack, base_protocols_stand_alone) {
  const auto stacks = compose_stacks({&tcp(), &udp()});
  EXPECT_THAT(names_of(stacks), ElementsAre("tcp", "udp"));
  EXPECT_EQ(&stacks[0].base(), &tcp());
  EXPECT_EQ(&stacks[0].top(), &tcp());
  EXPECT_EQ(stacks[1].unit, data_unit::datagram);
  EXPECT_TRUE(stacks[1].connectionless);
  EXPECT_EQ(stacks[1].security, "");
}

TEST(stack, layers_compose_with_every_base_that_fits) {
  EXPECT_THAT(names_of(compose_stacks({&tls(), &tcp(), &dtls(), &mptcp(), &udp(), &sctp()})),
              ElementsAre("tcp", "tls/tcp", "mptcp", "tls/mptcp", "udp", "dtls/udp", "sctp"));
}

TEST(stack, nothing_is_encrypted_twice) {
  EXPECT_THAT(names_of(compose_stacks({&tls(), &dtls(), &quic(), &udp()})),
              ElementsAre("udp", "dtls/udp", "quic/udp"));
}

TEST(stack, layers_stack_on_layers_but_none_twice) {
  auto records = describe_protocol("records", data_unit::message, 1);
  records.runs_over = data_unit::byte_stream;
  auto mux = describe_protocol("mux", data_unit::message, 1);
  mux.runs_over = data_unit::message;
  EXPECT_THAT(names_of(compose_stacks({&tcp(), &records, &mux})),
              ElementsAre("tcp", "records/tcp", "mux/records/tcp"));
}

TEST(stack, layers_without_a_base_make_nothing) {
  EXPECT_THAT(compose_stacks({&tls(), &udp()}), ::testing::SizeIs(1));
  EXPECT_THAT(compose_stacks({&tls()}), IsEmpty());
  EXPECT_THAT(compose_stacks({}), IsEmpty());
}

TEST(stack, layer_decides_what_it_sets_and_inherits_the_rest) {
  const auto tls_tcp = add_layer(make_stack(tcp()), tls());
  EXPECT_EQ(has(tls_tcp, feature::encryption), support::always);
  EXPECT_EQ(has(tls_tcp, feature::reliability), support::always);
  EXPECT_EQ(has(tls_tcp, feature::keep_alive), support::on_request);
  EXPECT_EQ(has(tls_tcp, feature::multipath), support::never);
  EXPECT_EQ(has(add_layer(make_stack(mptcp()), tls()), feature::multipath), support::on_request);

  const auto dtls_udp = add_layer(make_stack(udp()), dtls());
  EXPECT_EQ(has(dtls_udp, feature::preserve_msg_boundaries), support::always);
  EXPECT_EQ(has(dtls_udp, feature::replay_protection), support::always);
  // Below on request, but the layer says never.
  EXPECT_EQ(has(dtls_udp, feature::soft_error_notify), support::never);
}

TEST(stack, byte_stream_over_datagrams_loses_their_boundaries) {
  auto layer = describe_protocol("stream", data_unit::byte_stream, 0);
  layer.runs_over = data_unit::datagram;
  const auto stack = add_layer(make_stack(udp()), layer);
  EXPECT_EQ(has(stack, feature::preserve_msg_boundaries), support::never);
  EXPECT_EQ(stack.unit, data_unit::byte_stream);
}

TEST(stack, costs_and_knowledge_add_up) {
  const auto stack = add_layer(make_stack(tcp()), tls());
  EXPECT_EQ(stack.name, "tls/tcp");
  EXPECT_EQ(stack.round_trips, 2u);
  EXPECT_EQ(stack.default_order, 10);
  EXPECT_EQ(stack.security, "tls");
  EXPECT_THAT(stack.honours, ElementsAre(property_id::keep_alive, property_id::conn_timeout,
                                         property_id::idle_timeout));
  EXPECT_FALSE(add_layer(make_stack(udp()), dtls()).connectionless);
  const auto quic_udp = add_layer(make_stack(udp()), quic());
  EXPECT_EQ(quic_udp.reach, reachability::unknown);
  EXPECT_TRUE(quic_udp.multiplexes);
  auto layer = tls();
  layer.runs_over = data_unit::message;
  EXPECT_TRUE(add_layer(make_stack(sctp()), layer).multiplexes);
  EXPECT_EQ(add_layer(make_stack(sctp()), layer).reach, reachability::unknown);
}

TEST(stack, is_found_by_its_name_and_by_its_parts) {
  const auto stack = add_layer(make_stack(tcp()), tls());
  for (auto name : {"tls/tcp", "TLS/TCP", "tls", "TCP", "tcp"})
    EXPECT_TRUE(stack.uses(name)) << name;
  for (auto name : {"", "udp", "tcp/tls", "tc", "tcpx"})
    EXPECT_FALSE(stack.uses(name)) << name;
}

TEST(descriptor, features_have_the_names_of_their_properties) {
  EXPECT_EQ(to_string(feature::preserve_msg_boundaries), "preserveMsgBoundaries");
  EXPECT_EQ(to_string(feature::encryption), "encryption");
  EXPECT_EQ(property_of(feature::encryption), std::nullopt);
  for (std::size_t i = 0; i < num_features; ++i)
    EXPECT_NE(to_string(static_cast<feature>(i)), "unknown") << i;
  EXPECT_EQ(to_string(support::on_request), "on request");
  EXPECT_EQ(to_string(data_unit::byte_stream), "byte stream");
}

TEST(descriptor, feature_vector_knows_what_was_decided) {
  feature_vector x;
  EXPECT_EQ(x.get(feature::reliability), support::never);
  EXPECT_FALSE(x.decides(feature::reliability));
  x.set(feature::reliability, support::never);
  EXPECT_TRUE(x.decides(feature::reliability));
  EXPECT_FALSE(x.decides(feature::preserve_order));
}
