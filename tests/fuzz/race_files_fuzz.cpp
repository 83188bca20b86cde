// Policy files and histories of any content: they are taken or refused with an error that names the
// line, and what was taken means the same when it is written and read again.

#include "taps/core/candidate/policy.hpp"
#include "taps/core/racing/history_text.hpp"
#include "taps/tests/fuzz/fuzz_input.hpp"

#include <algorithm>

using namespace taps;
using namespace taps::testing;

namespace {

/// Puts a piece that makes sense somewhere, as noise alone seldom does.
std::string with_pieces(std::string text, std::size_t choice,
                        std::span<const std::string_view> pieces) {
  for (auto i = choice % 5; i > 0; --i)
    text.insert((choice * i) % (text.size() + 1), pieces[(choice + i * 7) % pieces.size()]);
  return text;
}

void check_error(const error& reason, const std::string& text) {
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  const std::string_view start = "f, line ";
  require(reason.text().starts_with(start), "an error names file and line", reason.text());
  const auto line = std::stoul(reason.text().substr(start.size()));
  require(line >= 1 && line <= lines, "the line is one of the file", reason.text());
}

void check_policy(const std::string& text) {
  const auto rules = parse_policy(text, "f");
  if (!rules) {
    check_error(rules.failure(), text);
    return;
  }
  for (const auto& x : *rules) {
    const auto words = x.text.substr(1, x.text.rfind("\" (") - 1);
    const auto again = parse_policy(words, "f");
    require(again.has_value() && again->size() == 1, "a rule is what its text says", words);
    const auto& y = again->front();
    require(y.what == x.what && y.protocol == x.protocol && y.interface == x.interface &&
                y.host == x.host && y.address == x.address && y.length == x.length,
            "a rule is what its text says", words);
  }
}

void check_history(const std::string& text) {
  const two_clocks at{time_point{} + std::chrono::hours{1'000'000},
                      wall_time{std::chrono::seconds{5'000'000'000}}};
  const auto read = read_history(text, "f", at);
  if (!read.complete)
    check_error(read.complete.failure(), text);
  const auto written = write_history(read.entries, at);
  const auto again = read_history(written, "f", at);
  require(again.complete.has_value(), "what is written can be read", written);
  require(again.entries == read.entries, "and says the same", written);
  outcome_history history;
  for (const auto& x : read.entries)
    history.restore(at.now, x);
  require(history.entries(at.now).size() <= read.entries.size(), "nothing is invented", text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view rules[]{"\nforbid tcp",  "\nprefer quic on eth0",
                                     " to *.example", " to 10.0.0.0/8",
                                     " to ::1",       " on lo",
                                     "\n# x\n",       "any"};
  constexpr std::string_view outcomes[]{"\n- a:80 tcp failed 3 1700000000 0\n",
                                        "\nw%20 [::1]:443 tls/tcp succeeded 1 4000000000 77\n",
                                        " 1.2.3.4:5 ",
                                        "%2d",
                                        "succeeded",
                                        "\n#\n"};
  fuzz_input input{data, size};
  const auto choice = input.byte();
  const auto is_policy = input.byte() % 2 == 0;
  const auto noise = input.text(is_policy ? "forbid prefer\non#to.*/:1" : "- a:1%2df\n#[]");
  if (is_policy)
    check_policy(with_pieces(noise, choice, rules));
  else
    check_history((choice % 16 == 0 ? "" : "tapline-history 1\n") +
                  with_pieces(noise, choice, outcomes));
  return 0;
}
