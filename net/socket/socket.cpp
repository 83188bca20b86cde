#include "taps/net/socket/socket.hpp"

#include "taps/net/socket/native_address.hpp"

#include <netinet/in.h>

#include <cerrno>

namespace taps {

// -- making sockets ------------------------------------------------------------------

result<sys::descriptor> open_socket(sys::kernel& os, ip_family family, int type, int protocol) {
  const auto fd = os.socket(native_family(family), type, protocol);
  if (fd < 0)
    return os_error(errc::establishment_failed, "open a socket", -fd);
  return sys::descriptor{os, fd};
}

bool has_protocol(sys::kernel& os, int type, int protocol) {
  // Any other failure, such as a lack of descriptors, says nothing about the protocol. One
  // that the administrator has switched off is not there, either.
  const auto lacks = [&](ip_family family) {
    const auto made = open_socket(os, family, type, protocol);
    const auto code = made ? 0 : made.failure().os_code();
    return code == EPROTONOSUPPORT || code == EAFNOSUPPORT || code == ESOCKTNOSUPPORT ||
           code == ENOPROTOOPT;
  };
  return !lacks(ip_family::v4) || !lacks(ip_family::v6);
}

result<void> bind_to_interface(sys::kernel& os, int fd, std::string_view name) {
  if (name.empty())
    return {};
  const auto status = os.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name.data(),
                                    static_cast<socklen_t>(name.size()));
  if (status < 0)
    return os_error(errc::establishment_failed, "use interface " + std::string{name}, -status);
  return {};
}

result<void> bind_socket(sys::kernel& os, int fd, const socket_address& local) {
  const native_address address{local};
  const auto status = os.bind(fd, address.data(), address.size());
  if (status == 0)
    return {};
  const auto cause = os_error(errc::establishment_failed, "bind to " + to_string(local), -status);
  if (status != -EADDRINUSE)
    return cause;
  return error{errc::establishment_failed,
               "port " + std::to_string(local.port) + " is in use (" + cause.text() + ")",
               EADDRINUSE};
}

result<sys::descriptor> open_for(sys::kernel& os, const connect_request& request, int type,
                                 int protocol) {
  const auto family = request.remote.address.family();
  auto made = open_socket(os, family, type, protocol);
  if (!made)
    return made;
  const auto fd = made->get();
  if (auto bound = bind_to_interface(os, fd, request.interface); !bound)
    return bound.failure();
  if (request.hop_limit)
    set_hop_limit(os, fd, request.remote.address, *request.hop_limit);
  if (!request.local || (request.local->port == 0 && request.local->address.is_any()))
    return made;
  auto local = *request.local;
  if (local.address.is_any())
    local.address = ip_address::any(family);
  if (local.address.family() != family)
    return {errc::establishment_failed,
            to_string(local) + " and " + to_string(request.remote) + " differ in IP version"};
  // An ephemeral port is best chosen when the remote address is known too.
  if (local.port == 0)
    set_option(os, fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  // Nothing comes back from a group, so there is nothing that sharing the port could take away.
  else if (type == SOCK_STREAM || request.remote.address.is_multicast())
    set_option(os, fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (auto bound = bind_socket(os, fd, local); !bound)
    return bound.failure();
  return made;
}

// -- reading ---------------------------------------------------------------------------

socket_address local_address(sys::kernel& os, int fd) {
  native_address address;
  if (os.getsockname(fd, address.data(), address.size_out()) < 0)
    return {};
  return address.get();
}

int take_error(sys::kernel& os, int fd) {
  int code = 0;
  socklen_t size = sizeof code;
  const auto status = os.getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
  return status < 0 ? -status : code;
}

// -- options -----------------------------------------------------------------------------

int set_option(sys::kernel& os, int fd, int level, int name, int value) {
  return os.setsockopt(fd, level, name, &value, sizeof value);
}

bool has_option(sys::kernel& os, int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return os.getsockopt(fd, level, name, &value, &size) == 0;
}

void set_hop_limit(sys::kernel& os, int fd, const ip_address& destination, std::uint8_t hops) {
  if (destination.is_v4())
    set_option(os, fd, IPPROTO_IP, destination.is_multicast() ? IP_MULTICAST_TTL : IP_TTL, hops);
  else
    set_option(os, fd, IPPROTO_IPV6,
               destination.is_multicast() ? IPV6_MULTICAST_HOPS : IPV6_UNICAST_HOPS, hops);
}

int set_profile(sys::kernel& os, int fd, ip_family family, capacity_profile profile) {
  const auto traffic_class = static_cast<int>(profile) << 2;
  return family == ip_family::v4 ? set_option(os, fd, IPPROTO_IP, IP_TOS, traffic_class)
                                 : set_option(os, fd, IPPROTO_IPV6, IPV6_TCLASS, traffic_class);
}

int prefer_source(sys::kernel& os, int fd, ip_family family, preference temporary) {
  // As in <linux/in6.h>, which cannot be included beside <netinet/in.h>.
  constexpr int prefer_temporary = 1;
  constexpr int prefer_public = 2;
  if (family == ip_family::v4 || temporary == preference::no_preference)
    return 0;
  return set_option(os, fd, IPPROTO_IPV6, IPV6_ADDR_PREFERENCES,
                    temporary > preference::no_preference ? prefer_temporary : prefer_public);
}

}  // namespace taps
