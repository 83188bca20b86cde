#include "taps/tests/support/dns_message/dns_message.hpp"

#include <algorithm>

namespace taps::testing {

std::string u16(unsigned x) {
  return {static_cast<char>(x >> 8 & 0xff), static_cast<char>(x & 0xff)};
}

std::string u32(std::uint32_t x) { return u16(x >> 16) + u16(x & 0xffff); }

std::string wire_name(std::string_view name) {
  std::string result;
  while (!name.empty()) {
    const auto label = name.substr(0, name.find('.'));
    result += static_cast<char>(label.size());
    result += label;
    name.remove_prefix(std::min(label.size() + 1, name.size()));
  }
  return result + '\0';
}

std::string srv_data(unsigned priority, unsigned weight, unsigned port, std::string_view target) {
  return u16(priority) + u16(weight) + u16(port) + wire_name(target);
}

std::string parameter(unsigned key, std::string_view value) {
  return u16(key) + u16(static_cast<unsigned>(value.size())) + std::string{value};
}

std::string https_data(unsigned priority, std::string_view target, std::string_view parameters) {
  return u16(priority) + wire_name(target) + std::string{parameters};
}

dns_message::dns_message(std::string_view name, unsigned type, unsigned id) : id_(id) {
  body_ = wire_name(name) + u16(type) + u16(1);
}

dns_message& dns_message::code(unsigned x) {
  flags_ |= x;
  return *this;
}

dns_message& dns_message::truncated() {
  flags_ |= 0x0200;
  return *this;
}

dns_message& dns_message::answer(std::string_view owner, unsigned type, std::string_view data,
                                 std::uint32_t ttl) {
  record(owner, type, data, ttl);
  ++answers_;
  return *this;
}

dns_message& dns_message::zone(std::string_view owner, std::uint32_t ttl) {
  record(owner, dns_soa,
         wire_name("ns.test") + wire_name("admin.test") + std::string(16, '\0') + u32(ttl), 3600);
  ++zones_;
  return *this;
}

dns_message& dns_message::claim_answers(unsigned count) {
  answers_ = count;
  return *this;
}

void dns_message::record(std::string_view owner, unsigned type, std::string_view data,
                         std::uint32_t ttl) {
  body_ += wire_name(owner) + u16(type) + u16(1) + u32(ttl) +
           u16(static_cast<unsigned>(data.size())) + std::string{data};
}

std::string dns_message::bytes() const {
  return u16(id_) + u16(flags_) + u16(1) + u16(answers_) + u16(zones_) + u16(0) + body_;
}

}  // namespace taps::testing
