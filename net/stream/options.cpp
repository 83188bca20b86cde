#include "taps/net/stream/options.hpp"

#include "taps/net/socket/socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace taps {

namespace {

template<class Unit>
int rounded_up(duration x) {
  constexpr std::int64_t limit = std::numeric_limits<int>::max();
  return static_cast<int>(std::min<std::int64_t>(std::chrono::ceil<Unit>(x).count(), limit));
}

/// Helps the limit that is kept above the stack; the kernel counts bytes per second.
int set_pacing(sys::kernel& os, int fd, const property_value& value) {
  auto rate = std::numeric_limits<std::uint64_t>::max();
  if (const auto* bits = value.get_if<std::int64_t>())
    rate = static_cast<std::uint64_t>(std::max<std::int64_t>(*bits / 8, 1));
  return os.setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof rate);
}

capacity_profile profile_of(const property_value& value) {
  return value.get_or(capacity_profile::default_profile);
}

}  // namespace

stream_options::stream_options(const transport_properties* properties) {
  if (properties == nullptr || properties->explicit_values().empty())
    return;
  timeout_ = properties->connection_timeout().value_or(duration::zero());
  idle_ = properties->keep_alive_timeout().value_or(duration::zero());
  keep_alive_ = properties->flag(property_id::keep_alive);
  idle_disabled_ =
      properties->is_explicit(property_id::keep_alive_timeout) && idle_ == duration::zero();
}

bool stream_options::apply_all(sys::kernel& os, int fd, ip_family family,
                               const transport_properties* properties) const {
  // Small writes are gathered above, so there is nothing to wait for here.
  int status = set_option(os, fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (keep_alive_)
    status |= apply_keep_alive(os, fd);
  if (properties == nullptr)
    return status == 0;
  const auto& values = properties->explicit_values();
  if (const auto* value = values.find(property_id::conn_capacity_profile))
    status |= set_profile(os, fd, family, profile_of(*value));
  if (const auto* value = values.find(property_id::max_send_rate))
    status |= set_pacing(os, fd, *value);
  return status == 0;
}

bool stream_options::apply_established(sys::kernel& os, int fd) const {
  return timeout_ == duration::zero() || apply_timeout(os, fd) == 0;
}

result<void> stream_options::change(sys::kernel& os, int fd, ip_family family, property_id id,
                                    const property_value& value) {
  int status = 0;
  switch (id) {
  case property_id::conn_timeout:
    timeout_ = value.get_or(duration::zero());
    status = apply_timeout(os, fd);
    if (keep_alive_)
      status = std::min(status, apply_keep_alive(os, fd));
    break;
  case property_id::keep_alive_timeout:
    idle_ = value.get_or(duration::zero());
    idle_disabled_ = idle_ == duration::zero();
    if (keep_alive_)
      status = apply_keep_alive(os, fd);
    break;
  case property_id::conn_capacity_profile:
    status = set_profile(os, fd, family, profile_of(value));
    break;
  case property_id::max_send_rate:
    status = set_pacing(os, fd, value);
    break;
  default:
    return {};
  }
  const auto unknown = status == -EOPNOTSUPP || status == -ENOPROTOOPT;
  if (status < 0 && !unknown)
    return os_error(errc::protocol_failed, "set " + std::string{to_string(id)}, -status);
  return {};
}

int stream_options::apply_timeout(sys::kernel& os, int fd) const {
  return set_option(os, fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
                    rounded_up<std::chrono::milliseconds>(timeout_));
}

int stream_options::apply_keep_alive(sys::kernel& os, int fd) const {
  // A probe that comes after the Connection has timed out anyway is of no use.
  const auto too_late = timeout_ > duration::zero() && idle_ > timeout_;
  const auto on = !idle_disabled_ && !too_late;
  if (const auto status = set_option(os, fd, SOL_SOCKET, SO_KEEPALIVE, on); status < 0)
    return status;
  if (!on || idle_ == duration::zero())
    return 0;
  // The kernel takes at most 32767 s.
  const auto seconds = std::min(rounded_up<std::chrono::seconds>(idle_), 32767);
  return set_option(os, fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
}

}  // namespace taps
