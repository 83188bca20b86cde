#include "taps/net/stream/options.hpp"

#include "taps/net/socket/error_queue.hpp"
#include "taps/net/socket/socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <limits>

namespace taps {

namespace {

// -- values ------------------------------------------------------------------------

/// RFC 1122, section 4.2.3.5: after at least so many, retransmissions are excessive (R1).
constexpr std::int64_t usual_threshold = 3;

std::int64_t rate_of(const property_value& x) { return x.get_or<std::int64_t>(0); }

duration time_of(const property_value& x) { return x.get_or(duration::zero()); }

/// Takes over the value of one property; returns whether it is any of this file's business.
bool take(stream_wishes& to, property_id id, const property_value& value) {
  switch (id) {
  case property_id::conn_timeout:
    to.timeout = time_of(value);
    break;
  case property_id::keep_alive:
    to.keep_alive = value.truth();
    break;
  case property_id::keep_alive_timeout:
    to.idle = time_of(value);
    to.idle_disabled = to.idle == duration::zero();
    break;
  case property_id::conn_capacity_profile:
    to.profile = value.get_or(capacity_profile::default_profile);
    break;
  case property_id::max_send_rate:
    to.max_send_rate = rate_of(value);
    break;
  case property_id::min_send_rate:
    to.min_send_rate = rate_of(value);
    break;
  case property_id::max_recv_rate:
    to.max_recv_rate = rate_of(value);
    break;
  case property_id::soft_error_notify:
    to.soft_errors = value.truth();
    break;
  case property_id::retransmit_notify:
    if (value.truth() && to.retransmissions == 0)
      to.retransmissions = usual_threshold;
    break;
  case property_id::retransmit_notify_threshold:
    to.retransmissions = rate_of(value);
    break;
  case property_id::use_temporary_local_address:
    to.temporary_address = value.get_or(preference::no_preference);
    break;
  case property_id::zero_rtt_msg:
    to.fast_open = value.get_or(preference::no_preference);
    break;
  default:
    return false;
  }
  return true;
}

// -- the table -----------------------------------------------------------------------

struct target {
  sys::kernel& os;
  int fd;
  ip_family family;
};

template<class Unit>
int rounded_up(duration x) {
  constexpr std::int64_t limit = std::numeric_limits<int>::max();
  return static_cast<int>(std::min<std::int64_t>(std::chrono::ceil<Unit>(x).count(), limit));
}

int set_timeout(const target& to, const stream_wishes& x) {
  return set_option(to.os, to.fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
                    rounded_up<std::chrono::milliseconds>(x.timeout));
}

int set_keep_alive(const target& to, const stream_wishes& x) {
  if (!x.keep_alive)
    return 0;
  const auto on = x.keeps_alive();
  if (const auto status = set_option(to.os, to.fd, SOL_SOCKET, SO_KEEPALIVE, on); status < 0)
    return status;
  if (!on || x.idle == duration::zero())
    return 0;
  // The kernel takes at most 32767 s.
  const auto seconds = std::min(rounded_up<std::chrono::seconds>(x.idle), 32767);
  return set_option(to.os, to.fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
}

int set_traffic_class(const target& to, const stream_wishes& x) {
  return set_profile(to.os, to.fd, to.family, x.profile);
}

/// Helps the limit that is kept above; the kernel counts bytes per second.
int set_pacing(const target& to, const stream_wishes& x) {
  auto rate = std::numeric_limits<std::uint64_t>::max();
  if (x.max_send_rate > 0)
    rate = static_cast<std::uint64_t>(std::max<std::int64_t>(x.max_send_rate / 8, 1));
  return to.os.setsockopt(to.fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof rate);
}

int set_soft_errors(const target& to, const stream_wishes& x) {
  return x.soft_errors ? report_soft_errors(to.os, to.fd, to.family) : 0;
}

int set_source(const target& to, const stream_wishes& x) {
  return prefer_source(to.os, to.fd, to.family, x.temporary_address);
}

enum class moment : std::uint8_t {
  /// Before the handshake, and when it changes.
  opening,
  /// After the handshake, and when it changes.
  established,
  /// Only when it changes: another row sets it before.
  changed,
};

struct row {
  property_id property;
  moment when;
  int (*set)(const target&, const stream_wishes&);
};

constexpr row table[] = {
    {property_id::conn_capacity_profile, moment::opening, set_traffic_class},
    {property_id::max_send_rate, moment::opening, set_pacing},
    {property_id::use_temporary_local_address, moment::opening, set_source},
    {property_id::keep_alive, moment::opening, set_keep_alive},
    {property_id::keep_alive_timeout, moment::changed, set_keep_alive},
    {property_id::conn_timeout, moment::established, set_timeout},
    {property_id::conn_timeout, moment::changed, set_keep_alive},
    {property_id::soft_error_notify, moment::established, set_soft_errors},
};

bool apply(const target& to, const stream_wishes& wishes, moment when) {
  int status = 0;
  for (std::size_t i = 0; i < std::size(table); ++i)
    if (table[i].when == when && ((wishes.rows >> i) & 1) != 0)
      status |= table[i].set(to, wishes);
  return status == 0;
}

}  // namespace

stream_options::stream_options(const transport_properties* properties) {
  if (properties == nullptr || properties->explicit_values().empty())
    return;
  stream_wishes wishes;
  bool any = false;
  for (const auto& x : properties->explicit_values().entries())
    any |= take(wishes, x.id, x.value);
  if (!any)
    return;
  for (std::size_t i = 0; i < std::size(table); ++i)
    if (properties->is_explicit(table[i].property))
      wishes.rows |= 1u << i;
  wishes_ = std::make_shared<const stream_wishes>(wishes);
}

bool stream_options::apply_all(sys::kernel& os, int fd, ip_family family) const {
  // Small writes are gathered above, so there is nothing to wait for here.
  const auto prompt = set_option(os, fd, IPPROTO_TCP, TCP_NODELAY, 1) == 0;
  return (!wishes_ || apply({os, fd, family}, *wishes_, moment::opening)) && prompt;
}

bool stream_options::apply_established(sys::kernel& os, int fd, ip_family family) const {
  return !wishes_ || apply({os, fd, family}, *wishes_, moment::established);
}

result<void> stream_options::change(sys::kernel& os, int fd, ip_family family, property_id id,
                                    const property_value& value) {
  auto changed = wishes_ ? *wishes_ : stream_wishes{};
  if (!take(changed, id, value))
    return {};
  for (const auto& x : table) {
    if (x.property != id)
      continue;
    const auto status = x.set({os, fd, family}, changed);
    const auto unknown = status == -EOPNOTSUPP || status == -ENOPROTOOPT;
    if (status < 0 && !unknown)
      return os_error(errc::protocol_failed, "set " + std::string{to_string(id)}, -status);
  }
  wishes_ = std::make_shared<const stream_wishes>(changed);
  return {};
}

}  // namespace taps
