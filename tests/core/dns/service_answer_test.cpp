// What answers about services say, and what is wrong with them.

#include "taps/core/dns/service_answer.hpp"

#include "taps/tests/support/dns_message/dns_message.hpp"

#include <gmock/gmock.h>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;
using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

constexpr auto chat = "_chat._a.test";

dns_message about_chat() { return {chat, dns_srv}; }

dns_message about_https(const std::string& data) {
  return dns_message{"host.test", dns_https}.answer("host.test", dns_https, data);
}

service_records read(const dns_message& x, dns_record type = dns_record::srv) {
  auto found = read_service_answer(x.bytes(), type);
  EXPECT_TRUE(found) << (found ? "" : to_string(found.failure()));
  return found ? *found : service_records{};
}

std::string error_of(const std::string& bytes, dns_record type = dns_record::srv) {
  const auto found = read_service_answer(bytes, type);
  if (found)
    return "no error";
  EXPECT_EQ(found.failure(), errc::resolution_failed);
  return found.failure().text();
}

std::string https_error(const std::string& parameters) {
  return error_of(about_https(https_data(1, "", parameters)).bytes(), dns_record::https);
}

/// How many places are left of one with these parameters.
std::size_t usable(const std::string& parameters) {
  return read(about_https(https_data(1, "", parameters)), dns_record::https).entries.size();
}

}  // namespace

// -- SRV ------------------------------------------------------------------------------------------

TEST(service_answer, has_places_and_the_shortest_life) {
  const auto found = read(about_chat()
                              .answer(chat, dns_srv, srv_data(1, 2, 3, "one.test"), 90)
                              .answer(chat, dns_srv, srv_data(4, 5, 6, "two.test"), 30));
  ASSERT_EQ(found.entries.size(), 2u);
  EXPECT_EQ(found.entries[0], (service_record{1, 2, 3, "one.test"}));
  EXPECT_EQ(found.entries[1], (service_record{4, 5, 6, "two.test"}));
  EXPECT_EQ(found.ttl, 30s);
}

TEST(service_answer, follows_aliases_in_any_order_and_letter_case) {
  const auto found = read(about_chat()
                              .answer("B.test", dns_srv, srv_data(1, 2, 3, "one.test"), 90)
                              .answer("a.test", dns_cname, wire_name("b.TEST"), 20)
                              .answer("_CHAT._a.test", dns_cname, wire_name("a.test"), 50)
                              .answer("other.test", dns_srv, srv_data(1, 2, 3, "not.this"), 1));
  ASSERT_EQ(found.entries.size(), 1u);
  EXPECT_EQ(found.entries[0].target, "one.test");
  EXPECT_EQ(found.ttl, 20s);
}

TEST(service_answer, leaves_out_what_nobody_can_connect_to) {
  const auto found = read(about_chat()
                              .answer(chat, dns_srv, srv_data(1, 2, 0, "one.test"))
                              .answer(chat, dns_srv, srv_data(1, 2, 3, "bad name"))
                              .answer(chat, dns_srv, srv_data(1, 2, 3, "nul\0.test"s)));
  EXPECT_THAT(found.entries, IsEmpty());
}

TEST(service_answer, says_that_a_service_is_not_there) {
  const auto found = read(about_chat().answer(chat, dns_srv, srv_data(0, 0, 0, "")));
  ASSERT_EQ(found.entries.size(), 1u);
  EXPECT_EQ(found.entries[0].target, "");
}

TEST(service_answer, has_a_life_also_when_it_is_empty) {
  EXPECT_EQ(read(about_chat().zone("test", 77)).ttl, 77s);
  EXPECT_EQ(read(about_chat().code(3).zone("test", 77)).ttl, 77s);
  EXPECT_EQ(read(about_chat()).ttl, 0s);
}

TEST(service_answer, takes_extreme_lives_for_none) {
  const auto life = [](std::uint32_t ttl) {
    return read(about_chat().answer(chat, dns_srv, srv_data(1, 2, 3, "one.test"), ttl)).ttl;
  };
  EXPECT_EQ(life(0), 0s);
  EXPECT_EQ(life(0x7fffffff), std::chrono::seconds{0x7fffffff});
  EXPECT_EQ(life(0x80000000), 0s);
  EXPECT_EQ(life(0xffffffff), 0s);
}

// -- HTTPS ----------------------------------------------------------------------------------------

TEST(service_answer, has_parameters) {
  const auto found =
      read(about_https(https_data(
               16, "pool.test",
               parameter(0, u16(1) + u16(3)) + parameter(1, "\2h3\2h2") + parameter(3, u16(8443)) +
                   parameter(4, "\xc0\0\2\1\xc0\0\2\2"s) + parameter(5, "keys") +
                   parameter(6, "\x20\x01\x0d\xb8" + std::string(11, '\0') + "\1") +
                   parameter(0x8000, "private"))),
           dns_record::https);
  ASSERT_EQ(found.entries.size(), 1u);
  const auto& x = found.entries[0];
  EXPECT_EQ(x.priority, 16u);
  EXPECT_EQ(x.target, "pool.test");
  EXPECT_EQ(x.port, 8443);
  EXPECT_FALSE(x.alias);
  EXPECT_TRUE(x.default_alpn);
  EXPECT_THAT(x.alpn, ElementsAre("h3", "h2"));
  ASSERT_EQ(x.hints.size(), 3u);
  EXPECT_EQ(to_string(x.hints[1]), "192.0.2.2");
  EXPECT_EQ(to_string(x.hints[2]), "2001:db8::1");
}

TEST(service_answer, takes_the_root_for_the_owner_of_a_place) {
  const auto found = read(dns_message{"host.test", dns_https}
                              .answer("host.test", dns_cname, wire_name("owner.test"))
                              .answer("owner.test", dns_https, https_data(1, "")),
                          dns_record::https);
  ASSERT_EQ(found.entries.size(), 1u);
  EXPECT_EQ(found.entries[0].target, "owner.test");
}

TEST(service_answer, knows_other_names_whose_parameters_do_not_count) {
  const auto found =
      read(about_https(https_data(0, "pool.test", parameter(3, "x"))), dns_record::https);
  ASSERT_EQ(found.entries.size(), 1u);
  EXPECT_TRUE(found.entries[0].alias);
  EXPECT_EQ(found.entries[0].target, "pool.test");
}

TEST(service_answer, leaves_out_places_for_those_who_know_more) {
  EXPECT_EQ(usable(""), 1u);
  EXPECT_EQ(usable(parameter(0, u16(5)) + parameter(5, "keys")), 0u);
  EXPECT_EQ(usable(parameter(0, u16(99)) + parameter(99, "")), 0u);
  EXPECT_EQ(usable(parameter(3, u16(0))), 0u);
  EXPECT_EQ(usable(parameter(2, "")), 0u) << "no protocol at all";
  EXPECT_EQ(usable(parameter(1, "\2h3") + parameter(2, "")), 1u);
}

TEST(service_answer, is_spoiled_by_a_malformed_parameter) {
  for (const auto& x :
       {parameter(3, "x"), parameter(3, "xyz"), parameter(1, ""), parameter(1, "\0"s),
        parameter(1, "\3h3"), parameter(4, ""), parameter(4, "abc"), parameter(6, "abcd"),
        parameter(2, "x"), parameter(0, ""), parameter(0, u16(0)), parameter(0, u16(3)),
        parameter(0, u16(3) + u16(1)) + parameter(1, "\2h3") + parameter(3, u16(1)),
        parameter(3, u16(1)) + parameter(1, "\2h3"), parameter(3, u16(1)) + parameter(3, u16(1)),
        u16(3), u16(3) + u16(2) + "x"})
    EXPECT_THAT(https_error(x), HasSubstr("malformed DNS answer"));
}

TEST(service_answer, RAC_11_keeps_only_so_many_values) {
  std::string ids;
  for (int i = 0; i < 1000; ++i)
    ids += "\2h2";
  const auto found = read(
      about_https(https_data(1, "", parameter(1, ids) + parameter(4, std::string(4000, '\1')))),
      dns_record::https);
  ASSERT_EQ(found.entries.size(), 1u);
  EXPECT_EQ(found.entries[0].alpn.size(), max_record_values);
  EXPECT_EQ(found.entries[0].hints.size(), max_record_values);
}

// -- what is wrong --------------------------------------------------------------------------------

TEST(service_answer, that_is_cut_off_anywhere_is_an_error_or_empty) {
  const auto whole = about_chat()
                         .answer(chat, dns_cname, wire_name("a.test"))
                         .answer("a.test", dns_srv, srv_data(1, 2, 3, "one.test"))
                         .bytes();
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_THAT(error_of(whole.substr(0, size)), HasSubstr("malformed")) << size;
  EXPECT_EQ(error_of(whole), "no error");
}

TEST(service_answer, must_answer_the_question) {
  EXPECT_THAT(error_of(dns_message{chat, dns_a}.bytes()), HasSubstr("its question"));
  EXPECT_THAT(error_of(dns_message{chat, dns_https}.bytes()), HasSubstr("its question"));
  auto none = about_chat().bytes();
  none[5] = 0;
  EXPECT_THAT(error_of(none), HasSubstr("its question"));
}

TEST(service_answer, whose_aliases_go_in_circles_is_an_error) {
  EXPECT_THAT(error_of(about_chat()
                           .answer(chat, dns_cname, wire_name("a.test"))
                           .answer("a.test", dns_cname, wire_name(chat))
                           .bytes()),
              HasSubstr("in circles"));
  EXPECT_THAT(error_of(about_chat().answer(chat, dns_cname, wire_name(chat)).bytes()),
              HasSubstr("in circles"));
}

TEST(service_answer, with_pointers_that_lead_nowhere_is_an_error) {
  const auto with_target = [](const std::string& target) {
    return about_chat().answer(chat, dns_srv, u16(1) + u16(2) + u16(3) + target).bytes();
  };
  const auto size = with_target("").size();
  EXPECT_THAT(error_of(with_target("\xc0" + std::string(1, static_cast<char>(size)))),
              HasSubstr("malformed"))
      << "to itself";
  EXPECT_THAT(error_of(with_target("\xff\xff")), HasSubstr("malformed")) << "beyond the end";
  EXPECT_THAT(error_of(with_target("\xc0")), HasSubstr("malformed")) << "half a pointer";
  EXPECT_THAT(error_of(with_target("\x80\x0c")), HasSubstr("malformed")) << "no pointer";
  EXPECT_THAT(error_of(with_target("\1a")), HasSubstr("malformed")) << "without an end";
  // The name of the question, which comes right after the header.
  EXPECT_EQ(error_of(with_target("\xc0\x0c")), "no error");
  EXPECT_THAT(https_error("\xc0\x0c"), HasSubstr("malformed"));
}

TEST(service_answer, with_a_name_that_is_too_long_is_an_error) {
  std::string name;
  for (int i = 0; i < 127; ++i)
    name += "\1a";
  const auto with = [](const std::string& target) {
    return about_chat().answer(chat, dns_srv, u16(1) + u16(2) + u16(3) + target).bytes();
  };
  EXPECT_EQ(error_of(with(name + '\0')), "no error");
  EXPECT_THAT(error_of(with(name + "\1a"s + '\0')), HasSubstr("malformed"));
}

TEST(service_answer, RAC_11_is_read_only_so_far) {
  auto many = about_chat();
  for (int i = 0; i < 2000; ++i)
    many.answer(chat, dns_srv, srv_data(1, 2, 3, "one.test"));
  EXPECT_EQ(read(many).entries.size(), max_answer_records);
  EXPECT_THAT(error_of(about_chat().claim_answers(65535).bytes()), HasSubstr("cut off"));
}
