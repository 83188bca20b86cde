#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace taps::testing {

/// Types on the wire.
enum dns_type : unsigned {
  dns_a = 1,
  dns_cname = 5,
  dns_soa = 6,
  dns_aaaa = 28,
  dns_srv = 33,
  dns_https = 65,
};

/// Return a number in network order.
[[nodiscard]] std::string u16(unsigned x);
[[nodiscard]] std::string u32(std::uint32_t x);

/// Returns a name in wire form; empty for the root.
[[nodiscard]] std::string wire_name(std::string_view name);

/// Returns the data of an SRV record.
[[nodiscard]] std::string srv_data(unsigned priority, unsigned weight, unsigned port,
                                   std::string_view target);

/// Returns one parameter of an HTTPS record.
[[nodiscard]] std::string parameter(unsigned key, std::string_view value);

/// Returns the data of an HTTPS record.
[[nodiscard]] std::string https_data(unsigned priority, std::string_view target,
                                     std::string_view parameters = {});

/// Writes the answer to a question, well-formed or not.
class dns_message {
public:
  dns_message(std::string_view name, unsigned type, unsigned id = 0);

  dns_message& code(unsigned x);
  dns_message& truncated();
  dns_message& answer(std::string_view owner, unsigned type, std::string_view data,
                      std::uint32_t ttl = 60);
  /// Adds what a zone says that has no more than this, for `ttl` seconds.
  dns_message& zone(std::string_view owner, std::uint32_t ttl);
  /// Pretends to have another number of answers.
  dns_message& claim_answers(unsigned count);

  [[nodiscard]] std::string bytes() const;

private:
  void record(std::string_view owner, unsigned type, std::string_view data, std::uint32_t ttl);

  unsigned id_;
  unsigned flags_ = 0x8180;
  unsigned answers_ = 0;
  unsigned zones_ = 0;
  std::string body_;
};

}  // namespace taps::testing
