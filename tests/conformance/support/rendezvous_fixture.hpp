#pragma once

#include "taps/tests/conformance/support/fixture.hpp"

namespace taps::testing {

/// Two sides of a Rendezvous, and the signalling between them: function calls.
class rendezvous_conformance : public conformance {
protected:
  using conformance::conformance;

  struct side {
    preconnection pre;
    owner by;
    std::vector<local_endpoint> found{};
    taps::connection connection{};
  };

  side make_side(transport_services& net, const local_endpoint& where,
                 const transport_properties& wanted) {
    return {net.preconnection(where, wanted, plain()), make_owner()};
  }

  /// Resolves, as an application does before it tells the other side.
  void resolve_side(side& x) {
    caf::scoped_actor self{system_};
    auto answer = resolve(x.pre, self);
    ASSERT_TRUE(answer) << to_string(answer.failure());
    x.found = answer->locals;
    ASSERT_FALSE(x.found.empty());
  }

  static remote_endpoint as_remote(const local_endpoint& x) {
    remote_endpoint result;
    result.with_ip_address(*x.address()).with_port(x.port().value_or(0));
    if (x.interface())
      result.with_interface(*x.interface());
    return result;
  }

  static void introduce(side& to, const side& whom) {
    for (const auto& x : whom.found)
      to.pre.add_remote(as_remote(x));
  }

  void meet(side& x, duration timeout = std::chrono::seconds{9}) {
    x.connection = rendezvous(x.pre, x.by.actor, {timeout});
  }

  /// Both resolve, hear of each other, and meet.
  void meet(side& a, side& b) {
    resolve_side(a);
    resolve_side(b);
    introduce(a, b);
    introduce(b, a);
    meet(a);
    meet(b);
  }

  void expect_met(side& a, side& b) {
    for (auto* x : {&a, &b}) {
      const auto done = x->by.log->wait_first();
      EXPECT_EQ(done.what, "rendezvous_done") << to_string(done.reason) << to_string(done.report);
      EXPECT_EQ(done.state, connection_state::established);
      EXPECT_EQ(done.connection, x->connection);
      ASSERT_TRUE(done.report.winner()) << to_string(done.report);
    }
  }

  /// What one sends arrives at the other, both ways.
  void expect_talk(side& a, side& b, const std::string& event) {
    talk(a, b, event, "there");
    talk(b, a, event, "and back");
  }

  void talk(side& from, side& to, const std::string& event, const std::string& text) {
    send(from.connection, text);
    receive(to.connection);
    const auto got = to.by.log->wait(event);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(got.data.data()), got.data.size()), text);
  }
};

}  // namespace taps::testing
