#include "taps/core/racing/history_text.hpp"

#include "taps/core/racing/duration_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace taps {

namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::seconds;

constexpr std::string_view header = "tapline-history 1";
constexpr std::size_t words_per_line = 7;

// -- words ----------------------------------------------------------------------------------------

std::string encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  for (const auto c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > ' ' && byte < 0x7f && c != '%' && c != '#' && text != "-")
      result += c;
    else
      result += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return result.empty() ? "-" : result;
}

template<class Number>
std::optional<Number> number(std::string_view text, int base = 10) {
  Number result{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), result, base);
  if (code != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return result;
}

std::optional<std::string> decode(std::string_view text) {
  if (text == "-")
    return std::string{};
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const auto code = number<unsigned char>(text.substr(i + 1, 2), 16);
    if (!code || i + 2 >= text.size())
      return std::nullopt;
    result += static_cast<char>(*code);
    i += 2;
  }
  return result;
}

/// Returns the words of a line; nothing if there are more than asked for or fewer.
std::optional<std::array<std::string_view, words_per_line>> words_of(std::string_view line) {
  constexpr std::string_view blanks = " \t\r";
  std::array<std::string_view, words_per_line> result;
  std::size_t n = 0;
  for (;;) {
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    if (line.empty())
      break;
    if (n == result.size())
      return std::nullopt;
    result[n] = line.substr(0, line.find_first_of(blanks));
    line.remove_prefix(result[n++].size());
  }
  if (n < result.size())
    return std::nullopt;
  return result;
}

// -- lines ----------------------------------------------------------------------------------------

/// Reads what `to_string` makes of a place.
std::optional<history_place> read_place(std::string_view text) {
  history_place result;
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    return std::nullopt;
  const auto port = number<std::uint16_t>(text.substr(colon + 1));
  if (!port)
    return std::nullopt;
  result.address.port = *port;
  auto host = text.substr(0, colon);
  const auto bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (const auto x = ip_address::parse(bracketed ? host.substr(1, host.size() - 2) : host);
      x && x->is_v6() == bracketed)
    result.address.address = *x;
  else
    result.host = host;
  return result;
}

/// Returns why the line is of no use; empty if it was read.
std::string read_line(std::string_view line, const two_clocks& at, history_entry& out) {
  const auto words = words_of(line);
  if (!words)
    return "expected seven words";
  const auto& [network, where, stack, outcome, count, when, handshake] = *words;
  const auto text = decode(where);
  const auto of_network = decode(network);
  const auto of_stack = decode(stack);
  auto place = text ? read_place(*text) : std::nullopt;
  if (!place || !of_network)
    return "no such place: " + encode(where);
  if (!of_stack || of_stack->empty())
    return "no such stack: " + encode(stack);
  if (outcome != "succeeded" && outcome != "failed")
    return "neither succeeded nor failed: " + encode(outcome);
  const auto times = number<std::uint32_t>(count);
  const auto date = number<std::uint32_t>(when);
  const auto took = number<std::uint32_t>(handshake);
  if (!times || *times == 0 || !date || !took)
    return "not a number, or out of range";
  place->network = *of_network;
  // A clock that was set back makes things of the future of what was.
  const auto age = std::max(at.wall - wall_time{seconds{*date}}, seconds{0});
  out = {std::move(*place),
         {*of_stack, outcome == "succeeded", *times, at.now - age, microseconds{*took}}};
  return {};
}

std::string line_of(const history_entry& x, const two_clocks& at) {
  const auto& what = x.what;
  const auto date = at.wall - duration_cast<seconds>(at.now - what.when);
  const auto took =
      std::clamp<std::int64_t>(duration_cast<microseconds>(what.handshake).count(), 0, UINT32_MAX);
  return encode(x.where.network) + " " + encode(to_string(x.where)) + " " + encode(what.stack) +
         (what.succeeded ? " succeeded " : " failed ") + std::to_string(what.count) + " " +
         std::to_string(date.time_since_epoch().count()) + " " + std::to_string(took) + "\n";
}

}  // namespace

std::string write_history(std::span<const history_entry> entries, const two_clocks& at) {
  auto result = std::string{header} +
                "\n# network  place  stack  outcome  times in a row  Unix time  handshake in "
                "microseconds\n";
  for (const auto& x : entries)
    // The kernel's number of an interface means nothing to the next process.
    if (x.where.address.scope == 0)
      result += line_of(x, at);
  return result;
}

history_reading read_history(std::string_view text, std::string_view name, const two_clocks& at) {
  history_reading result;
  std::string first;
  std::size_t damaged = 0;
  const auto at_line = [&](std::size_t n) {
    return std::string{name} + ", line " + std::to_string(n) + ": ";
  };
  for (std::size_t n = 1; n == 1 || !text.empty(); ++n) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    if (n == 1) {
      if (line == header)
        continue;
      result.complete = {errc::invalid_configuration,
                         at_line(n) + "a history begins with \"" + std::string{header} + "\""};
      return result;
    }
    if (line.find_first_not_of(" \t") == std::string_view::npos ||
        line[line.find_first_not_of(" \t")] == '#')
      continue;
    history_entry entry;
    if (const auto why = read_line(line, at, entry); why.empty())
      result.entries.push_back(std::move(entry));
    else if (++damaged == 1)
      first = at_line(n) + why;
  }
  if (damaged > 0)
    result.complete = {errc::invalid_configuration,
                       first + "; lines skipped: " + std::to_string(damaged)};
  return result;
}

std::string to_string(std::span<const history_entry> entries, time_point now) {
  std::string result;
  for (const auto& x : entries) {
    if (!x.where.network.empty())
      result += x.where.network + ": ";
    result += to_string(x.where) + " " + x.what.stack +
              (x.what.succeeded ? " succeeded" : " failed") +
              (x.what.count > 1 ? " " + std::to_string(x.what.count) + " times" : "");
    if (x.what.handshake > duration{})
      result += ", handshake " + duration_text(x.what.handshake);
    result += ", " + duration_text(now - x.what.when) + " ago\n";
  }
  return result;
}

}  // namespace taps
