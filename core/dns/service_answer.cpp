#include "taps/core/dns/service_answer.hpp"

#include "taps/core/dns/message_reader.hpp"
#include "taps/core/dns/service_parameters.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace taps {

namespace {

using detail::message_reader;

constexpr std::uint16_t class_in = 1;
constexpr std::uint16_t type_cname = 5;

error malformed(std::string_view what) {
  return {errc::resolution_failed, "malformed DNS answer: " + std::string{what}};
}

// -- records ----------------------------------------------------------------------------------

/// A TTL with the highest bit set is 0 (RFC 2181, section 8).
std::chrono::seconds ttl_of(std::uint32_t x) noexcept {
  constexpr auto top = std::uint32_t{std::numeric_limits<std::int32_t>::max()};
  return std::chrono::seconds{x > top ? 0 : x};
}

struct alias {
  std::string from;
  std::string to;
  std::chrono::seconds ttl;
};

struct found_record {
  std::string owner;
  std::chrono::seconds ttl;
  service_record what;
  bool usable = true;
};

/// What an answer says, before it is known which name it is about.
struct answer_section {
  std::string question;
  std::vector<alias> aliases;
  std::vector<found_record> records;
  /// How long it holds that there is nothing else.
  std::chrono::seconds negative_ttl{0};
};

/// Read the data of a record; false if it is malformed.
bool read_srv(message_reader& in, found_record& to) {
  to.what.priority = in.u16();
  to.what.weight = in.u16();
  to.what.port = in.u16();
  to.what.target = in.name();
  to.usable = to.what.target.empty() || (to.what.port != 0 && detail::is_host_name(to.what.target));
  return true;
}

bool read_https(message_reader& in, found_record& to) {
  to.what.priority = in.u16();
  to.what.target = in.name(false);
  to.what.alias = to.what.priority == 0;
  // What an alias says besides counts for nothing (RFC 9460, section 2.4.2).
  if (to.what.alias) {
    in.bytes(in.left());
    to.usable = to.what.target.empty() || detail::is_host_name(to.what.target);
    return true;
  }
  const auto verdict = detail::read_parameters(in, to.what);
  // A place of the root's name is where the record is.
  if (to.what.target.empty())
    to.what.target = to.owner;
  to.usable = verdict == detail::parameters_verdict::usable && detail::is_host_name(to.what.target);
  return verdict != detail::parameters_verdict::malformed;
}

/// Reads one record, and adds it if it is of interest.
result<void> read_record(message_reader& in, dns_record wanted, answer_section& to) {
  found_record found{in.name(), {}, {}};
  const auto type = in.u16();
  const auto is_in = in.u16() == class_in;
  found.ttl = ttl_of(in.u32());
  auto data = in.part(in.u16());
  if (!in.fine())
    return malformed("a record is cut off");
  if (is_in && type == type_cname)
    to.aliases.push_back({std::move(found.owner), data.name(), found.ttl});
  else if (!is_in || type != number_of(wanted))
    return {};
  else if (!(wanted == dns_record::srv ? read_srv(data, found) : read_https(data, found)))
    return malformed("a parameter");
  else
    to.records.push_back(std::move(found));
  return data.fine() && data.at_end() ? result<void>{} : malformed("the data of a record");
}

/// Reads the record of a zone that says how long it has no more than it told (RFC 2308, section 5).
void read_zone(message_reader& in, answer_section& to) {
  constexpr std::uint16_t type_soa = 6;
  in.name();
  const auto type = in.u16();
  in.u16();
  const auto ttl = ttl_of(in.u32());
  auto data = in.part(in.u16());
  data.name();
  data.name();
  data.bytes(4 * sizeof(std::uint32_t));
  const auto minimum = ttl_of(data.u32());
  if (type == type_soa && data.fine())
    to.negative_ttl = std::min(ttl, minimum);
}

result<answer_section> read_section(std::string_view message, dns_record wanted) {
  message_reader in{message, 0, message.size()};
  in.u32();
  const auto questions = in.u16();
  const auto answers = in.u16();
  const auto zones = in.u16();
  in.u16();
  answer_section out;
  out.question = in.name();
  const auto type = in.u16();
  const auto is_in = in.u16() == class_in;
  if (!in.fine() || questions != 1 || type != number_of(wanted) || !is_in)
    return malformed("its question");
  const auto count = std::min<std::size_t>(answers, max_answer_records);
  for (std::size_t i = 0; i < count; ++i)
    if (auto done = read_record(in, wanted, out); !done)
      return done.failure();
  // A zone is one record, and comes first.
  if (count == answers && zones > 0)
    read_zone(in, out);
  return out;
}

/// Follows the aliases from the name of the question; `ttl` becomes the shortest of theirs.
result<std::string> owner_in(const answer_section& x, std::chrono::seconds& ttl) {
  auto owner = x.question;
  for (std::size_t i = 0; i <= max_answer_aliases; ++i) {
    const auto next = std::ranges::find_if(
        x.aliases, [&](const alias& y) { return detail::same_name(y.from, owner); });
    if (next == x.aliases.end())
      return owner;
    ttl = std::min(ttl, next->ttl);
    owner = next->to;
  }
  return {errc::resolution_failed, "the aliases of " + x.question + " lead too far or in circles"};
}

}  // namespace

result<service_records> read_service_answer(std::string_view message, dns_record type) {
  auto section = read_section(message, type);
  if (!section)
    return section.failure();
  service_records out;
  out.ttl = std::chrono::seconds::max();
  const auto owner = owner_in(*section, out.ttl);
  if (!owner)
    return owner.failure();
  const auto is_owned = [&](const found_record& x) { return detail::same_name(x.owner, *owner); };
  for (auto& x : section->records) {
    if (!is_owned(x))
      continue;
    out.ttl = std::min(out.ttl, x.ttl);
    if (x.usable)
      out.entries.push_back(std::move(x.what));
  }
  if (!std::ranges::any_of(section->records, is_owned))
    out.ttl = std::min(out.ttl, section->negative_ttl);
  return out;
}

}  // namespace taps
