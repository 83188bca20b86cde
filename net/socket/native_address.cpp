#include "taps/net/socket/native_address.hpp"

#include <cstring>

namespace taps {

ip_address from_native(const in_addr& x) noexcept {
  ip_address::v4_bytes bytes;
  std::memcpy(bytes.data(), &x, bytes.size());
  return ip_address{bytes};
}

ip_address from_native(const in6_addr& x) noexcept {
  ip_address::v6_bytes bytes;
  std::memcpy(bytes.data(), &x, bytes.size());
  return ip_address{bytes};
}

in_addr to_native_v4(const ip_address& x) noexcept {
  in_addr result{};
  std::memcpy(&result, x.bytes().data(), sizeof result);
  return result;
}

in6_addr to_native_v6(const ip_address& x) noexcept {
  in6_addr result{};
  std::memcpy(&result, x.bytes().data(), sizeof result);
  return result;
}

native_address::native_address(const socket_address& x) noexcept {
  if (x.address.is_v4()) {
    store_.v4.sin_family = AF_INET;
    store_.v4.sin_port = htons(x.port);
    store_.v4.sin_addr = to_native_v4(x.address);
    size_ = sizeof store_.v4;
    return;
  }
  store_.v6.sin6_family = AF_INET6;
  store_.v6.sin6_port = htons(x.port);
  store_.v6.sin6_addr = to_native_v6(x.address);
  store_.v6.sin6_scope_id = x.scope;
  size_ = sizeof store_.v6;
}

socket_address native_address::get() const noexcept {
  if (store_.any.sa_family == AF_INET)
    return {from_native(store_.v4.sin_addr), ntohs(store_.v4.sin_port), 0};
  if (store_.any.sa_family == AF_INET6)
    return {from_native(store_.v6.sin6_addr), ntohs(store_.v6.sin6_port), store_.v6.sin6_scope_id};
  return {};
}

}  // namespace taps
