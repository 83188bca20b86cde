#include "taps/net/datagram/connection.hpp"

#include "taps/net/socket/socket.hpp"

#include <netinet/in.h>

#include <cerrno>

namespace taps {

namespace {

constexpr std::uint32_t input = EPOLLIN | EPOLLET;
/// How many batches one Connection reads before others get their turn.
constexpr int turn_budget = 32;
/// How many errors it looks at.
constexpr int queue_budget = 64;

}  // namespace

std::uint64_t path_mtu_of(sys::kernel& os, int fd, ip_family family) {
  int mtu = 0;
  socklen_t size = sizeof mtu;
  const auto status = family == ip_family::v4
                          ? os.getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &size)
                          : os.getsockopt(fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &size);
  return status < 0 || mtu < 0 ? 0 : static_cast<std::uint64_t>(mtu);
}

datagram_connection::datagram_connection(reactor& loop, const datagram_kind& kind,
                                         sys::descriptor socket, std::shared_ptr<datagram_io> io,
                                         const connect_request& request, protocol_sink& sink)
    : datagram_instance(loop, kind, request.remote, &sink,
                        datagram_wishes{request.properties.get()}),
      socket_(std::move(socket)), io_(std::move(io)),
      checksums_(kind, request.remote.address.family()),
      local_(local_address(loop.os(), socket_.get())) {}

result<void> datagram_connection::start() {
  auto added = loop_->add(socket_.get(), input, *this);
  if (added)
    report_ready();
  return added;
}

void datagram_connection::flush(outbound_queue& queue) {
  if (!open() || blocked_)
    return;
  const auto outcome = io_->send(socket_.get(), queue, manner_of(checksums_), nullptr);
  if (outcome.soft_error != 0)
    on_error(outcome.soft_error);
  if (outcome.limited)
    wait_for_rate();
  // Should the loop not want to watch, the next `flush` tries again.
  if (outcome.blocked)
    blocked_ = loop_->modify(*this, input | EPOLLOUT).has_value();
}

void datagram_connection::on_io(std::uint32_t events) {
  const liveness::watch alive{liveness_};
  if (events & (EPOLLIN | EPOLLERR))
    readable_ = true;
  if ((events & EPOLLERR) != 0)
    on_error(take_error(loop_->os(), socket_.get()));
  if ((events & EPOLLOUT) != 0 && std::exchange(blocked_, false)) {
    (void)loop_->modify(*this, input);
    sink_->on_writable();
  }
  if (alive && deliver() && demand())
    receive_more();
}

void datagram_connection::receive_more() {
  bool again = false;
  for (int turns = 0; readable_ && demand() && open() && inbox_.empty(); ++turns) {
    if (turns == turn_budget) {
      loop_->run_later(*this);
      return;
    }
    datagram_io::inbound_batch batch;
    const auto count = io_->receive(socket_.get(), batch);
    if (count == -EINTR)
      continue;
    if (count <= 0) {
      // An ICMP error stands before what came after it.
      const auto failed = count != -EAGAIN && count != 0;
      readable_ = failed && !std::exchange(again, true);
      if (failed)
        on_error(-count);
      continue;
    }
    again = false;
    readable_ = static_cast<std::size_t>(count) == datagram_io::batch;
    for (int i = 0; i < count; ++i) {
      auto& x = batch[static_cast<std::size_t>(i)];
      inbox_bytes_ += x.data.size();
      inbox_.push_back(std::move(x));
    }
    if (!deliver())
      return;
  }
}

/// Asks for details where they are kept; `code` is what a call has just fetched.
void datagram_connection::on_error(int code) {
  if (!wishes_.soft_errors) {
    if (code != 0)
      report_trouble(code);
    return;
  }
  for (int i = 0; i < queue_budget; ++i) {
    const auto what = next_packet_error(loop_->os(), socket_.get());
    if (!what)
      return;
    report_trouble(*what);
  }
}

void datagram_connection::detach() {
  loop_->remove(*this);
  socket_.reset();
}

std::uint64_t datagram_connection::path_mtu() const {
  return path_mtu_of(loop_->os(), socket_.get(), remote_.address.family());
}

result<void> datagram_connection::set_property(property_id id, const property_value& value) {
  if (!open())
    return {};
  auto done =
      change_option(loop_->os(), socket_.get(), *kind_, remote_.address.family(), id, value);
  return done ? datagram_instance::set_property(id, value) : done;
}

}  // namespace taps
