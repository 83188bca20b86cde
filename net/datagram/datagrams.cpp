#include "taps/net/datagram/datagrams.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace taps {

namespace {

/// Room for one datagram in the shared block; larger ones are rare and copied once.
constexpr std::size_t small = 2048;
constexpr std::size_t largest = 65536;
constexpr std::size_t max_messages = 64;

/// Writes one control message; returns its size.
template<class T>
std::size_t put_control(std::span<std::byte> buffer, int level, int type, const T& value) {
  cmsghdr header{};
  header.cmsg_len = CMSG_LEN(sizeof value);
  header.cmsg_level = level;
  header.cmsg_type = type;
  std::memcpy(buffer.data(), &header, sizeof header);
  std::memcpy(buffer.data() + CMSG_LEN(0), &value, sizeof value);
  return CMSG_SPACE(sizeof value);
}

std::size_t put_source(std::span<std::byte> buffer, const ip_address& from) {
  if (from.is_v4()) {
    in_pktinfo info{};
    info.ipi_spec_dst = to_native_v4(from);
    return put_control(buffer, IPPROTO_IP, IP_PKTINFO, info);
  }
  in6_pktinfo info{};
  info.ipi6_addr = to_native_v6(from);
  return put_control(buffer, IPPROTO_IPV6, IPV6_PKTINFO, info);
}

std::size_t put_traffic_class(std::span<std::byte> buffer, ip_family family,
                              capacity_profile profile) {
  const auto value = static_cast<int>(profile) << 2;
  return family == ip_family::v4 ? put_control(buffer, IPPROTO_IP, IP_TOS, value)
                                 : put_control(buffer, IPPROTO_IPV6, IPV6_TCLASS, value);
}

error too_large(std::size_t size, std::size_t limit) {
  return {errc::message_too_large, "a message of " + std::to_string(size) +
                                       " bytes does not fit into a datagram of at most " +
                                       std::to_string(limit)};
}

}  // namespace

datagram_io::datagram_io(reactor& loop)
    : loop_(&loop), tails_(std::make_unique_for_overwrite<std::byte[]>(batch * largest)) {}

// -- receiving --------------------------------------------------------------------

int datagram_io::receive(int fd, inbound_batch& result) {
  auto& arena = loop_->inbound();
  prepare(arena.prepare(batch * small));
  const auto count = loop_->os().recvmmsg(fd, inbound_, 0);
  if (count <= 0)
    return count;
  const auto last = static_cast<std::size_t>(count) - 1;
  const auto used = last * small + std::min<std::size_t>(inbound_[last].msg_len, small);
  const auto block = used > 0 ? arena.commit(used) : slice{};
  for (std::size_t i = 0; i <= last; ++i) {
    auto& x = result[i];
    const std::size_t size = inbound_[i].msg_len;
    if (size <= small) {
      x.data = block.sub(i * small, size);
    } else {
      auto* whole = tails_.get() + i * largest;
      std::memcpy(whole, block.data() + i * small, small);
      x.data = arena.copy({whole, size});
    }
    x.from = slots_[i].from.get();
    x.to.reset();
    x.ecn.reset();
    read_control(inbound_[i].msg_hdr, x);
  }
  return count;
}

void datagram_io::prepare(std::span<std::byte> space) {
  for (std::size_t i = 0; i < batch; ++i) {
    auto& slot = slots_[i];
    slot.room[0] = {space.data() + i * small, small};
    slot.room[1] = {tails_.get() + i * largest + small, largest - small};
    msghdr header{};
    header.msg_name = slot.from.data();
    header.msg_namelen = native_address::capacity();
    header.msg_iov = slot.room.data();
    header.msg_iovlen = slot.room.size();
    header.msg_control = slot.control.data();
    header.msg_controllen = slot.control.size();
    inbound_[i] = {header, 0};
  }
}

void datagram_io::read_control(const msghdr& header, datagram& x) const {
  const auto value_of = [](cmsghdr* item, auto value) {
    std::memcpy(&value, CMSG_DATA(item),
                std::min<std::size_t>(sizeof value, item->cmsg_len - CMSG_LEN(0)));
    return value;
  };
  auto& mutable_header = const_cast<msghdr&>(header);
  for (auto* i = CMSG_FIRSTHDR(&mutable_header); i != nullptr;
       i = CMSG_NXTHDR(&mutable_header, i)) {
    const auto is = [i](int level, int type) {
      return i->cmsg_level == level && i->cmsg_type == type;
    };
    if (is(IPPROTO_IP, IP_TOS))
      x.ecn = value_of(i, std::uint8_t{}) & 3;
    else if (is(IPPROTO_IPV6, IPV6_TCLASS))
      x.ecn = static_cast<std::uint8_t>(value_of(i, int{}) & 3);
    else if (is(IPPROTO_IP, IP_PKTINFO))
      x.to = from_native(value_of(i, in_pktinfo{}).ipi_spec_dst);
    else if (is(IPPROTO_IPV6, IPV6_PKTINFO))
      x.to = from_native(value_of(i, in6_pktinfo{}).ipi6_addr);
  }
}

// -- sending ----------------------------------------------------------------------

datagram_io::outcome datagram_io::send(int fd, outbound_queue& queue, const manner& how,
                                       const route* where) {
  const auto max_size = how.max_size;
  outcome result;
  bool again = false;
  int pending = 0;
  while (!queue.empty()) {
    gather(queue, how);
    if (first_size_ > max_size) {
      queue.complete_message(too_large(first_size_, max_size));
      continue;
    }
    // The rest of the Message is still to come.
    if (outbound_.empty())
      break;
    if (how.rate && !how.rate->allows(loop_->now(), first_size_)) {
      result.limited = true;
      break;
    }
    address(where, how);
    how.checksums->use(loop_->os(), fd, checksum_);
    const auto sent = write(fd);
    if (sent > 0) {
      for (int i = 0; i < sent; ++i)
        queue.complete_message();
      if (how.rate)
        how.rate->spend(loop_->now(), first_size_);
      if (std::exchange(pending, 0) != 0)
        result.soft_error = EMSGSIZE;
      again = false;
    } else if (sent == -EAGAIN) {
      result.blocked = true;
      break;
    } else if (sent == -EMSGSIZE && std::exchange(pending, EMSGSIZE) != 0) {
      // Not the answer to an earlier one that was too large for its path.
      pending = 0;
      queue.complete_message(too_large(first_size_, max_size));
    } else if (sent == -EINTR || sent == -EMSGSIZE) {
      continue;
    } else if (!std::exchange(again, true)) {
      // An answer to an earlier datagram comes back on whatever call is next.
      result.soft_error = -sent;
    } else {
      queue.complete_message(os_error(errc::protocol_failed, "send a datagram", -sent));
      again = false;
    }
  }
  return result;
}

/// Collects complete Messages that fit and agree on checksums and marks, from the front on. Where a
/// rate is kept, one at a time.
void datagram_io::gather(const outbound_queue& queue, const manner& how) {
  pieces_.clear();
  outbound_.clear();
  first_size_ = 0;
  std::size_t size = 0;
  std::size_t first = 0;
  bool begins = true;
  for (const auto& piece : queue.pieces()) {
    if (std::exchange(begins, piece.end_of_message)) {
      const auto wanted = how.checksums->option_for(piece, how.checksum_length);
      const auto* own = piece.properties.get();
      const auto profile = own && own->capacity_profile ? own->capacity_profile : how.profile;
      if (!outbound_.empty() && (wanted.value != checksum_.value || profile != profile_))
        break;
      checksum_ = wanted;
      profile_ = profile;
    }
    size += piece.data.size();
    if (!piece.data.empty())
      pieces_.push_back({const_cast<std::byte*>(piece.data.data()), piece.data.size()});
    if (!piece.end_of_message)
      continue;
    if (outbound_.empty())
      first_size_ = size;
    if (size > how.max_size || outbound_.size() == (how.rate ? 1 : max_messages))
      break;
    mmsghdr message{};
    message.msg_hdr.msg_iovlen = pieces_.size() - first;
    outbound_.push_back(message);
    first = pieces_.size();
    size = 0;
  }
  auto* next = pieces_.data();
  for (auto& message : outbound_) {
    message.msg_hdr.msg_iov = next;
    next += message.msg_hdr.msg_iovlen;
  }
}

void datagram_io::address(const route* where, const manner& how) {
  const std::span<std::byte> room{control_};
  std::size_t control = 0;
  if (where != nullptr && where->from)
    control += put_source(room, *where->from);
  if (profile_)
    control += put_traffic_class(room.subspan(control), how.family, *profile_);
  if (where == nullptr && control == 0)
    return;
  for (auto& message : outbound_) {
    auto& header = message.msg_hdr;
    if (where != nullptr) {
      header.msg_name = const_cast<sockaddr*>(where->to.data());
      header.msg_namelen = where->to.size();
    }
    header.msg_control = control > 0 ? control_.data() : nullptr;
    header.msg_controllen = control;
  }
}

/// Returns how many Messages went out, or `-errno` for the first one.
int datagram_io::write(int fd) {
  auto& os = loop_->os();
  if (outbound_.size() > 1)
    return os.sendmmsg(fd, outbound_, 0);
  const auto n = os.sendmsg(fd, &outbound_.front().msg_hdr, 0);
  return n < 0 ? static_cast<int>(n) : 1;
}

}  // namespace taps
