#include "taps/core/rendezvous/stun_request.hpp"

namespace taps {

stun_transaction make_transaction(const number_source& numbers) {
  stun_transaction result;
  auto rest = numbers();
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (i == 8)
      rest = numbers();
    result[i] = static_cast<std::byte>(rest);
    rest >>= 8;
  }
  return result;
}

// -- stun_clock -------------------------------------------------------------------

void stun_clock::start(time_point now, const stun_pace& pace) {
  pace_ = pace;
  sent_ = 1;
  wait_ = pace.first_wait;
  next_ = now + (pace.sends == 1 ? pace.first_wait * pace.last_wait : wait_);
}

stun_clock::step stun_clock::on_timer(time_point now) {
  if (!next_ || *next_ > now)
    return step::none;
  if (sent_ == pace_.sends) {
    next_.reset();
    return step::give_up;
  }
  ++sent_;
  wait_ *= 2;
  next_ = now + (sent_ == pace_.sends ? pace_.first_wait * pace_.last_wait : wait_);
  return step::send_again;
}

// -- reflexive_query --------------------------------------------------------------

reflexive_query::reflexive_query(const socket_address& server, std::string user,
                                 std::string password, number_source numbers)
    : server_(server), user_(std::move(user)), password_(std::move(password)),
      numbers_(std::move(numbers)) {}

std::vector<std::byte> reflexive_query::on_start(time_point now) { return ask(now); }

std::vector<std::byte> reflexive_query::ask(time_point now) {
  request_.transaction = make_transaction(numbers_);
  if (!realm_.empty()) {
    request_.username = user_;
    request_.realm = realm_;
    request_.nonce = nonce_;
  }
  clock_.start(now, pace);
  return write_stun(request_, key());
}

std::vector<std::byte> reflexive_query::key() const {
  if (realm_.empty())
    return {};
  const auto made = long_term_key(user_, realm_, password_);
  return {made.begin(), made.end()};
}

std::vector<std::byte> reflexive_query::on_datagram(time_point now, const socket_address& from,
                                                    std::span<const std::byte> data) {
  if (done() || from.address != server_.address || from.port != server_.port)
    return {};
  const auto answer = read_stun(data);
  if (!answer || answer->transaction != request_.transaction ||
      answer->method != stun_message::binding)
    return {};
  if (answer->what == stun_class::error)
    return on_refusal(now, *answer);
  // What was asked with credentials is answered with them.
  if (answer->what != stun_class::success || !answer->mapped ||
      (!realm_.empty() && !has_integrity(data, key())))
    return {};
  clock_.stop();
  outcome_ = *answer->mapped;
  return {};
}

std::vector<std::byte> reflexive_query::on_refusal(time_point now, const stun_message& answer) {
  const auto code = answer.error_code.value_or(0);
  const auto may_try_again = ++refusals_ <= 2 && !user_.empty() && !answer.nonce.empty();
  if (may_try_again && code == 401 && realm_.empty() && !answer.realm.empty()) {
    realm_ = answer.realm;
    nonce_ = answer.nonce;
    return ask(now);
  }
  if (may_try_again && code == 438 && !realm_.empty()) {
    nonce_ = answer.nonce;
    return ask(now);
  }
  fail("refuses: " + std::to_string(code) + " " + answer.reason);
  return {};
}

std::vector<std::byte> reflexive_query::on_timer(time_point now) {
  switch (clock_.on_timer(now)) {
  case stun_clock::step::send_again:
    return write_stun(request_, key());
  case stun_clock::step::give_up:
    fail("does not answer");
    return {};
  default:
    return {};
  }
}

void reflexive_query::fail(std::string text) {
  clock_.stop();
  outcome_ = error{errc::resolution_failed,
                   "the STUN server " + to_string(server_) + " " + std::move(text)};
}

}  // namespace taps
