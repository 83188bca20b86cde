// Answers about services of any content: no crash, no endless work, nothing beyond the caps; and
// where c-ares reads an SRV answer as well, the same places.

#include "taps/core/dns/service_answer.hpp"
#include "taps/tests/fuzz/fuzz_input.hpp"

#include <ares.h>

#include <algorithm>

using namespace taps;
using namespace taps::testing;

namespace {

/// A message whose counts and question are in order, so that noise gets further.
std::string framed(std::string_view noise, unsigned type, std::uint8_t answers) {
  using namespace std::string_literals;
  auto result = "\0\0\x81\x80\0\1\0"s + static_cast<char>(answers) + "\0\1\0\0\1a\4test\0\0"s;
  result += static_cast<char>(type);
  result += "\0\1"s;
  // The name of the question, its type, and some time.
  const auto head = "\xc0\x0c\0"s + static_cast<char>(type) + "\0\1\0\0\0\x3c"s;
  while (!noise.empty()) {
    const auto data = noise.substr(0, std::min<std::size_t>(noise.size(), 8 + noise[0] % 32u));
    noise.remove_prefix(data.size());
    result += head + '\0' + static_cast<char>(data.size()) + std::string{data};
  }
  return result;
}

void check(const std::string& message, dns_record type) {
  const auto found = read_service_answer(message, type);
  if (!found) {
    require(!found.failure().text().empty(), "an error has a text");
    return;
  }
  require(found->entries.size() <= max_answer_records, "records are capped");
  require(found->ttl.count() >= 0, "a life is not negative");
  for (const auto& x : found->entries) {
    require(x.target.size() < 256, "a name is not longer than names are", x.target);
    require(x.target.find('\\') == std::string::npos, "a target is a host name", x.target);
    require(x.alpn.size() <= max_record_values, "protocols are capped");
    require(x.hints.size() <= 2 * max_record_values, "hints are capped");
    require(x.port != 0 || x.target.empty(), "there is no port 0");
  }
}

/// c-ares takes records of all owners, reads all of them, and checks less.
void compare(const std::string& message) {
  const auto found = read_service_answer(message, dns_record::srv);
  if (!found || found->entries.empty())
    return;
  ares_srv_reply* list = nullptr;
  const auto status = ares_parse_srv_reply(reinterpret_cast<const unsigned char*>(message.data()),
                                           static_cast<int>(message.size()), &list);
  if (status == ARES_SUCCESS)
    for (const auto& x : found->entries) {
      bool same = false;
      for (auto* y = list; y; y = y->next)
        same = same || (x.priority == y->priority && x.weight == y->weight && x.port == y->port &&
                        x.target == y->host);
      require(same || x.target.empty(), "c-ares finds it, too", x.target);
    }
  if (list)
    ares_free_data(list);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz_input input{data, size};
  const auto how = input.byte();
  const auto type = how % 2 == 0 ? dns_record::srv : dns_record::https;
  const auto answers = static_cast<std::uint8_t>(input.byte() % 8);
  const auto noise = input.rest();
  const auto message = how % 8 < 2 ? std::string{noise} : framed(noise, number_of(type), answers);
  check(message, type);
  if (type == dns_record::srv)
    compare(message);
  return 0;
}
