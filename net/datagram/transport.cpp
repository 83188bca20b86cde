#include "taps/net/datagram/transport.hpp"

#include "taps/net/datagram/acceptor.hpp"
#include "taps/net/datagram/connection.hpp"
#include "taps/net/datagram/meeting.hpp"
#include "taps/net/socket/socket.hpp"

#include <netinet/in.h>

namespace taps {

namespace {

void set_initial(sys::kernel& os, int fd, const datagram_kind& kind, ip_family family,
                 const transport_properties* wanted) {
  // Each datagram is to tell the ECN codepoint it arrived with.
  if (family == ip_family::v4)
    set_option(os, fd, IPPROTO_IP, IP_RECVTOS, 1);
  else
    set_option(os, fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  apply_options(os, fd, kind, family, wanted);
}

/// Returns a bound socket. `SO_REUSEADDR` is out of the question: for datagrams it would let others
/// take the port over.
result<sys::descriptor> open_bound(sys::kernel& os, const datagram_kind& kind,
                                   const listen_request& request, bool shares_place) {
  const auto family = request.local.address.family();
  auto made = open_socket(os, family, SOCK_DGRAM, kind.protocol);
  if (!made)
    return made;
  const auto fd = made->get();
  if (auto bound = bind_to_interface(os, fd, request.interface); !bound)
    return bound.failure();
  if (request.sharing == port_sharing::further)
    set_option(os, fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (family == ip_family::v6)
    set_option(os, fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  set_initial(os, fd, kind, family, request.properties.get());
  // Replies must leave from the address the peer knows. Set before the first datagram can come.
  if (family == ip_family::v4)
    set_option(os, fd, IPPROTO_IP, IP_PKTINFO, 1);
  else
    set_option(os, fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  if (shares_place)
    datagram_place::deafen(os, fd);
  if (auto bound = bind_socket(os, fd, request.local); !bound)
    return bound.failure();
  if (request.sharing == port_sharing::first)
    set_option(os, fd, SOL_SOCKET, SO_REUSEPORT, 1);
  return made;
}

/// Returns a socket that is bound to a group and its port, beside whoever else hears it, and hears
/// nothing before it joins the group somewhere. Not with `SO_REUSEPORT`: the kernel divides what
/// only one socket of such a set is to hear among all of them (as of Linux 6.18).
result<sys::descriptor> open_for_group(sys::kernel& os, const datagram_kind& kind,
                                       const listen_request& request) {
  const auto family = request.local.address.family();
  auto made = open_socket(os, family, SOCK_DGRAM, kind.protocol);
  if (!made)
    return made;
  const auto fd = made->get();
  set_option(os, fd, SOL_SOCKET, SO_REUSEADDR, 1);
  hear_own_memberships_only(os, fd, family);
  set_initial(os, fd, kind, family, request.properties.get());
  if (auto bound = bind_socket(os, fd, request.local); !bound)
    return bound.failure();
  return made;
}

}  // namespace

result<std::unique_ptr<protocol>> datagram_transport::connect(const connect_request& request,
                                                              protocol_sink& sink) {
  auto& os = loop_->os();
  auto made = open_for(os, request, SOCK_DGRAM, kind_->protocol);
  if (!made)
    return made.failure();
  const auto fd = made->get();
  set_initial(os, fd, *kind_, request.remote.address.family(), request.properties.get());
  const native_address remote{request.remote};
  if (const auto status = os.connect(fd, remote.data(), remote.size()); status < 0)
    return os_error(errc::establishment_failed, "connect to " + to_string(request.remote), -status);
  auto instance =
      std::make_unique<datagram_connection>(*loop_, *kind_, *std::move(made), io_, request, sink);
  if (auto started = instance->start(); !started)
    return started.failure();
  return std::unique_ptr<protocol>{std::move(instance)};
}

result<std::unique_ptr<acceptor>> datagram_transport::listen(const listen_request& request,
                                                             acceptor_sink& sink) {
  auto& os = loop_->os();
  auto place = request.sharing == port_sharing::first && !request.group
                   ? std::make_shared<datagram_place>()
                   : std::dynamic_pointer_cast<datagram_place>(request.shared);
  auto made = request.group ? open_for_group(os, *kind_, request)
                            : open_bound(os, *kind_, request, place != nullptr);
  if (!made)
    return made.failure();
  auto port = std::make_shared<datagram_port>(*loop_, *kind_, *std::move(made), io_,
                                              std::move(place), request, sink);
  if (request.group)
    if (auto joined = port->join(request.group->interfaces); !joined)
      return joined.failure();
  if (auto started = port->start(); !started)
    return started.failure();
  return std::unique_ptr<acceptor>{std::make_unique<datagram_acceptor>(std::move(port))};
}

result<std::unique_ptr<meeting>> datagram_transport::meet(const meeting_request& request,
                                                          meeting_sink& sink) {
  auto& os = loop_->os();
  const listen_request as_listener{request.local, request.interface, request.properties};
  auto made = open_bound(os, *kind_, as_listener, false);
  if (!made)
    return made.failure();
  if (request.hop_limit)
    set_hop_limit(os, made->get(), request.local.address, *request.hop_limit);
  return datagram_meeting::open(*loop_, *kind_, *std::move(made), io_, as_listener, sink);
}

bool is_available(sys::kernel& os, const datagram_kind& kind) {
  return has_protocol(os, SOCK_DGRAM, kind.protocol);
}

}  // namespace taps
