#include "taps/net/datagram/options.hpp"

#include "taps/net/socket/error_queue.hpp"
#include "taps/net/socket/socket.hpp"

#include <cerrno>

namespace taps {

namespace {

struct target {
  sys::kernel& os;
  int fd;
  const datagram_kind& kind;
  ip_family family;
};

int set_traffic_class(const target& to, const property_value& x) {
  return set_profile(to.os, to.fd, to.family, x.get_or(capacity_profile::default_profile));
}

int set_coverage(const target& to, const property_value& x) {
  return change_required_checksums(to.os, to.fd, to.kind, to.family, x.get_or(full_checksum));
}

int set_soft_errors(const target& to, const property_value& x) {
  return x.truth() ? report_soft_errors(to.os, to.fd, to.family) : 0;
}

int set_source(const target& to, const property_value& x) {
  return prefer_source(to.os, to.fd, to.family, x.get_or(preference::no_preference));
}

struct row {
  property_id property;
  /// Set on new sockets if somebody asked; else `apply_options` sees to it in another way.
  bool initially;
  int (*set)(const target&, const property_value&);
};

constexpr row table[] = {
    {property_id::conn_capacity_profile, true, set_traffic_class},
    {property_id::recv_checksum_len, false, set_coverage},
    {property_id::soft_error_notify, true, set_soft_errors},
    {property_id::use_temporary_local_address, true, set_source},
};

}  // namespace

void apply_options(sys::kernel& os, int fd, const datagram_kind& kind, ip_family family,
                   const transport_properties* properties) {
  require_checksums(os, fd, kind, family, properties);
  if (properties == nullptr)
    return;
  for (const auto& x : table) {
    const auto* value = x.initially ? properties->explicit_values().find(x.property) : nullptr;
    if (value != nullptr)
      x.set({os, fd, kind, family}, *value);
  }
}

result<void> change_option(sys::kernel& os, int fd, const datagram_kind& kind, ip_family family,
                           property_id id, const property_value& value) {
  for (const auto& x : table) {
    if (x.property != id)
      continue;
    const auto status = x.set({os, fd, kind, family}, value);
    if (status < 0 && status != -EOPNOTSUPP && status != -ENOPROTOOPT)
      return os_error(errc::protocol_failed, "set " + std::string{to_string(id)}, -status);
  }
  return {};
}

datagram_wishes::datagram_wishes(const transport_properties* properties) {
  if (properties != nullptr)
    for (const auto& x : properties->explicit_values().entries())
      take(x.id, x.value);
}

void datagram_wishes::take(property_id id, const property_value& value) {
  if (id == property_id::msg_checksum_len)
    checksum_length = value.get_or(full_checksum);
  else if (id == property_id::msg_capacity_profile)
    profile = value.get_or(capacity_profile::default_profile);
  else if (id == property_id::max_send_rate)
    max_send_rate = value.get_or<std::int64_t>(0);
  else if (id == property_id::soft_error_notify)
    soft_errors = value.truth();
}

}  // namespace taps
