#include "taps/net/stream/acceptor.hpp"

#include "taps/net/socket/native_address.hpp"
#include "taps/net/socket/socket.hpp"
#include "taps/net/stream/connection.hpp"
#include "taps/net/stream/fast_open.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace taps {

namespace {

constexpr unsigned max_burst = 64;
constexpr duration first_delay = std::chrono::milliseconds{50};
constexpr duration max_delay = std::chrono::seconds{1};

/// Errors of a connection that ended before it was accepted, which concern nobody (accept(2)).
bool is_stillborn(int code) {
  switch (code) {
  case ECONNABORTED:
  case ENETDOWN:
  case EPROTO:
  case ENOPROTOOPT:
  case EHOSTDOWN:
  case ENONET:
  case EHOSTUNREACH:
  case EOPNOTSUPP:
  case ENETUNREACH:
  case EPERM:
  case EINTR:
    return true;
  default:
    return false;
  }
}

}  // namespace

stream_acceptor::stream_acceptor(reactor& loop, const stream_kind& kind, sys::descriptor socket,
                                 const stream_options& options, acceptor_sink& sink)
    : loop_(&loop), kind_(&kind), socket_(std::move(socket)), options_(options), sink_(&sink),
      local_(local_address(loop.os(), socket_.get())),
      retry_([](void* self) { static_cast<stream_acceptor*>(self)->resume(); }, this) {}

stream_acceptor::~stream_acceptor() { loop_->remove(*this); }

result<void> stream_acceptor::start() { return loop_->add(socket_.get(), EPOLLIN, *this); }

void stream_acceptor::take_early_data() {
  takes_early_data_ = true;
  accept_with_data(loop_->os(), socket_.get());
}

void stream_acceptor::on_io(std::uint32_t) {
  const liveness::watch alive{liveness_};
  const auto last = std::exchange(last_round_, loop_->round());
  burst_ = last_round_ == last + 1 ? std::min(burst_ * 2, max_burst) : 1;
  for (unsigned count = 0; count < burst_; ++count) {
    const auto code = accept_one();
    if (!alive || code == EAGAIN)
      return;
    if (code != 0 && !is_stillborn(code)) {
      back_off(code);
      return;
    }
  }
}

/// Returns 0, or why there was nothing to hand up. The call may end the life of this object.
int stream_acceptor::accept_one() {
  native_address peer;
  const auto fd = loop_->os().accept(socket_.get(), peer.data(), peer.size_out());
  if (fd < 0)
    return -fd;
  if (repeats_options_) {
    options_.apply_all(loop_->os(), fd, local_.address.family());
    options_.apply_established(loop_->os(), fd, local_.address.family());
  }
  auto instance = std::make_unique<stream_connection>(
      *loop_, *kind_, sys::descriptor{loop_->os(), fd}, peer.get(), options_, nullptr, true);
  if (auto started = instance->start(); !started)
    return started.failure().os_code();
  if (takes_early_data_ && came_with_data(loop_->os(), fd))
    instance->expect_early_data();
  if (!local_.address.is_any())
    instance->assume_local(local_);
  delay_ = {};
  sink_->on_accepted(std::move(instance));
  return 0;
}

void stream_acceptor::back_off(int code) {
  const auto first = delay_ == duration::zero();
  delay_ = first ? first_delay : std::min(delay_ * 2, max_delay);
  loop_->timers().schedule(retry_, loop_->now() + delay_);
  // Errors are always reported by epoll; there are none worth to hear of on a listening socket.
  if (auto silenced = loop_->modify(*this, 0); !silenced || first)
    sink_->on_soft_error(os_error(errc::protocol_failed, "accept on " + to_string(local_), code));
}

void stream_acceptor::resume() {
  if (auto heard = loop_->modify(*this, EPOLLIN); !heard)
    loop_->timers().schedule(retry_, loop_->now() + max_delay);
}

}  // namespace taps
