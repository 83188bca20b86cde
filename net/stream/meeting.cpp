#include "taps/net/stream/meeting.hpp"

#include "taps/net/socket/native_address.hpp"
#include "taps/net/socket/socket.hpp"
#include "taps/net/stream/connection.hpp"

#include <netinet/in.h>

#include <cerrno>

namespace taps {

namespace {

/// Returns a socket at a port that another one listens on.
result<sys::descriptor> open_beside(sys::kernel& os, int protocol, const socket_address& local,
                                    const meeting_request& request) {
  const auto family = local.address.family();
  auto made = open_socket(os, family, SOCK_STREAM, protocol);
  if (!made)
    return made;
  const auto fd = made->get();
  if (auto bound = bind_to_interface(os, fd, request.interface); !bound)
    return bound.failure();
  if (request.hop_limit)
    set_hop_limit(os, fd, local.address, *request.hop_limit);
  set_option(os, fd, SOL_SOCKET, SO_REUSEADDR, 1);
  set_option(os, fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (auto bound = bind_socket(os, fd, local); !bound)
    return bound.failure();
  return made;
}

}  // namespace

result<std::unique_ptr<meeting>> stream_meeting::open(reactor& loop, const stream_kind& kind,
                                                      sys::descriptor socket,
                                                      const meeting_request& request,
                                                      meeting_sink& sink) {
  std::unique_ptr<stream_meeting> made{new stream_meeting(loop, kind, request, sink)};
  const stream_options options{request.properties.get()};
  const auto family = request.local.address.family();
  if (request.hop_limit)
    set_hop_limit(loop.os(), socket.get(), request.local.address, *request.hop_limit);
  const auto initial = options.apply_all(loop.os(), socket.get(), family);
  const auto taken = options.apply_established(loop.os(), socket.get(), family) && initial;
  made->acceptor_ = std::make_unique<stream_acceptor>(loop, kind, std::move(socket), options,
                                                      static_cast<acceptor_sink&>(*made));
  if (!taken)
    made->acceptor_->repeat_options();
  if (auto started = made->acceptor_->start(); !started)
    return started.failure();
  return std::unique_ptr<meeting>{std::move(made)};
}

result<std::unique_ptr<protocol>> stream_meeting::call(const socket_address& to,
                                                       protocol_sink& sink) {
  auto& os = loop_->os();
  auto made = open_beside(os, kind_->protocol, local(), request_);
  if (!made)
    return made.failure();
  const auto fd = made->get();
  const stream_options options{request_.properties.get()};
  options.apply_all(os, fd, to.address.family());
  const native_address remote{to};
  const auto status = os.connect(fd, remote.data(), remote.size());
  if (status < 0 && status != -EINPROGRESS && status != -EINTR)
    return os_error(errc::establishment_failed, "connect to " + to_string(to), -status);
  auto instance = std::make_unique<stream_connection>(*loop_, *kind_, *std::move(made), to, options,
                                                      &sink, false);
  if (auto started = instance->start(); !started)
    return started.failure();
  return std::unique_ptr<protocol>{std::move(instance)};
}

}  // namespace taps
