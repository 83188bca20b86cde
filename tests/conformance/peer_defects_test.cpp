// Defects that other implementations of TAPS showed when they were run. Each is a test here, named
// `<whose>_<what>`. Those about time are in tests/simulation/peer_defects_test.cpp. What was wasted
// work there (reads before reads, one write per Message) is counted in
// tests/net/stream/connection_test.cpp: a_round_trip_is_one_call_of_each_kind and
// pieces_leave_in_one_call.

#include "taps/tests/conformance/support/names_fixture.hpp"

#include <atomic>
#include <csignal>
#include <thread>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;

namespace {

using id = property_id;

const reaction receive_at_once = [](auto*, const told& x) {
  if (x.what == "connection_received")
    receive(x.connection, {.count = receive_request::unlimited});
};

/// A frame of `length_prefix`.
std::string frame(const std::string& payload) {
  const auto n = payload.size();
  return std::string{static_cast<char>(n >> 24), static_cast<char>(n >> 16),
                     static_cast<char>(n >> 8), static_cast<char>(n)} +
         payload;
}

class peer_defects : public conformance_names {
protected:
  /// What the owner of a Connection to `where` hears once all is over.
  std::string outcome(const remote_endpoint& where, const transport_properties& wanted,
                      security_parameters security = plain()) {
    auto me = make_owner();
    initiate(net_.preconnection(where, wanted, security), me.actor);
    me.log->wait_first();
    // Another establishment later nothing more has come.
    auto other = make_owner();
    closed_port nobody;
    initiate(to(loopback_remote(nobody.port())), other.actor);
    other.log->wait("establishment_error");
    return me.log->names();
  }

  void connect(std::vector<framer_factory> framers = {}, reaction react = {}) {
    listener_ = posix_bind();
    me_ = make_owner(std::move(react));
    auto pre = to(loopback_remote(listener_.port()));
    for (auto& x : framers)
      pre.add_framer(x);
    made_ = initiate(pre, me_.actor);
    peer_ = posix_accept(listener_);
    me_.log->wait("ready");
  }

  posix_socket listener_;
  posix_socket peer_;
  owner me_;
  connection made_;
};

/// Puts its letter before each Message, and takes it off; for byte streams with whole reads.
class letter_framer : public framer {
public:
  explicit letter_framer(char letter) : letter_(letter) {}
  std::string_view name() const noexcept override { return "letter"; }
  result<void> new_sent_message(framer_context& context, slice data, const message_context&,
                                bool) override {
    context.send(slice::copy_of(letter_ + data.str()));
    return {};
  }
  void handle_received_data(framer_context& context) override {
    while (auto view = context.parse(2, 1 << 20)) {
      auto text =
          std::string{reinterpret_cast<const char*>(view->bytes.data()), view->bytes.size()};
      context.advance_receive_cursor(text.size());
      EXPECT_EQ(text.front(), letter_);
      context.deliver(context.inbound_context(), slice::copy_of(text.substr(1)), true);
    }
  }

private:
  char letter_;
};

framer_factory letter(char x) {
  return [x] { return std::make_unique<letter_framer>(x); };
}

}  // namespace

// -- no event, too many events, crashes -----------------------------------------------------------

TEST_F(peer_defects, pytaps_no_event_when_all_refuse) {
  closed_port nobody;
  EXPECT_EQ(outcome(loopback_remote(nobody.port()), reliable_inorder_stream()),
            "establishment_error");
}

TEST_F(peer_defects, pytaps_ctaps_no_event_or_crash_without_name) {
  const auto where = remote_endpoint{}.with_hostname("absent.test").with_port(7);
  EXPECT_EQ(outcome(where, reliable_inorder_stream()), "establishment_error");
  EXPECT_EQ(outcome(where, unreliable_datagram()), "establishment_error");
}

TEST_F(peer_defects, pytaps_no_event_for_what_no_stack_can_do) {
  const auto wanted = transport_properties{}.require(id::per_msg_reliability);
  EXPECT_EQ(outcome(loopback_remote(9), wanted), "establishment_error");
}

TEST_F(peer_defects, ctaps_two_events_when_several_refuse) {
  closed_port a;
  closed_port b;
  auto pre = to(loopback_remote(a.port()));
  pre.add_remote(loopback_remote(b.port()));
  pre.set_racing({.mode = racing_mode::simultaneous});
  auto me = make_owner();
  auto made = initiate(pre, me.actor);
  me.log->wait("establishment_error");
  expect_closed(made);
  EXPECT_EQ(me.log->names(), "establishment_error");
}

TEST_F(peer_defects, ctaps_crash_when_the_preconnection_goes_after_initiate) {
  auto server = listen_at(at(loopback_local()), receive_at_once);
  auto me = make_owner();
  connection made;
  {
    auto pre = to(remote_endpoint{}.with_hostname("localhost").with_port(server.port));
    pre.add_framer(letter('p'));
    made = initiate(pre, me.actor);
  }
  taps::send(made, "x");
  me.log->wait("ready");
  EXPECT_EQ(server.by.log->wait("received_partial").data.view(), "px");
}

TEST_F(peer_defects, neat_crash_by_text_instead_of_a_list) {
  transport_properties wanted;
  EXPECT_FALSE(wanted.set("interface", "lo"));
  EXPECT_FALSE(wanted.set("transport", "tcp"));
  EXPECT_FALSE(wanted.set("connTimeout", "soon"));
  EXPECT_TRUE(wanted.check());
  EXPECT_EQ(outcome(loopback_remote(9), reliable_inorder_stream().with(id::interface, "lo")),
            "establishment_error");
}

TEST_F(peer_defects, neat_server_ends_when_a_peer_resets) {
  auto server = listen_at(at(loopback_local()), [](auto*, const told& x) {
    if (x.what == "connection_received")
      receive(x.connection);
    if (x.what == "received_partial")
      taps::send(x.connection, x.data);
  });
  auto rude = posix_connect(server.port);
  ASSERT_TRUE(rude.send("x"));
  EXPECT_EQ(rude.read(1), "x");
  rude.reset();
  server.by.log->wait("connection_error");
  auto next = posix_connect(server.port);
  ASSERT_TRUE(next.send("y"));
  EXPECT_EQ(next.read(1), "y");
}

// -- lost or disordered -------------------------------------------------------------------------

TEST_F(peer_defects, ctaps_close_drops_queued_sends) {
  connect();
  const std::string block(10000, 'x');
  for (int i = 0; i < 400; ++i)
    taps::send(made_, block, {}, {.notify = true});
  close(made_);
  EXPECT_EQ(peer_.read().size(), 400 * block.size());
  peer_.close();
  me_.log->wait("closed");
  EXPECT_EQ(me_.log->count("sent"), 400u);
  EXPECT_EQ(me_.log->count("send_error"), 0u);
}

TEST_F(peer_defects, neatpy_messages_of_equal_priority_are_scrambled) {
  auto pre = at(loopback_local());
  pre.add_framer(length_prefix());
  auto server = listen_at(pre, receive_at_once);
  auto me = make_owner();
  auto towards = to(loopback_remote(server.port));
  towards.add_framer(length_prefix());
  auto made = initiate(towards, me.actor);
  me.log->wait("ready");
  for (int i = 0; i < 20; ++i)
    taps::send(made, std::to_string(i));
  server.by.log->wait("received", 20);
  int i = 0;
  for (const auto& x : server.by.log->all())
    if (x.what == "received") {
      EXPECT_EQ(x.data.view(), std::to_string(i++));
    }
}

TEST_F(peer_defects, neatpy_only_the_last_send_before_ready_survives) {
  auto listener = posix_bind();
  auto me = make_owner();
  auto made = initiate(to(loopback_remote(listener.port())), me.actor);
  for (const auto* x : {"one ", "two ", "three "})
    taps::send(made, x);
  close(made);
  auto peer = posix_accept(listener);
  EXPECT_EQ(peer.read(), "one two three ");
}

TEST_F(peer_defects, pytaps_reply_is_lost_when_the_peer_has_finished) {
  auto server = listen_at(at(loopback_local()), [](auto*, const told& x) {
    if (x.what == "connection_received")
      receive(x.connection, {.count = receive_request::unlimited});
    if (x.what == "received_partial" && x.end) {
      taps::send(x.connection, std::string(100000, 'r'));
      close(x.connection);
    }
  });
  auto peer = posix_connect(server.port);
  ASSERT_TRUE(peer.send("question"));
  peer.finish();
  EXPECT_EQ(peer.read().size(), 100000u);
}

// -- back-pressure ------------------------------------------------------------------------------

TEST_F(peer_defects, pytaps_sent_events_although_the_peer_does_not_read) {
  connect();
  const auto megabyte = slice::copy_of(std::string(1 << 20, 'x'));
  for (int i = 0; i < 200; ++i)
    taps::send(made_, megabyte, {}, {.notify = true});
  settle(made_);
  // What the two sockets hold, a few megabytes each, and no more.
  EXPECT_LT(me_.log->count("sent"), 50u);
  close(made_);
  EXPECT_EQ(peer_.read().size(), std::size_t{200} << 20);
  peer_.close();
  me_.log->wait("closed");
  EXPECT_EQ(me_.log->count("sent"), 200u);
}

TEST_F(peer_defects, ctaps_receiving_is_never_paused) {
  connect();
  std::size_t written = 0;
  const std::string block(64 * 1024, 'x');
  pollfd wait{peer_.get(), POLLOUT, 0};
  while (written < (std::size_t{256} << 20) && ::poll(&wait, 1, 300) == 1) {
    const auto n = ::send(peer_.get(), block.data(), block.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0)
      written += static_cast<std::size_t>(n);
  }
  EXPECT_LT(written, std::size_t{64} << 20);
  receive(made_, {.count = receive_request::unlimited});
  EXPECT_EQ(::poll(&wait, 1, 10000), 1);
}

// -- security -----------------------------------------------------------------------------------

TEST_F(peer_defects, pytaps_ctaps_plain_text_although_security_is_wanted) {
  auto listener = posix_bind();
  EXPECT_EQ(outcome(loopback_remote(listener.port()), reliable_inorder_stream(), {}),
            "establishment_error");
  auto me = make_owner();
  initiate_with_send(net_.preconnection(loopback_remote(listener.port())), me.actor,
                     slice::copy_of("secret"));
  EXPECT_EQ(me.log->wait("establishment_error").reason.reason(), errc::no_candidates);
  pollfd wait{listener.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, 0), 0) << "somebody connected";
}

// -- racing -------------------------------------------------------------------------------------

TEST_F(peer_defects, neat_ctaps_pytaps_a_failure_does_not_start_the_next) {
  closed_port nobody;
  auto server = listen_at(at(loopback_local()));
  auto pre = to(loopback_remote(nobody.port()));
  pre.add_remote(loopback_remote(server.port));
  auto me = make_owner();
  initiate(pre, me.actor);
  const auto ev = me.log->wait("ready");
  ASSERT_EQ(ev.report.candidates.size(), 2u);
  EXPECT_LT(ev.report.candidates[1].started() - ev.report.candidates[0].ended, 50ms);
}

// -- framers ------------------------------------------------------------------------------------

TEST_F(peer_defects, ctaps_framers_are_ignored_on_listeners) {
  auto pre = at(loopback_local());
  pre.add_framer(length_prefix());
  auto server = listen_at(pre, [](auto*, const told& x) {
    if (x.what == "connection_received")
      receive(x.connection, {.count = 100});
    if (x.what == "received")
      taps::send(x.connection, x.data);
  });
  auto peer = posix_connect(server.port);
  ASSERT_TRUE(peer.send(frame("hello")));
  EXPECT_EQ(peer.read(9), frame("hello"));
  EXPECT_EQ(server.by.log->wait("received").data.view(), "hello");
}

TEST_F(peer_defects, neatpy_second_framer_is_skipped_on_receive) {
  connect({letter('1'), letter('2')});
  receive(made_);
  taps::send(made_, "x");
  EXPECT_EQ(peer_.read(3), "12x");
  ASSERT_TRUE(peer_.send("12y"));
  EXPECT_EQ(me_.log->wait("received").data.view(), "y");
}

TEST_F(peer_defects, pytaps_one_of_four_messages_is_returned) {
  connect({length_prefix()});
  receive(made_, {.count = 4});
  ASSERT_TRUE(peer_.send(frame("a") + frame("b") + frame("c") + frame("d")));
  me_.log->wait("received", 4);
  std::string all;
  for (const auto& x : me_.log->all())
    all += x.data.str();
  EXPECT_EQ(all, "abcd");
}

// -- harm to the process --------------------------------------------------------------------------

TEST_F(peer_defects, neat_installs_signal_handlers) {
  // By now the library runs; afterwards it has run.
  const auto handlers = [] {
    std::vector<void (*)(int)> result;
    for (int i = 1; i < NSIG; ++i) {
      struct sigaction now {};
      if (::sigaction(i, nullptr, &now) == 0)
        result.push_back(now.sa_handler);
    }
    return result;
  };
  const auto expect_untouched = [&] {
    for (const auto signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGALRM}) {
      struct sigaction now {};
      ASSERT_EQ(::sigaction(signal, nullptr, &now), 0);
      EXPECT_TRUE(now.sa_handler == SIG_DFL || now.sa_handler == SIG_IGN) << signal;
    }
  };
  expect_untouched();
  const auto before = handlers();
  connect();
  peer_.reset();
  // SIGPIPE would end this program.
  taps::send(made_, "x");
  taps::send(made_, "y");
  me_.log->wait("connection_error");
  EXPECT_EQ(handlers(), before);
  expect_untouched();
}

TEST_F(peer_defects, neat_asks_name_servers_of_its_own) {
  // Only the server that was named hears of the name, and nobody of one in /etc/hosts.
  names_.add("peer.test", "127.0.0.1");
  auto listener = posix_bind();
  EXPECT_EQ(outcome(remote_endpoint{}.with_hostname("localhost").with_port(listener.port()),
                    reliable_inorder_stream()),
            "ready");
  EXPECT_TRUE(names_.asked().empty());
  closed_port nobody;
  outcome(remote_endpoint{}.with_hostname("peer.test").with_port(nobody.port()),
          reliable_inorder_stream());
  for (const auto& x : names_.asked())
    EXPECT_EQ(x, "peer.test");
  // One query for each family.
  EXPECT_EQ(names_.asked().size(), 2u);
}

TEST_F(peer_defects, ctaps_one_event_loop_for_the_whole_process) {
  auto server = listen_at(at(loopback_local()), receive_at_once);
  auto me = make_owner();
  connection made;
  {
    transport_services others{system_, options()};
    auto theirs = others.spawn(recorder, std::make_shared<event_log>(), reaction{});
    initiate(others.preconnection(loopback_remote(server.port), reliable_inorder_stream(), plain()),
             theirs);
    made = initiate(to(loopback_remote(server.port)), me.actor);
    me.log->wait("ready");
    server.by.log->wait("connection_received", 2);
  }
  // The others have ended with all that was theirs; ours goes on.
  server.by.log->wait("connection_error");
  taps::send(made, "alive");
  EXPECT_EQ(server.by.log->wait("received_partial").data.view(), "alive");
  EXPECT_EQ(me.log->names(), "ready");
}

TEST_F(peer_defects, neat_one_callback_per_event_for_the_whole_process) {
  auto server = listen_at(at(loopback_local()), [](auto*, const told& x) {
    if (x.what == "connection_received")
      receive(x.connection);
    if (x.what == "received_partial")
      taps::send(x.connection, "to " + x.data.str());
  });
  std::vector<owner> owners;
  for (const auto* name : {"a", "b", "c"}) {
    owners.push_back(make_owner());
    auto made = initiate(to(loopback_remote(server.port)), owners.back().actor);
    taps::send(made, name);
    receive(made);
  }
  for (std::size_t i = 0; i < owners.size(); ++i) {
    const auto ev = owners[i].log->wait("received_partial");
    EXPECT_EQ(ev.data.view(), std::string{"to "} + static_cast<char>('a' + i));
    EXPECT_EQ(owners[i].log->names(), "ready received_partial");
  }
}
