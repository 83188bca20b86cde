// The STUN codec, on the vectors of RFC 5769 and on hostile input.

#include "taps/core/rendezvous/digest.hpp"
#include "taps/core/rendezvous/stun.hpp"
#include "taps/core/rendezvous/stun_request.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace taps;
using namespace std::chrono_literals;

namespace {

std::vector<std::byte> from_hex(std::string_view text) {
  std::vector<std::byte> result;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    result.push_back(
        static_cast<std::byte>(std::stoi(std::string{text.substr(i, 2)}, nullptr, 16)));
  return result;
}

template<class Bytes>
std::string to_hex(const Bytes& data) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string result;
  for (const auto x : data) {
    result += digits[std::to_integer<int>(x) >> 4];
    result += digits[std::to_integer<int>(x) & 15];
  }
  return result;
}

socket_address at(const char* text, std::uint16_t port) { return {*ip_address::parse(text), port}; }

/// RFC 5769, section 2.1.
const auto sample_request =
    from_hex("000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e7400240"
             "0046e0001ff"
             "80290008932ff9b151263b36000600096576746a3a683676592020200008001"
             "49aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf");
/// Section 2.2.
const auto sample_response =
    from_hex("0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a"
             "147e112a643"
             "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96");
/// Section 2.3.
const auto sample_v6 = from_hex(
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9"
    "fa"
    "a5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c");
const std::string password = "VOkJxbRl1RmTxUk/WvJxBt";

}  // namespace

// -- digests ----------------------------------------------------------------------------------

TEST(digest, known_answers) {
  EXPECT_EQ(to_hex(sha1(bytes_of("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(to_hex(sha1(bytes_of(""))), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(to_hex(md5(bytes_of("message digest"))), "f96b697d7cb7938d525a2f31aaf161d0");
  EXPECT_EQ(to_hex(md5(bytes_of(std::string(64, 'a')))), "014842d480b571495a4a0363793f7367");
  EXPECT_EQ(crc32(bytes_of("123456789")), 0xcbf43926u);
  EXPECT_EQ(to_hex(hmac_sha1(bytes_of("Jefe"), bytes_of("what do ya want for nothing?"))),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(to_hex(hmac_sha1(bytes_of(std::string(80, '\xaa')),
                             bytes_of("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

// -- reading ----------------------------------------------------------------------------------

TEST(stun, reads_a_request_as_the_rfc_has_it) {
  const auto x = read_stun(sample_request);
  ASSERT_TRUE(x);
  EXPECT_EQ(x->what, stun_class::request);
  EXPECT_EQ(x->method, stun_message::binding);
  EXPECT_EQ(x->priority, 0x6e0001ffu);
  EXPECT_EQ(x->controlled, 0x932ff9b151263b36u);
  EXPECT_EQ(x->username, "evtj:h6vY");
  EXPECT_TRUE(x->unknown.empty());
  EXPECT_TRUE(has_fingerprint(sample_request));
  EXPECT_TRUE(has_integrity(sample_request, bytes_of(password)));
  EXPECT_FALSE(has_integrity(sample_request, bytes_of("another")));
}

TEST(stun, reads_answers_of_both_families) {
  const auto v4 = read_stun(sample_response);
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->what, stun_class::success);
  EXPECT_EQ(v4->mapped, at("192.0.2.1", 32853));
  EXPECT_TRUE(has_integrity(sample_response, bytes_of(password)));
  EXPECT_TRUE(has_fingerprint(sample_response));
  const auto v6 = read_stun(sample_v6);
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->mapped, at("2001:db8:1234:5678:11:2233:4455:6677", 32853));
  EXPECT_TRUE(has_integrity(sample_v6, bytes_of(password)));
}

TEST(stun, what_is_written_reads_back) {
  stun_message x;
  x.transaction.fill(std::byte{7});
  x.priority = 5;
  x.use_candidate = true;
  x.controlling = 0x0123456789abcdef;
  x.username = "me";
  x.realm = "here";
  x.nonce = "odd";
  const auto key = bytes_of(password);
  const auto data = write_stun(x, key);
  EXPECT_TRUE(has_fingerprint(data));
  EXPECT_TRUE(has_integrity(data, key));
  const auto back = read_stun(data);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, x);

  for (const auto& where : {at("198.51.100.7", 1), at("2001:db8::1", 65535)}) {
    stun_message answer = answer_to(x, where);
    EXPECT_EQ(*read_stun(write_stun(answer)), answer);
    EXPECT_EQ(read_stun(write_stun(answer))->mapped, where);
  }
}

TEST(stun, an_error_reads_back) {
  stun_message x;
  x.what = stun_class::error;
  x.error_code = std::uint16_t{487};
  x.reason = "Role Conflict";
  EXPECT_EQ(*read_stun(write_stun(x)), x);
}

TEST(stun, what_must_be_understood_is_refused) {
  auto data = sample_request;
  data[20] = std::byte{0x7f};  // SOFTWARE becomes something required
  const auto x = read_stun(data);
  ASSERT_TRUE(x);
  EXPECT_EQ(x->unknown, std::vector<std::uint16_t>{0x7f22});
  const auto answer = answer_to(*x, at("192.0.2.1", 5));
  EXPECT_EQ(answer.what, stun_class::error);
  EXPECT_EQ(answer.error_code, 420);
  EXPECT_FALSE(answer.mapped);
}

TEST(stun, data_is_no_stun) {
  EXPECT_FALSE(looks_like_stun(bytes_of("hello, this is a message of twenty and more")));
  EXPECT_FALSE(looks_like_stun({}));
  auto cut = sample_request;
  cut.pop_back();
  EXPECT_FALSE(looks_like_stun(cut));
  auto other_cookie = sample_request;
  other_cookie[5] ^= std::byte{1};
  EXPECT_FALSE(looks_like_stun(other_cookie));
  auto damaged = sample_request;
  damaged[30] ^= std::byte{1};
  EXPECT_TRUE(looks_like_stun(damaged));
  EXPECT_FALSE(has_fingerprint(damaged));
  EXPECT_FALSE(has_integrity(damaged, bytes_of(password)));
}

TEST(stun, no_damage_is_read_beyond_the_end) {
  for (const auto& sample : {sample_request, sample_response, sample_v6})
    for (std::size_t i = 0; i < sample.size(); ++i)
      for (const auto value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
        auto data = sample;
        data[i] = static_cast<std::byte>(value);
        const auto x = read_stun(data);
        EXPECT_TRUE(!x || x->username.size() < data.size());
        static_cast<void>(has_integrity(data, bytes_of(password)));
      }
}

// -- asking a server ----------------------------------------------------------------------------

namespace {

class query_test : public ::testing::Test {
protected:
  reflexive_query make(std::string user = {}, std::string word = {}) {
    return {server_, std::move(user), std::move(word), [this] { return ++number_; }};
  }

  socket_address server_ = at("192.0.2.3", 3478);
  std::uint64_t number_ = 0;
  time_point now_{};
};

}  // namespace

TEST_F(query_test, an_answer_tells_the_address) {
  auto x = make();
  const auto request = read_stun(x.on_start(now_));
  ASSERT_TRUE(request);
  const auto answer = write_stun(answer_to(*request, at("198.51.100.1", 4000)));
  x.on_datagram(now_, at("192.0.2.4", 3478), answer);
  EXPECT_FALSE(x.done()) << "from elsewhere";
  auto other = *request;
  other.transaction[3] ^= std::byte{1};
  x.on_datagram(now_, server_, write_stun(answer_to(other, at("198.51.100.9", 1))));
  EXPECT_FALSE(x.done()) << "of another transaction";
  x.on_datagram(now_, server_, answer);
  ASSERT_TRUE(x.done());
  EXPECT_EQ(*x.outcome(), at("198.51.100.1", 4000));
  EXPECT_FALSE(x.next_deadline());
}

TEST_F(query_test, silence_ends_after_four_requests) {
  auto x = make();
  const auto request = x.on_start(now_);
  std::vector<duration> sent;
  const auto begin = now_;
  while (!x.done()) {
    now_ = *x.next_deadline();
    if (const auto again = x.on_timer(now_); !again.empty()) {
      EXPECT_EQ(again, request);
      sent.push_back(now_ - begin);
    }
  }
  EXPECT_EQ(sent, (std::vector<duration>{500ms, 1500ms, 3500ms}));
  EXPECT_EQ(now_ - begin, 5500ms);
  EXPECT_EQ(x.outcome().failure().text(), "the STUN server 192.0.2.3:3478 does not answer");
}

TEST_F(query_test, long_term_credentials_on_demand) {
  auto x = make("user", "pass");
  const auto first = read_stun(x.on_start(now_));
  stun_message refusal;
  refusal.what = stun_class::error;
  refusal.transaction = first->transaction;
  refusal.error_code = std::uint16_t{401};
  refusal.realm = "realm";
  refusal.nonce = "n1";
  const auto second = x.on_datagram(now_, server_, write_stun(refusal));
  const auto key = long_term_key("user", "realm", "pass");
  EXPECT_EQ(to_hex(key), "8493fbc53ba582fb4c044c456bdc40eb");
  ASSERT_TRUE(has_integrity(second, key));
  EXPECT_EQ(read_stun(second)->username, "user");
  EXPECT_EQ(read_stun(second)->nonce, "n1");
  const auto good = answer_to(*read_stun(second), at("198.51.100.1", 4000));
  x.on_datagram(now_, server_, write_stun(good));
  EXPECT_FALSE(x.done()) << "without integrity";
  x.on_datagram(now_, server_, write_stun(good, key));
  EXPECT_TRUE(x.done());
}

TEST_F(query_test, a_server_that_always_wants_more_is_given_up) {
  auto x = make("user", "pass");
  auto request = x.on_start(now_);
  for (int i = 0; i < 5 && !x.done(); ++i) {
    stun_message refusal;
    refusal.what = stun_class::error;
    refusal.transaction = read_stun(request)->transaction;
    refusal.error_code = static_cast<std::uint16_t>(i == 0 ? 401 : 438);
    refusal.realm = "realm";
    refusal.nonce = "n" + std::to_string(i);
    request = x.on_datagram(now_, server_, write_stun(refusal));
  }
  ASSERT_TRUE(x.done());
  EXPECT_NE(x.outcome().failure().text().find("refuses: 438"), std::string::npos);
}
