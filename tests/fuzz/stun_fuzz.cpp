// STUN from strangers: what is read is written and reads back, and a check list that is told
// anything keeps its promises: it answers the peer only, ends once, and does not grow.

#include "taps/core/rendezvous/check_list.hpp"
#include "taps/tests/fuzz/fuzz_input.hpp"

#include <algorithm>

using namespace taps;
using namespace taps::testing;

namespace {

using bytes = std::vector<std::byte>;

const socket_address here{ip_address{ip_address::v4_bytes{192, 0, 2, 1}}, 1};
const socket_address peer{ip_address{ip_address::v4_bytes{192, 0, 2, 2}}, 2};
const socket_address stranger{ip_address{ip_address::v4_bytes{192, 0, 2, 3}}, 2};

/// A message with random attributes under a header that is right, so that they are looked at.
bytes make_message(fuzz_input& input, const stun_transaction& transaction) {
  static constexpr std::uint8_t types[] = {0x01, 0x06, 0x08, 0x09, 0x0a, 0x14,
                                           0x15, 0x1c, 0x20, 0x24, 0x25, 0x2a};
  stun_message begin;
  begin.what = static_cast<stun_class>(input.below(4));
  begin.transaction = transaction;
  auto result = write_stun(begin);
  result.resize(20);
  for (auto left = input.below(6); left > 0; --left) {
    const auto high = input.below(4) == 0 ? 0x80 : 0;
    const auto value = input.bytes(input.below(24));
    const auto claimed = input.below(8) == 0 ? input.byte() : value.size();
    for (const auto x : {std::size_t(high), std::size_t(types[input.below(std::size(types))]),
                         claimed >> 8, claimed})
      result.push_back(static_cast<std::byte>(x));
    for (const auto x : value)
      result.push_back(static_cast<std::byte>(x));
    result.resize((result.size() + 3) / 4 * 4);
  }
  result[2] = static_cast<std::byte>((result.size() - 20) >> 8);
  result[3] = static_cast<std::byte>(result.size() - 20);
  return result;
}

void check_message(const bytes& data) {
  const auto read = read_stun(data);
  static_cast<void>(has_fingerprint(data));
  static_cast<void>(has_integrity(data, std::span{data}.first(data.size() / 2)));
  if (!read)
    return;
  auto plain = *read;
  // What is not understood is named in errors only.
  if (plain.what != stun_class::error)
    plain.unknown.clear();
  else
    plain.unknown.resize(0);
  // An error has a class of hundreds.
  const auto again = write_stun(plain);
  require(has_fingerprint(again), "what is written has a fingerprint");
  require(read_stun(again).has_value(), "what is written reads back");
}

void check_list_told(fuzz_input& input) {
  std::uint64_t number = 0;
  check_list list{{here}, {peer}, {{0, peer}}, [&] { return ++number; }};
  time_point now{};
  bytes last;
  int ends = 0;
  std::size_t sent = 0;
  const auto take = [&](const check_actions& actions, const socket_address& from) {
    for (const auto& x : actions) {
      ends += x.kind == check_action::kind_type::met || x.kind == check_action::kind_type::failed;
      if (x.kind != check_action::kind_type::send)
        continue;
      ++sent;
      last = x.data;
      require(x.pair.remote.address == peer.address, "strangers get nothing", to_string(from));
    }
  };
  take(list.on_start(now), peer);
  for (int steps = 0; !input.empty() && steps < 64; ++steps) {
    const auto& from = input.below(4) == 0 ? stranger : peer;
    now += std::chrono::milliseconds{input.byte()};
    stun_transaction transaction{};
    if (input.below(2) == 0 && last.size() >= 20)
      std::copy_n(last.begin() + 8, transaction.size(), transaction.begin());
    switch (input.below(3)) {
    case 0:
      take(list.on_timer(now), from);
      break;
    case 1:
      take(list.on_data(now, 0, stranger), stranger);
      break;
    default:
      take(list.on_check(now, 0, from, make_message(input, transaction)), from);
    }
  }
  for (int steps = 0; list.next_deadline(); ++steps) {
    require(steps < 2000, "it ends");
    now = std::max(now, *list.next_deadline());
    take(list.on_timer(now), peer);
  }
  require(ends == 1, "it ends once");
  require(sent < 1000, "it does not flood");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz_input input{data, size};
  if (input.below(2) == 0) {
    check_list_told(input);
    return 0;
  }
  const auto as_is = input.below(4) == 0;
  bytes message;
  if (as_is)
    for (const auto x : input.rest())
      message.push_back(static_cast<std::byte>(x));
  else
    message = make_message(input, {});
  check_message(message);
  return 0;
}
