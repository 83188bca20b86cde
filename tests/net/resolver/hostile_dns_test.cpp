// Servers that are broken or mean no good, over real sockets: no query crashes, hangs, brings more
// than the caps allow, or spoils the next one.

#include "taps/core/base/random.hpp"
#include "taps/tests/net/resolver/resolver_fixture.hpp"
#include "taps/tests/support/dns_message/dns_message.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <functional>
#include <iostream>
#include <random>

namespace taps::testing {

namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using ::testing::HasSubstr;

constexpr auto v4 = ip_family::v4;

/// What a request asks.
struct request {
  unsigned id = 0;
  std::string name;
  unsigned type = 0;

  /// Begins an answer to it.
  [[nodiscard]] dns_message reply() const { return {name, type, id}; }
};

request read_request(std::string_view bytes) {
  const auto number = [&](std::size_t at) {
    return static_cast<unsigned>(static_cast<unsigned char>(bytes[at]) << 8 |
                                 static_cast<unsigned char>(bytes[at + 1]));
  };
  request x{number(0), {}, 0};
  std::size_t at = 12;
  for (; bytes[at] != 0; at += 1 + static_cast<std::size_t>(bytes[at]))
    x.name += (x.name.empty() ? "" : ".") +
              std::string{bytes.substr(at + 1, static_cast<std::size_t>(bytes[at]))};
  x.type = number(at + 1);
  return x;
}

/// A server on a loopback port whose answers are whatever the test says, and a second socket of a
/// stranger. A stream to it is accepted by the kernel, and never answered.
class scripted_server : public io_source {
public:
  using script = std::function<std::vector<std::string>(const request&)>;

  explicit scripted_server(reactor& loop) : loop_(loop), stranger_(bound(SOCK_DGRAM, 0)) {
    take_a_port();
    EXPECT_EQ(::listen(streams_.get(), 8), 0);
    EXPECT_TRUE(loop.add(socket_.get(), EPOLLIN, *this));
  }

  /// What is sent for a request, and what a stranger sends before.
  script answers;
  script strangers;

  [[nodiscard]] std::uint16_t port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }

  void on_io(std::uint32_t) override {
    std::array<char, 2048> bytes;
    sockaddr_in from{};
    socklen_t size = sizeof from;
    auto* sender = reinterpret_cast<sockaddr*>(&from);
    const auto n = ::recvfrom(socket_.get(), bytes.data(), bytes.size(), 0, sender, &size);
    ASSERT_GT(n, 12);
    const auto asked = read_request({bytes.data(), static_cast<std::size_t>(n)});
    if (strangers)
      for (const auto& x : strangers(asked))
        ::sendto(stranger_.get(), x.data(), x.size(), 0, sender, size);
    for (const auto& x : answers(asked))
      ::sendto(socket_.get(), x.data(), x.size(), 0, sender, size);
  }

private:
  /// Invalid if that port is taken.
  sys::descriptor bound(int type, std::uint16_t port) {
    auto& os = loop_.os();
    sys::descriptor made{os, os.socket(AF_INET, type, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(made.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      made.reset();
    return made;
  }

  /// Whoever has a port for datagrams need not get it for streams.
  void take_a_port() {
    for (int i = 0; i < 100 && !streams_; ++i) {
      socket_ = bound(SOCK_DGRAM, 0);
      streams_ = bound(SOCK_STREAM, port());
    }
    EXPECT_TRUE(streams_);
  }

  reactor& loop_;
  sys::descriptor socket_;
  sys::descriptor streams_;
  sys::descriptor stranger_;
};

const auto good_address = "\xc0\0\2\1"s;

/// What an honest server says: each name has an address, and each service a place.
std::string honest(const request& x) {
  auto reply = x.reply();
  if (x.type == dns_a)
    reply.answer(x.name, dns_a, good_address);
  if (x.type == dns_srv)
    reply.answer(x.name, dns_srv, srv_data(1, 2, 3, "one.test"));
  if (x.type == dns_https)
    reply.answer(x.name, dns_https, https_data(1, ""));
  return reply.bytes();
}

class hostile_dns : public resolver_fixture {
protected:
  hostile_dns() {
    dns_options options;
    options.servers = {"127.0.0.1:" + std::to_string(server.port())};
    options.hosts_file = "/dev/null";
    options.timeout = 100ms;
    options.tries = 2;
    names = make(options);
  }

  ~hostile_dns() override {
    // Whatever came before, an honest answer is taken.
    server.strangers = nullptr;
    server.answers = [](const request& x) { return std::vector{honest(x)}; };
    EXPECT_EQ(answer(*names, "afterwards.test", v4), "192.0.2.1");
    EXPECT_EQ(places(*names, "_afterwards._tcp.test", dns_record::srv), "1 2 one.test:3");
  }

  /// Lets the server answer this to all.
  void always(std::function<std::string(const request&)> what) {
    server.answers = [what](const request& x) { return std::vector{what(x)}; };
  }

  std::string address() { return answer(*names, "name.test", v4); }
  std::string service() { return places(*names, "_name._tcp.test", dns_record::srv); }

  /// What comes of both, asked side by side.
  std::pair<std::string, std::string> both() {
    const auto four = ask(*names, "name.test", v4);
    const auto offers = ask(*names, "_name._tcp.test", dns_record::srv);
    run_until([&] { return four->done() && offers->done(); });
    return {four->text(), offers->text()};
  }

  scripted_server server{loop};
  std::unique_ptr<resolver> names;
};

// -- answers to nobody's question -----------------------------------------------------

TEST_F(hostile_dns, another_id_is_not_believed) {
  server.answers = [](const request& x) {
    auto wrong = x;
    wrong.id ^= 1;
    auto lie = wrong.reply();
    lie.answer(x.name, x.type, x.type == dns_a ? "\x0a\0\0\1"s : srv_data(6, 6, 6, "evil.test"));
    return std::vector{lie.bytes(), honest(x)};
  };
  EXPECT_EQ(address(), "192.0.2.1");
  EXPECT_EQ(service(), "1 2 one.test:3");
}

TEST_F(hostile_dns, an_answer_to_another_question_is_not_believed) {
  server.answers = [](const request& x) {
    dns_message lie{"other.test", x.type, x.id};
    lie.answer("other.test", x.type,
               x.type == dns_a ? "\x0a\0\0\1"s : srv_data(6, 6, 6, "evil.test"));
    return std::vector{lie.bytes(), honest(x)};
  };
  EXPECT_EQ(address(), "192.0.2.1");
  EXPECT_EQ(service(), "1 2 one.test:3");
}

TEST_F(hostile_dns, a_stranger_is_not_believed) {
  server.strangers = [](const request& x) {
    auto lie = x.reply();
    lie.answer(x.name, x.type, x.type == dns_a ? "\x0a\0\0\1"s : srv_data(6, 6, 6, "evil.test"));
    return std::vector{lie.bytes()};
  };
  always(honest);
  EXPECT_EQ(address(), "192.0.2.1");
  EXPECT_EQ(service(), "1 2 one.test:3");
}

TEST_F(hostile_dns, records_of_other_names_are_not_places_of_a_service) {
  always([](const request& x) {
    return x.reply().answer("other.test", dns_srv, srv_data(6, 6, 6, "evil.test")).bytes();
  });
  EXPECT_EQ(service(), "");
}

// -- answers that make no sense -------------------------------------------------------

TEST_F(hostile_dns, EST_04_rubbish_ends_as_resolution_failed) {
  for (const auto& rubbish : {""s, "x"s, std::string(11, '\0'), std::string(12, '\xff'),
                              std::string(600, '\xc0'), std::string(4000, '\1')}) {
    always([&](const request&) { return rubbish; });
    const auto [four, offers] = both();
    EXPECT_THAT(four, HasSubstr("cannot resolve")) << rubbish.size();
    EXPECT_THAT(offers, HasSubstr("cannot resolve")) << rubbish.size();
  }
}

TEST_F(hostile_dns, an_answer_cut_off_anywhere_ends) {
  const auto whole = honest({0, "name.test", dns_a}).size();
  for (std::size_t size = 12; size < whole; size += 5) {
    always([&](const request& x) { return honest(x).substr(0, size); });
    const auto [four, offers] = both();
    EXPECT_THAT(four, HasSubstr("cannot resolve")) << size;
    EXPECT_THAT(offers, ::testing::AnyOf(HasSubstr("cannot resolve"), HasSubstr("malformed")))
        << size;
  }
}

TEST_F(hostile_dns, a_truncated_answer_without_a_stream_that_answers_ends) {
  always([](const request& x) { return x.reply().truncated().bytes(); });
  EXPECT_THAT(address(), HasSubstr("cannot resolve"));
  EXPECT_THAT(service(), HasSubstr("cannot resolve"));
}

TEST_F(hostile_dns, aliases_in_circles_end) {
  always([](const request& x) {
    return x.reply()
        .answer(x.name, dns_cname, wire_name("a.test"))
        .answer("a.test", dns_cname, wire_name(x.name))
        .bytes();
  });
  EXPECT_THAT(address(), ::testing::AnyOf("", HasSubstr("cannot resolve")));
  EXPECT_THAT(service(), HasSubstr("in circles"));
}

TEST_F(hostile_dns, names_of_no_length_end) {
  always([](const request& x) {
    return x.reply()
        .answer(x.name, dns_cname, wire_name(""))
        .answer("", x.type, x.type == dns_a ? good_address : srv_data(0, 0, 1, ""))
        .bytes();
  });
  EXPECT_THAT(address(), ::testing::AnyOf("192.0.2.1", HasSubstr("cannot resolve")));
  EXPECT_EQ(service(), "0 0 :1");
}

TEST_F(hostile_dns, noise_in_an_answer_ends) {
  const auto seed = std::random_device{}();
  std::cout << "seed " << seed << '\n';
  random_source random{seed};
  always([&](const request& x) {
    auto bytes = honest(x);
    for (auto n = 1 + random.below(4); n > 0; --n)
      bytes[12 + random.below(bytes.size() - 12)] = static_cast<char>(random());
    return bytes;
  });
  std::vector<std::unique_ptr<asked_for>> addresses;
  std::vector<std::unique_ptr<services_asked_for>> offers;
  for (int i = 0; i < 200; ++i) {
    const auto name = std::to_string(i) + ".test";
    addresses.push_back(ask(*names, name, v4));
    offers.push_back(
        ask(*names, "_a._b." + name, i % 2 == 0 ? dns_record::srv : dns_record::https));
  }
  EXPECT_TRUE(run_until([&] {
    return std::ranges::all_of(addresses, [](const auto& x) { return x->done(); }) &&
           std::ranges::all_of(offers, [](const auto& x) { return x->done(); });
  }));
}

// -- too much -------------------------------------------------------------------------

TEST_F(hostile_dns, an_answer_that_no_datagram_holds_ends) {
  always([](const request& x) {
    auto reply = x.reply();
    for (unsigned i = 0; i < 1000; ++i)
      reply.answer(x.name, dns_a, "\x0a\0"s + u16(i));
    return reply.bytes();
  });
  EXPECT_THAT(address(), HasSubstr("cannot resolve"));
}

TEST_F(hostile_dns, extreme_lives_are_neither_negative_nor_endless) {
  for (const std::uint32_t ttl : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
    always([&](const request& x) {
      return x.reply()
          .answer(x.name, x.type, x.type == dns_a ? good_address : srv_data(1, 2, 3, "one.test"),
                  ttl)
          .bytes();
    });
    const auto name = "life" + std::to_string(ttl) + ".test";
    const auto x = ask(*names, name, v4);
    ASSERT_TRUE(run_until([&] { return x->done(); }));
    ASSERT_TRUE(*x->outcome);
    EXPECT_GE((**x->outcome).entries.at(0).ttl, 0s) << ttl;
    EXPECT_LE((**x->outcome).entries.at(0).ttl, 0x7fffffffs) << ttl;
    EXPECT_EQ(places(*names, "_" + name, dns_record::srv), "1 2 one.test:3");
  }
}

}  // namespace

}  // namespace taps::testing
