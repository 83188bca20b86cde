#include "taps/net/datagram/port.hpp"

#include "taps/net/datagram/child.hpp"
#include "taps/net/socket/socket.hpp"

#include <linux/filter.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace taps {

namespace {

constexpr std::uint32_t input = EPOLLIN | EPOLLET;
/// How many batches are read before other sockets get their turn.
constexpr int turn_budget = 32;
/// How many errors are looked at.
constexpr int queue_budget = 16;

}  // namespace

// -- datagram_place ---------------------------------------------------------------

void datagram_place::deafen(sys::kernel& os, int socket) {
  sock_filter nothing{BPF_RET | BPF_K, 0, 0, 0};
  const sock_fprog program{1, &nothing};
  os.setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

void datagram_place::join(sys::kernel& os, int socket) {
  std::lock_guard guard{mutex_};
  deaf_.emplace_back(&os, socket);
}

void datagram_place::complete() {
  std::lock_guard guard{mutex_};
  for (const auto& [os, socket] : std::exchange(deaf_, {}))
    set_option(*os, socket, SOL_SOCKET, SO_DETACH_FILTER, 0);
}

void datagram_place::keep(sys::descriptor socket) {
  std::lock_guard guard{mutex_};
  idle_.push_back(std::move(socket));
}

// -- datagram_port ----------------------------------------------------------------

datagram_port::datagram_port(reactor& loop, const datagram_kind& kind, sys::descriptor socket,
                             std::shared_ptr<datagram_io> io, std::shared_ptr<datagram_place> place,
                             const listen_request& request, acceptor_sink& sink)
    : loop_(&loop), kind_(&kind), socket_(std::move(socket)), io_(std::move(io)),
      place_(std::move(place)), sink_(&sink), local_(local_address(loop.os(), socket_.get())),
      checksums_(kind, local_.address.family()), wishes_(request.properties.get()) {
  if (place_)
    place_->join(loop.os(), socket_.get());
  if (request.group)
    membership_.emplace(loop.os(), socket_.get(), request.local.address, request.group->sources);
}

datagram_port::~datagram_port() {
  loop_->remove(*this);
  if (place_)
    place_->keep(std::move(socket_));
}

result<void> datagram_port::start() { return loop_->add(socket_.get(), input, *this); }

/// Tells those whose datagrams did not get through.
void datagram_port::look_for_trouble() {
  (void)take_error(loop_->os(), socket_.get());
  if (!wishes_.soft_errors)
    return;
  for (int i = 0; i < queue_budget; ++i) {
    const auto what = next_packet_error(loop_->os(), socket_.get());
    if (!what)
      return;
    // From which of our addresses it came is not known.
    for (const auto& [flow, child] : children_)
      if (flow.remote == what->to)
        child->fail_packet(*what);
  }
}

// -- receiving --------------------------------------------------------------------

void datagram_port::on_io(std::uint32_t events) {
  // Sinks may let go of the acceptor and all Connections.
  const auto self = shared_from_this();
  if ((events & EPOLLERR) != 0)
    look_for_trouble();
  if ((events & EPOLLOUT) != 0)
    notify_waiting();
  if ((events & (EPOLLIN | EPOLLERR)) != 0)
    receive();
}

void datagram_port::on_later() {
  const auto self = shared_from_this();
  receive();
}

void datagram_port::receive() {
  for (int turns = 0; turns < turn_budget; ++turns) {
    datagram_io::inbound_batch batch;
    const auto count = io_->receive(socket_.get(), batch);
    if (count == -EINTR)
      continue;
    if (count <= 0)
      return;
    for (int i = 0; i < count; ++i)
      dispatch(std::move(batch[static_cast<std::size_t>(i)]));
    if (static_cast<std::size_t>(count) < datagram_io::batch)
      return;
  }
  loop_->run_later(*this);
}

void datagram_port::dispatch(datagram x) {
  if (filter_ && !filter_->pass(*this, x))
    return;
  const auto flow = flow_of(x);
  if (const auto i = children_.find(flow); i != children_.end()) {
    i->second->arrive(std::move(x));
    return;
  }
  if (sink_ == nullptr || children_.size() >= max_children) {
    count_drop();
    return;
  }
  auto child = std::make_unique<datagram_child>(*loop_, shared_from_this(), flow);
  children_.emplace(flow, child.get());
  child->arrive(std::move(x));
  sink_->on_accepted(std::move(child));
}

std::unique_ptr<datagram_child> datagram_port::open(const socket_address& remote) {
  const datagram_flow flow{remote, local_.address};
  if (children_.contains(flow))
    return nullptr;
  auto child = std::make_unique<datagram_child>(*loop_, shared_from_this(), flow);
  children_.emplace(flow, child.get());
  return child;
}

// -- sending ----------------------------------------------------------------------

void datagram_port::send_past(const socket_address& to, std::span<const std::byte> data) {
  native_address address{to};
  iovec piece{const_cast<std::byte*>(data.data()), data.size()};
  msghdr message{};
  message.msg_name = address.data();
  message.msg_namelen = address.size();
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  static_cast<void>(loop_->os().sendmsg(socket_.get(), &message, 0));
}

bool datagram_port::flush(datagram_child& child, outbound_queue& queue,
                          const datagram_io::manner& how) {
  if (!blocked_) {
    const auto& flow = child.flow();
    datagram_io::route route{native_address{flow.remote}, std::nullopt};
    // Bound to one address, the kernel knows where datagrams come from.
    if (local_.address.is_any())
      route.from = flow.local;
    const auto outcome = io_->send(socket_.get(), queue, how, &route);
    if (!outcome.blocked)
      return outcome.limited;
    blocked_ = loop_->modify(*this, input | EPOLLOUT).has_value();
  }
  if (!std::exchange(child.waiting, true))
    waiting_.push_back(&child);
  return false;
}

void datagram_port::notify_waiting() {
  blocked_ = false;
  (void)loop_->modify(*this, input);
  notified_.swap(waiting_);
  for (std::size_t i = 0; i < notified_.size(); ++i) {
    if (auto* child = std::exchange(notified_[i], nullptr)) {
      child->waiting = false;
      child->on_room();
    }
  }
  notified_.clear();
}

void datagram_port::leave(datagram_child& child) {
  children_.erase(child.flow());
  if (!std::exchange(child.waiting, false))
    return;
  std::erase(waiting_, &child);
  std::replace(notified_.begin(), notified_.end(), &child, static_cast<datagram_child*>(nullptr));
}

}  // namespace taps
