// What the recorder keeps of an establishment, and how it reads.

#include "taps/core/racing/duration_text.hpp"
#include "taps/core/racing/establishment_recorder.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

using namespace std::chrono_literals;
using taps::attempt_stage;
using taps::candidate_fate;
using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

constexpr auto begin = taps::time_point{} + 1h;

taps::socket_address address(const char* text, std::uint16_t port) {
  return {taps::ip_address::parse(text).value(), port};
}

/// A black hole on IPv6, then a good one on IPv4, a third one is not needed.
taps::establishment_recorder black_hole() {
  taps::establishment_recorder r{begin};
  r.asked(begin, "host.example", taps::dns_record::aaaa);
  r.asked(begin, "host.example", taps::dns_record::a);
  r.answered(begin + 1ms, "host.example", taps::dns_record::aaaa, 1);
  r.answered(begin + 2ms, "host.example", taps::dns_record::a, 2);
  r.introduce(1, {"1.1.1", "", "tcp", {}, address("2001:db8::1", 80)});
  r.introduce(3, {"1.1.3", "eth0", "tcp", {}, address("192.0.2.2", 80)});
  r.introduce(2, {"1.1.2", "", "tcp", {}, address("192.0.2.1", 80)});
  r.started(begin + 1ms, 1);
  r.started(begin + 251ms, 2);
  r.bound(2, address("192.0.2.99", 40000));
  r.reached(begin + 271ms, 2, attempt_stage::securing);
  r.lost(begin + 301ms, 1);
  r.won(begin + 301ms, 2);
  return r;
}

TEST(establishment_report, keeps_order_stages_and_fates) {
  auto report = black_hole().report(begin + 301ms);
  EXPECT_EQ(report.total, 301ms);
  ASSERT_EQ(report.candidates.size(), 3u);
  EXPECT_EQ(report.candidates[0].fate, candidate_fate::lost);
  EXPECT_EQ(report.candidates[0].stage(), attempt_stage::connecting);
  EXPECT_EQ(report.candidates[0].ended, 301ms);
  EXPECT_EQ(report.candidates[1].fate, candidate_fate::won);
  EXPECT_EQ(report.candidates[1].started(), 251ms);
  auto stages = std::vector<taps::stage_mark>{{attempt_stage::connecting, 251ms},
                                              {attempt_stage::securing, 271ms},
                                              {attempt_stage::ready, 301ms}};
  EXPECT_EQ(report.candidates[1].stages, stages);
  EXPECT_EQ(report.candidates[1].who.local, address("192.0.2.99", 40000));
  EXPECT_EQ(report.candidates[2].fate, candidate_fate::not_tried);
  ASSERT_NE(report.winner(), nullptr);
  EXPECT_EQ(report.winner()->who.node, "1.1.2");
}

TEST(establishment_report, drops_notes_about_strangers_and_the_decided) {
  auto r = black_hole();
  auto before = r.report(begin + 301ms);
  r.failed(begin + 400ms, 1, {taps::errc::protocol_failed, "late"});
  r.won(begin + 400ms, 1);
  r.started(begin + 400ms, 2);
  r.started(begin + 400ms, 77);
  r.reached(begin + 400ms, 3, attempt_stage::securing);
  r.answered(begin + 400ms, "host.example", taps::dns_record::a, 9);
  r.answered(begin + 400ms, "other.example", taps::dns_record::a, 9);
  EXPECT_EQ(r.report(begin + 301ms), before);
}

TEST(establishment_report, late_addresses_rename_untried_candidates_only) {
  auto r = black_hole();
  r.introduce(3, {"1.1.4", "", "tcp", {}, address("192.0.2.2", 80)});
  r.introduce(1, {"9.9.9", "", "tcp", {}, address("192.0.2.2", 80)});
  auto report = r.report(begin);
  EXPECT_EQ(report.candidates[2].who.node, "1.1.4");
  EXPECT_EQ(report.candidates[0].who.node, "1.1.1");
}

TEST(establishment_report, reads_well) {
  EXPECT_EQ(to_string(black_hole().report(begin + 301ms)),
            "established in 301.0 ms\n"
            "  host.example AAAA: 1 address (0.00 ms to 1.00 ms)\n"
            "  host.example A: 2 addresses (0.00 ms to 2.00 ms)\n"
            "  1.1.1 tcp to [2001:db8::1]:80: cancelled while connecting (1.00 ms to 301.0 ms)\n"
            "  1.1.2 tcp to 192.0.2.1:80: won (251.0 ms to 301.0 ms, securing at 271.0 ms, "
            "ready at 301.0 ms) from 192.0.2.99:40000\n"
            "  1.1.3 tcp to 192.0.2.2:80 via eth0: not tried\n");
}

TEST(establishment_report, draws_a_waterfall) {
  EXPECT_EQ(timeline(black_hole().report(begin + 301ms), 30),
            "                            0 ................... 301.0 ms\n"
            "host.example AAAA          |~                             |  1 address\n"
            "host.example A             |~                             |  2 addresses\n"
            "1.1.1 tcp [2001:db8::1]:80 |-----------------------------/|  lost\n"
            "1.1.2 tcp 192.0.2.1:80     |                         --==*|  won\n");
}

TEST(establishment_report, draws_a_picture) {
  auto picture = timeline_svg(black_hole().report(begin + 301ms));
  EXPECT_THAT(picture, StartsWith("<svg "));
  EXPECT_THAT(picture, EndsWith("</svg>\n"));
  EXPECT_THAT(picture, HasSubstr("established in 301.0 ms"));
  // 560 pixels are 301 ms: 251 ms from the start, for 20 ms, and then 30 ms of security.
  EXPECT_THAT(picture,
              ContainsRegex("class=\"connecting\" x=\"[0-9.]+\" y=\"130.0\" width=\"37.2\""));
  EXPECT_THAT(picture,
              ContainsRegex("class=\"securing\" x=\"[0-9.]+\" y=\"130.0\" width=\"55.8\""));
  EXPECT_THAT(picture, HasSubstr(">won</text>"));
  EXPECT_THAT(picture,
              HasSubstr("<title>1.1.2 tcp 192.0.2.1:80: won, connecting 251.0 ms to 271.0 ms, "
                        "securing 271.0 ms to 301.0 ms</title>"));
}

TEST(establishment_report, a_picture_holds_no_markup_from_outside) {
  taps::establishment_recorder r{begin};
  r.asked(begin, "<script>&\"'\x01\xff", taps::dns_record::aaaa);
  r.introduce(1, {"1", "", "udp", {}, address("127.0.0.1", 9)});
  r.started(begin, 1);
  r.failed(begin, 1, {taps::errc::protocol_failed, "</title><b>"});
  auto picture = timeline_svg(r.report(begin + 1ms));
  EXPECT_THAT(picture, HasSubstr("&lt;script&gt;&amp;&quot;'?? AAAA"));
  EXPECT_THAT(picture, HasSubstr("&lt;/title&gt;&lt;b&gt;"));
  EXPECT_THAT(picture, Not(HasSubstr("<script")));
  EXPECT_THAT(picture, Not(HasSubstr("<b>")));
}

TEST(establishment_report, an_empty_picture_is_a_picture) {
  EXPECT_THAT(taps::timeline_svg({}), EndsWith("</svg>\n"));
}

TEST(establishment_report, draws_what_has_no_length) {
  taps::establishment_recorder r{begin};
  EXPECT_EQ(timeline(r.report(begin), 0), "  0  0.00 ms\n");
  r.introduce(1, {"1", "", "udp", {}, address("127.0.0.1", 9)});
  r.started(begin, 1);
  r.won(begin, 1);
  EXPECT_THAT(timeline(r.report(begin), 10), HasSubstr("|*         |  won"));
}

TEST(establishment_report, draws_what_lies_behind_its_end) {
  taps::establishment_recorder r{begin};
  r.introduce(1, {"1", "", "udp", {}, address("127.0.0.1", 9)});
  r.started(begin + 5ms, 1);
  r.won(begin + 7ms, 1);
  EXPECT_THAT(timeline(r.report(begin), 10), HasSubstr("|*         |  won"));
  EXPECT_THAT(timeline(r.report(begin + 6ms), 10), HasSubstr("|        -*|  won"));
}

TEST(establishment_report, a_stage_is_reached_once_and_never_left) {
  taps::establishment_recorder r{begin};
  r.introduce(1, {"1", "", "tcp", {}, address("127.0.0.1", 9)});
  r.started(begin, 1);
  r.reached(begin + 1ms, 1, attempt_stage::framing);
  r.reached(begin + 2ms, 1, attempt_stage::framing);
  r.reached(begin + 3ms, 1, attempt_stage::securing);
  auto report = r.report(begin + 4ms);
  EXPECT_EQ(report.candidates[0].stages.size(), 2u);
  EXPECT_EQ(report.candidates[0].stage(), attempt_stage::framing);
}

TEST(establishment_report, EST_02_the_error_names_every_candidate_and_cause_in_one_line) {
  taps::establishment_recorder r{begin};
  r.introduce(1, {"1.1", "", "tcp", {}, address("::1", 80)});
  r.introduce(2, {"1.2", "", "tcp", {}, address("127.0.0.1", 80)});
  r.started(begin, 1);
  r.failed(begin + 1ms, 1, {taps::errc::protocol_failed, "connect: Connection refused", 111});
  r.started(begin + 1ms, 2);
  r.reached(begin + 2ms, 2, attempt_stage::securing);
  r.failed(begin + 4ms, 2, {taps::errc::protocol_failed, "bad\ncertificate"});
  taps::error headline{taps::errc::establishment_failed, "all 2 attempts failed"};
  auto error = explain(headline, r.report(begin + 4ms));
  EXPECT_EQ(error, taps::errc::establishment_failed);
  EXPECT_EQ(error.text(),
            "all 2 attempts failed [1.1 tcp to [::1]:80 failed while connecting: "
            "connect: Connection refused after 1.00 ms; 1.2 tcp to 127.0.0.1:80 failed while "
            "securing: bad certificate after 3.00 ms]");
}

TEST(establishment_report, EST_03_the_error_of_a_timeout_tells_what_was_going_on) {
  taps::establishment_recorder r{begin};
  r.asked(begin, "host.example", taps::dns_record::aaaa);
  r.asked(begin, "host.example", taps::dns_record::a);
  r.answered(begin, "host.example", taps::dns_record::aaaa, 1);
  r.introduce(1, {"1.1", "", "tcp", {}, address("::1", 80)});
  r.introduce(2, {"1.2", "", "tcp", {}, address("127.0.0.1", 80)});
  r.started(begin, 1);
  r.lost(begin + 200ms, 1);
  auto text = explain({taps::errc::establishment_failed, "late"}, r.report(begin + 200ms)).text();
  EXPECT_EQ(text, "late [host.example A: no answer yet; 1.1 tcp to [::1]:80 cancelled while "
                  "connecting after 200.0 ms; 1.2 tcp to 127.0.0.1:80 not tried]");
}

TEST(establishment_report, EST_04_a_failed_resolution_is_not_told_twice) {
  taps::establishment_recorder r{begin};
  r.asked(begin, "host.example", taps::dns_record::aaaa);
  r.answered(begin, "host.example", taps::dns_record::aaaa,
             taps::error{taps::errc::resolution_failed, "no such name"});
  taps::error headline{taps::errc::resolution_failed, "host.example: AAAA: no such name"};
  EXPECT_EQ(explain(headline, r.report(begin)), headline);
  EXPECT_THAT(to_string(r.report(begin)), HasSubstr("host.example AAAA: no such name"));
}

TEST(establishment_report, can_be_read_before_the_end) {
  taps::establishment_recorder r{begin};
  r.introduce(1, {"1.1", "", "tcp", {}, address("::1", 80)});
  r.started(begin, 1);
  auto report = r.report(begin + 5ms);
  EXPECT_EQ(report.winner(), nullptr);
  EXPECT_THAT(to_string(report), HasSubstr("establishing since 5.00 ms"));
  EXPECT_THAT(to_string(report), HasSubstr("still connecting"));
  EXPECT_THAT(timeline(report), HasSubstr(">|  running"));
}

TEST(duration_text, picks_the_unit) {
  EXPECT_EQ(taps::duration_text(421us), "0.42 ms");
  EXPECT_EQ(taps::duration_text(9996us), "10.0 ms");
  EXPECT_EQ(taps::duration_text(250ms), "250.0 ms");
  EXPECT_EQ(taps::duration_text(12500ms), "12.50 s");
  EXPECT_EQ(taps::duration_text(-1ms), "-1.00 ms");
}

}  // namespace
