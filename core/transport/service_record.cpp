#include "taps/core/transport/service_record.hpp"

namespace taps {

std::string_view to_string(dns_record x) noexcept {
  switch (x) {
  case dns_record::aaaa:
    return "AAAA";
  case dns_record::a:
    return "A";
  case dns_record::srv:
    return "SRV";
  case dns_record::https:
    return "HTTPS";
  }
  return "unknown";
}

std::uint16_t number_of(dns_record x) noexcept {
  switch (x) {
  case dns_record::aaaa:
    return 28;
  case dns_record::a:
    return 1;
  case dns_record::srv:
    return 33;
  case dns_record::https:
    return 65;
  }
  return 0;
}

}  // namespace taps
