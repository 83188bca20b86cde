#include "taps/net/stream/duties.hpp"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include <limits>

namespace taps {

namespace {

constexpr auto unlimited = std::numeric_limits<std::size_t>::max();
/// How often the socket is looked at while data is on its way: about the kernel's shortest time to
/// retransmit.
constexpr duration look_period = std::chrono::milliseconds{200};
constexpr duration rate_period = std::chrono::seconds{1};

void set_limit(std::optional<rate_limit>& to, std::int64_t bits) {
  if (bits == 0)
    to.reset();
  else if (to)
    to->set(bits);
  else
    to.emplace(bits);
}

}  // namespace

stream_duties::stream_duties(reactor& loop, int fd, stream_duties_host& host) noexcept
    : loop_(&loop), host_(&host), fd_(fd),
      resume_([](void* self) { static_cast<stream_duties*>(self)->host_->on_rate_allows(); }, this),
      watch_([](void* self) { static_cast<stream_duties*>(self)->look(); }, this) {}

void stream_duties::set(const stream_wishes& x, bool kernel_has_timeout) {
  wishes_ = x;
  times_out_ = x.timeout > duration::zero() && !kernel_has_timeout;
  set_limit(sending_, x.max_send_rate);
  set_limit(receiving_, x.max_recv_rate);
  // What waited for an old rate may go by the new one; what is on its way counts from now on.
  loop_->timers().schedule(resume_, loop_->now());
  progress_ = loop_->now();
  watch();
}

// -- rates ---------------------------------------------------------------------------

std::size_t stream_duties::may_send() { return available(sending_); }

std::size_t stream_duties::may_receive() { return available(receiving_); }

std::size_t stream_duties::available(std::optional<rate_limit>& limit) {
  if (!limit)
    return unlimited;
  const auto now = loop_->now();
  const auto left = limit->available(now);
  if (left == 0 && !resume_.scheduled())
    loop_->timers().schedule(resume_, limit->next(now));
  return left;
}

void stream_duties::on_sent(std::size_t bytes) {
  if (sending_)
    sending_->spend(loop_->now(), bytes);
  sent_ += bytes;
  if (!watch_.scheduled())
    progress_ = loop_->now();
  watch();
}

void stream_duties::on_received(std::size_t bytes) {
  if (receiving_)
    receiving_->spend(loop_->now(), bytes);
}

void stream_duties::on_backlog(bool waits) {
  if (waits == backlog_since_.has_value())
    return;
  backlog_since_ = waits ? deadline{loop_->now()} : std::nullopt;
  sent_by_then_ = sent_;
  watch();
}

// -- looking at the socket --------------------------------------------------------------

void stream_duties::watch() {
  if (!watch_.scheduled() &&
      (times_out_ || wishes_.retransmissions > 0 || wishes_.min_send_rate > 0))
    loop_->timers().schedule(watch_, loop_->now() + look_period);
}

void stream_duties::look() {
  int outstanding = 0;
  if (loop_->os().ioctl(fd_, SIOCOUTQ, &outstanding) < 0)
    outstanding = 0;
  look_at_progress(static_cast<std::uint64_t>(outstanding));
  look_at_retransmissions();
  look_at_rate();
  if (outstanding > 0 || backlog_since_)
    watch();
}

void stream_duties::look_at_progress(std::uint64_t outstanding) {
  const auto acknowledged = sent_ - outstanding;
  if (outstanding == 0 || acknowledged != acknowledged_)
    progress_ = loop_->now();
  else if (times_out_ && loop_->now() - progress_ >= wishes_.timeout)
    host_->on_silence();
  acknowledged_ = acknowledged;
}

void stream_duties::look_at_retransmissions() {
  if (wishes_.retransmissions == 0)
    return;
  tcp_info info{};
  socklen_t size = sizeof info;
  if (loop_->os().getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
    return;
  const auto excessive = info.tcpi_retransmits >= wishes_.retransmissions;
  if (excessive && !excessive_)
    host_->on_trouble({errc::protocol_failed,
                       "excessive retransmissions: " + std::to_string(info.tcpi_retransmits) +
                           " without an acknowledgement"});
  excessive_ = excessive;
}

void stream_duties::look_at_rate() {
  if (!backlog_since_ || wishes_.min_send_rate == 0)
    return;
  const std::chrono::duration<double> passed = loop_->now() - *backlog_since_;
  if (passed < rate_period)
    return;
  const auto rate =
      static_cast<std::int64_t>(static_cast<double>(sent_ - sent_by_then_) * 8 / passed.count());
  const auto too_slow = rate < wishes_.min_send_rate;
  if (too_slow && !too_slow_)
    host_->on_trouble(
        {errc::protocol_failed, "minSendRate: only " + std::to_string(rate) + " bit/s leave, " +
                                    std::to_string(wishes_.min_send_rate) + " are wanted"});
  too_slow_ = too_slow;
  backlog_since_ = loop_->now();
  sent_by_then_ = sent_;
}

}  // namespace taps
