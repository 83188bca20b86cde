#include "taps/net/transports/mptcp/transport.hpp"

#include "taps/core/transport/meeting.hpp"
#include "taps/net/transports/mptcp/descriptor.hpp"
#include "taps/net/transports/tcp/transport.hpp"

#include <linux/mptcp.h>
#include <netinet/in.h>

namespace taps {

namespace {

/// SOL_MPTCP, which <sys/socket.h> does not have yet.
constexpr int mptcp_level = 284;

/// A socket that fell back, or was accepted from a peer without MPTCP, knows no such option.
bool is_genuine(sys::kernel& os, int fd) {
  mptcp_info info{};
  socklen_t size = sizeof info;
  return os.getsockopt(fd, mptcp_level, MPTCP_INFO, &info, &size) == 0 &&
         (info.mptcpi_flags & MPTCP_INFO_FLAG_FALLBACK) == 0;
}

bool is_disabled(const transport_properties* properties, establishment how) {
  static const transport_properties defaults;
  return (properties ? *properties : defaults).multipath(how) == multipath_mode::disabled;
}

}  // namespace

const stream_kind& mptcp_kind() {
  static const stream_kind instance{mptcp_descriptor(), IPPROTO_MPTCP, is_genuine};
  return instance;
}

mptcp_transport::mptcp_transport(reactor& loop) noexcept
    : multipath_(loop, mptcp_kind()), plain_(loop, tcp_kind()) {}

result<std::unique_ptr<protocol>> mptcp_transport::connect(const connect_request& request,
                                                           protocol_sink& sink) {
  if (is_disabled(request.properties.get(), establishment::initiate))
    return plain_.connect(request, sink);
  if (request.hop_limit)
    return error{errc::not_supported, "the kernel has no hop limit for MPTCP"};
  return multipath_.connect(request, sink);
}

result<std::unique_ptr<acceptor>> mptcp_transport::listen(const listen_request& request,
                                                          acceptor_sink& sink) {
  return is_disabled(request.properties.get(), establishment::listen)
             ? plain_.listen(request, sink)
             : multipath_.listen(request, sink);
}

result<std::unique_ptr<meeting>> mptcp_transport::meet(const meeting_request& request,
                                                       meeting_sink& sink) {
  return plain_.meet(request, sink);
}

std::unique_ptr<transport> make_mptcp_transport(reactor& loop) {
  if (!is_available(loop.os(), mptcp_kind()))
    return nullptr;
  return std::make_unique<mptcp_transport>(loop);
}

}  // namespace taps
