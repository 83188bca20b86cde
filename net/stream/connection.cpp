#include "taps/net/stream/connection.hpp"

#include "taps/net/socket/socket.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

namespace taps {

namespace {

constexpr std::size_t min_read = 16 * 1024;
/// How much one connection may read before others get their turn.
constexpr std::size_t read_budget = 128 * 1024;
/// How much one connection may write before others get theirs. A reader on the same CPU then finds
/// what was written in the cache.
constexpr std::size_t write_budget = 128 * 1024;
constexpr std::size_t max_pieces = 64;
/// What a closing connection still puts up with once all its data has arrived.
constexpr auto linger_time = std::chrono::seconds{2};
constexpr std::size_t linger_bytes = 1024 * 1024;
constexpr auto default_close_timeout = std::chrono::seconds{30};

/// Leaves of `pieces` what is not more than `limit` bytes; returns how many these are.
std::size_t cut(std::span<iovec> pieces, std::size_t limit) {
  std::size_t count = 0;
  for (; count < pieces.size() && limit > 0; ++count) {
    pieces[count].iov_len = std::min(pieces[count].iov_len, limit);
    limit -= pieces[count].iov_len;
  }
  return count;
}

}  // namespace

// -- construction -----------------------------------------------------------------

stream_connection::stream_connection(reactor& loop, const stream_kind& kind, sys::descriptor socket,
                                     const socket_address& remote, const stream_options& options,
                                     protocol_sink* sink, bool established)
    : loop_(&loop), kind_(&kind), sink_(sink), socket_(std::move(socket)), remote_(remote),
      options_(options),
      deadline_([](void* self) { static_cast<stream_connection*>(self)->on_deadline(); }, this),
      stage_(established ? stage::open : stage::connecting), accepted_(established),
      writable_(established) {}

stream_connection::~stream_connection() { abort(); }

result<void> stream_connection::start() {
  if (stage_ == stage::open)
    take_up_duties();
  return loop_->add(socket_.get(), EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET, *this);
}

// -- events -----------------------------------------------------------------------

void stream_connection::on_io(std::uint32_t events) {
  const liveness::watch alive{liveness_};
  // Urgent data makes reads stop in front of it, so then short ones say nothing either.
  if (events & (EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
    thorough_ = true;
  if (events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
    readable_ = !fin_received_;
  if (events & EPOLLERR)
    error_ = true;
  if (stage_ == stage::connecting) {
    finish_connecting(events);
  } else if (events & EPOLLOUT) {
    writable_ = true;
    resume_writing();
  }
  if (alive)
    advance();
}

void stream_connection::on_later() {
  // `close` before there was a connection.
  if (stage_ == stage::closing && !socket_) {
    report_closed();
    return;
  }
  const liveness::watch alive{liveness_};
  if (const auto troubles = std::exchange(soft_errors_, nullptr))
    for (const auto& x : *troubles)
      if (alive && stage_ == stage::open)
        sink_->on_soft_error(x);
  if (alive)
    resume_writing();
  if (alive)
    advance();
}

void stream_connection::finish_connecting(std::uint32_t events) {
  if (std::exchange(error_, false)) {
    const auto code = take_error(loop_->os(), socket_.get());
    if (code != 0) {
      fail(os_error(errc::establishment_failed, "connect to " + to_string(remote_), code));
      return;
    }
  }
  if ((events & EPOLLOUT) == 0)
    return;
  // Within one machine the kernel may pick the very port that is called, and the caller would talk
  // to itself.
  if (local() == remote_) {
    fail(os_error(errc::establishment_failed, "connect to " + to_string(remote_), ECONNREFUSED));
    return;
  }
  options_.apply_established(loop_->os(), socket_.get(), remote_.address.family());
  take_up_duties();
  stage_ = stage::open;
  writable_ = true;
  sink_->on_ready();
}

void stream_connection::advance() {
  if (stage_ == stage::closing) {
    advance_closing();
    return;
  }
  if (stage_ != stage::open)
    return;
  // What the peer sent before things broke comes first, if it is wanted.
  if (readable_ && demand_) {
    receive();
  } else if (failure_) {
    fail(*failure_);
  } else if (std::exchange(error_, false)) {
    if (const auto code = take_error(loop_->os(), socket_.get()); code != 0)
      fail_or_go_on(code);
  }
}

// -- receiving --------------------------------------------------------------------

void stream_connection::set_demand(bool wanted) {
  demand_ = wanted;
  if (wanted && readable_ && stage_ == stage::open)
    loop_->run_later(*this);
}

/// Reads as long as there is something and `wanted()` holds. `take(size)` gets what is in the
/// loop's inbound buffer, and returns false when this object is gone. Returns how the stream ended,
/// 0 for in order and else the error; `EAGAIN` when nothing is left, and nothing when it was
/// stopped.
template<class Wanted, class Take>
std::optional<int> stream_connection::read(Wanted wanted, Take take) {
  for (std::size_t total = 0; readable_ && wanted();) {
    if (total >= read_budget) {
      loop_->run_later(*this);
      return std::nullopt;
    }
    auto space = loop_->inbound().prepare(min_read);
    if (duties_ && stage_ == stage::open) {
      space = space.first(std::min(space.size(), duties_->may_receive()));
      if (space.empty())
        return std::nullopt;
    }
    const auto n = loop_->os().read(socket_.get(), space.data(), space.size());
    if (n == -EINTR)
      continue;
    if (n <= 0) {
      readable_ = false;
      return static_cast<int>(-n);
    }
    const auto size = static_cast<std::size_t>(n);
    total += size;
    if (duties_)
      duties_->on_received(size);
    // The next byte makes a new edge, unless it was the end that was announced.
    if (size < space.size() && !thorough_)
      readable_ = false;
    if (!take(size))
      return std::nullopt;
  }
  return std::nullopt;
}

void stream_connection::receive() {
  const liveness::watch alive{liveness_};
  const auto end = read([this] { return demand_ && stage_ == stage::open; },
                        [&](std::size_t size) {
                          inbound_info info;
                          info.early_data = std::exchange(early_data_, false);
                          sink_->on_data(loop_->inbound().commit(size), info);
                          return static_cast<bool>(alive);
                        });
  if (!alive)
    return;
  if (!end) {
    if (stage_ == stage::open && failure_)
      loop_->run_later(*this);
  } else if (*end == 0) {
    end_of_stream();
  } else if (failure_) {
    fail(*failure_);
  } else if (*end != EAGAIN) {
    fail_or_go_on(*end);
  }
}

void stream_connection::end_of_stream() {
  if (failure_) {
    fail(*failure_);
    return;
  }
  const liveness::watch alive{liveness_};
  fin_received_ = true;
  inbound_info info;
  info.end_of_message = info.final = true;
  sink_->on_data({}, info);
  if (!alive || stage_ != stage::open)
    return;
  if (error_)
    advance();
  else if (fin_sent_)
    begin_closing();
}

// -- sending ----------------------------------------------------------------------

void stream_connection::flush(outbound_queue& queue) {
  if (stage_ != stage::open || failure_)
    return;
  while (writable_ && !fin_sent_ && !queue.empty() && may_write()) {
    if (!write_some(queue))
      break;
  }
  blocked_ = !queue.empty() && !fin_sent_ && !failure_;
  if (duties_)
    duties_->on_backlog(blocked_ && !writable_);
  if (blocked_ && writable_ && (!duties_ || duties_->may_send() > 0))
    loop_->run_later(*this);
}

bool stream_connection::may_write() noexcept {
  if (std::exchange(write_round_, loop_->round()) != loop_->round())
    written_ = 0;
  return written_ < write_budget && (!duties_ || duties_->may_send() > 0);
}

void stream_connection::resume_writing() {
  if (stage_ == stage::open && writable_ && std::exchange(blocked_, false))
    sink_->on_writable();
}

bool stream_connection::write_some(outbound_queue& queue) {
  std::array<iovec, max_pieces> pieces;
  std::size_t count = 0;
  for (const auto& piece : queue.pieces()) {
    if (!piece.data.empty())
      pieces[count++] = {const_cast<std::byte*>(piece.data.data()), piece.data.size()};
    if (count == max_pieces || piece.final)
      break;
  }
  if (duties_)
    count = cut(std::span{pieces}.first(count), duties_->may_send());
  auto& os = loop_->os();
  ssize_t n = 0;
  if (count == 1)
    n = os.write(socket_.get(), pieces[0].iov_base, pieces[0].iov_len);
  else if (count > 1)
    n = os.writev(socket_.get(), {pieces.data(), count});
  if (n == -EINTR)
    return true;
  if (n < 0) {
    const auto code = static_cast<int>(-n);
    if (code != EAGAIN && passes(code)) {
      on_trouble(trouble(code));
      return true;
    }
    writable_ = false;
    if (code != EAGAIN)
      fail_later(code);
    return false;
  }
  written_ += static_cast<std::size_t>(n);
  if (duties_)
    duties_->on_sent(static_cast<std::size_t>(n));
  wrote_ = true;
  if (queue.consume(static_cast<std::size_t>(n)))
    shut_down_sending();
  return true;
}

void stream_connection::shut_down_sending() {
  fin_sent_ = true;
  loop_->os().shutdown(socket_.get(), SHUT_WR);
  if (fin_received_ && stage_ == stage::open)
    begin_closing();
}

// -- termination ------------------------------------------------------------------

void stream_connection::close() {
  if (stage_ == stage::connecting) {
    release();
    stage_ = stage::closing;
    loop_->run_later(*this);
  } else if (stage_ == stage::open) {
    begin_closing();
  }
}

void stream_connection::begin_closing() {
  stage_ = stage::closing;
  // Letting go of the socket is enough when no promise is open: nothing was ever sent, or all of it
  // was acknowledged and nothing more comes. What the peer sent in vain then makes the reset that
  // it should hear of (RFC 1122, section 4.2.2.13).
  settled_ = (!wrote_ && !fin_sent_) || (fin_received_ && all_acknowledged());
  if (!settled_) {
    if (!fin_sent_)
      shut_down_sending();
    loop_->timers().schedule(
        deadline_, later(loop_->now(), options_.timeout().value_or(default_close_timeout)));
  }
  if (settled_ || readable_ || failure_)
    loop_->run_later(*this);
}

void stream_connection::advance_closing() {
  if (settled_) {
    report_closed();
    return;
  }
  // The kernel wakes us when the peer's end arrives and when it has acknowledged ours.
  if (failure_) {
    fail(*failure_);
    return;
  }
  auto code = readable_ ? drain() : 0;
  if (std::exchange(error_, false) && code == 0)
    code = take_error(loop_->os(), socket_.get());
  if (code != 0 && !passes(code)) {
    if (acknowledged_ || all_acknowledged())
      report_closed();
    else
      fail(broken(code));
    return;
  }
  if (!acknowledged_ && all_acknowledged()) {
    acknowledged_ = true;
    if (!fin_received_)
      loop_->timers().schedule(deadline_, loop_->now() + linger_time);
  }
  if (acknowledged_ && (fin_received_ || ignored_ > linger_bytes))
    report_closed();
}

/// Throws away what the peer sends. Returns the error that ended it, or 0.
int stream_connection::drain() {
  const auto end = read([] { return true; },
                        [this](std::size_t size) {
                          if (acknowledged_)
                            ignored_ += size;
                          return true;
                        });
  if (!end || *end == EAGAIN)
    return 0;
  fin_received_ = *end == 0;
  return *end;
}

/// True when the peer has acknowledged all bytes and, after `shutdown`, the end of the stream.
bool stream_connection::all_acknowledged() {
  int outstanding = 0;
  return loop_->os().ioctl(socket_.get(), SIOCOUTQ, &outstanding) == 0 && outstanding == 0;
}

void stream_connection::on_deadline() {
  if (acknowledged_ || all_acknowledged()) {
    report_closed();
    return;
  }
  fail({errc::timeout, "close: " + to_string(remote_) + " did not acknowledge all data in time"});
}

void stream_connection::abort() {
  // While connecting, too: the peer may have accepted already.
  if (socket_) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    loop_->os().setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  release();
  stage_ = stage::done;
}

void stream_connection::release() noexcept {
  look_for_fallback();
  deadline_.cancel();
  duties_.reset();
  loop_->retire(*this);
  socket_.reset();
}

void stream_connection::report_closed() {
  release();
  stage_ = stage::done;
  sink_->on_closed();
}

// -- failures ---------------------------------------------------------------------

void stream_connection::fail(error reason) {
  release();
  stage_ = stage::done;
  sink_->on_failed(std::move(reason));
}

void stream_connection::fail_later(int code) {
  failure_ = std::make_unique<error>(broken(code));
  // The error was fetched by the call that failed; what arrived before it is still there.
  thorough_ = true;
  readable_ = !fin_received_;
  loop_->run_later(*this);
}

error stream_connection::broken(int code) const {
  const auto peer = to_string(remote_);
  if (code == ECONNRESET || code == EPIPE || code == ECONNABORTED)
    return {errc::connection_aborted, "connection reset by peer " + peer, code};
  // Routers' complaints end nothing while the kernel still tries: it gives up for want of an
  // acknowledgement, and names the last one as the reason.
  const auto gave_up = code == ETIMEDOUT || code == EHOSTUNREACH || code == ENETUNREACH ||
                       code == ECONNREFUSED || code == EHOSTDOWN || code == ENETDOWN;
  return os_error(gave_up ? errc::timeout : errc::protocol_failed, "connection to " + peer, code);
}

}  // namespace taps
