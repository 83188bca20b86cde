#include "taps/net/stream/transport.hpp"

#include "taps/net/socket/native_address.hpp"
#include "taps/net/socket/socket.hpp"
#include "taps/net/stream/acceptor.hpp"
#include "taps/net/stream/connection.hpp"
#include "taps/net/stream/fast_open.hpp"
#include "taps/net/stream/meeting.hpp"

#include <netinet/in.h>

#include <cerrno>

namespace taps {

namespace {

/// Binds and listens. Two sockets with `SO_REUSEADDR` may both be bound until one listens, so it is
/// set only where the port is not free without: Connections of an earlier listener may linger.
result<void> occupy(sys::kernel& os, int fd, const socket_address& local) {
  auto bound = bind_socket(os, fd, local);
  if (!bound && bound.failure().os_code() == EADDRINUSE && local.port != 0) {
    set_option(os, fd, SOL_SOCKET, SO_REUSEADDR, 1);
    bound = bind_socket(os, fd, local);
  }
  if (!bound)
    return bound;
  const auto status = os.listen(fd, SOMAXCONN);
  if (status == 0)
    return {};
  const auto what = "listen on " + to_string(local);
  if (status == -EADDRINUSE)
    return error{errc::establishment_failed,
                 "port " + std::to_string(local.port) + " is in use (" + what + ")", EADDRINUSE};
  return os_error(errc::establishment_failed, what, -status);
}

/// Returns a listening socket.
result<sys::descriptor> open_listening(sys::kernel& os, int protocol,
                                       const listen_request& request) {
  const auto family = request.local.address.family();
  auto made = open_socket(os, family, SOCK_STREAM, protocol);
  if (!made)
    return made;
  const auto fd = made->get();
  if (auto bound = bind_to_interface(os, fd, request.interface); !bound)
    return bound.failure();
  if (family == ip_family::v6)
    set_option(os, fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (request.sharing == port_sharing::further)
    set_option(os, fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (auto mine = occupy(os, fd, request.local); !mine)
    return mine.failure();
  // What is accepted inherits it, so that it will be no reason to refuse the port when it lingers.
  set_option(os, fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (request.sharing == port_sharing::first)
    set_option(os, fd, SOL_SOCKET, SO_REUSEPORT, 1);
  return made;
}

}  // namespace

result<std::unique_ptr<protocol>> stream_transport::connect(const connect_request& request,
                                                            protocol_sink& sink) {
  auto& os = loop_->os();
  auto made = open_for(os, request, SOCK_STREAM, kind_->protocol);
  if (!made)
    return made.failure();
  const auto fd = made->get();
  const stream_options options{request.properties.get()};
  options.apply_all(os, fd, request.remote.address.family());
  const auto fast = options.wishes() ? options.wishes()->fast_open : preference::no_preference;
  if (auto fine = check_fast_open(fast, establishment::initiate); !fine)
    return fine.failure();
  const native_address remote{request.remote};
  const auto early = request.early ? request.early->bytes() : 0;
  const auto status = early > 0 ? connect_with_data(os, fd, remote, *request.early)
                                : os.connect(fd, remote.data(), remote.size());
  if (status < 0 && status != -EINPROGRESS && status != -EINTR)
    return os_error(errc::establishment_failed, "connect to " + to_string(request.remote), -status);
  auto instance = std::make_unique<stream_connection>(*loop_, *kind_, *std::move(made),
                                                      request.remote, options, &sink, false);
  if (early > 0 && request.early->bytes() < early)
    instance->note_sent();
  // Not before `connect`: an unconnected socket counts as hung up.
  if (auto started = instance->start(); !started)
    return started.failure();
  return std::unique_ptr<protocol>{std::move(instance)};
}

result<std::unique_ptr<acceptor>> stream_transport::listen(const listen_request& request,
                                                           acceptor_sink& sink) {
  auto made = open_listening(loop_->os(), kind_->protocol, request);
  if (!made)
    return made.failure();
  const stream_options options{request.properties.get()};
  const auto fast = options.wishes() ? options.wishes()->fast_open : preference::no_preference;
  if (auto fine = check_fast_open(fast, establishment::listen); !fine)
    return fine.failure();
  const auto family = request.local.address.family();
  const auto initial = options.apply_all(loop_->os(), made->get(), family);
  const auto taken = options.apply_established(loop_->os(), made->get(), family) && initial;
  auto instance =
      std::make_unique<stream_acceptor>(*loop_, *kind_, *std::move(made), options, sink);
  if (!taken)
    instance->repeat_options();
  if (fast >= preference::prefer)
    instance->take_early_data();
  if (auto started = instance->start(); !started)
    return started.failure();
  return std::unique_ptr<acceptor>{std::move(instance)};
}

result<std::unique_ptr<meeting>> stream_transport::meet(const meeting_request& request,
                                                        meeting_sink& sink) {
  // Nobody else's at first; then for the calls, which come from the same port.
  auto made =
      open_listening(loop_->os(), kind_->protocol,
                     {request.local, request.interface, request.properties, port_sharing::first});
  if (!made)
    return made.failure();
  return stream_meeting::open(*loop_, *kind_, *std::move(made), request, sink);
}

bool is_available(sys::kernel& os, const stream_kind& kind) {
  return has_protocol(os, SOCK_STREAM, kind.protocol);
}

}  // namespace taps
