#include "taps/net/path/interface_type.hpp"

#include <net/if_arp.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

namespace taps {

namespace {

namespace fs = std::filesystem;

/// Not in the C library's header.
constexpr unsigned arphrd_rawip = 519;

constexpr std::array<std::string_view, 16> tunnel_kinds{
    "tun", "wireguard", "gre",  "gretap", "ip6gre", "ip6gretap", "ipip",   "ip6tnl",
    "sit", "vti",       "vti6", "xfrm",   "geneve", "vxlan",     "erspan", "amt"};

/// Returns the value of `key=` in the device's description.
std::string described(const fs::path& device, std::string_view key) {
  std::ifstream in{device / "uevent"};
  std::string line;
  while (std::getline(in, line))
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == '=')
      return line.substr(key.size() + 1);
  return {};
}

bool is_there(const fs::path& x) {
  std::error_code ignored;
  return fs::exists(x, ignored);
}

interface_type by_hardware(unsigned hardware) noexcept {
  switch (hardware) {
  case ARPHRD_LOOPBACK:
    return interface_type::loopback;
  case ARPHRD_ETHER:
    return interface_type::wired;
  case ARPHRD_IEEE80211:
  case ARPHRD_IEEE80211_PRISM:
  case ARPHRD_IEEE80211_RADIOTAP:
    return interface_type::wifi;
  case arphrd_rawip:
    return interface_type::cellular;
  case ARPHRD_NONE:
  case ARPHRD_PPP:
  case ARPHRD_TUNNEL:
  case ARPHRD_TUNNEL6:
  case ARPHRD_SIT:
  case ARPHRD_IPGRE:
    return interface_type::tunnel;
  default:
    return interface_type::other;
  }
}

}  // namespace

interface_type type_of(const link_facts& link, const std::string& sysfs) {
  if (std::ranges::find(tunnel_kinds, link.kind) != tunnel_kinds.end())
    return interface_type::tunnel;
  const auto device = fs::path{sysfs} / "class" / "net" / link.name;
  const auto devtype = described(device, "DEVTYPE");
  if (devtype == "wlan" || is_there(device / "wireless") || is_there(device / "phy80211"))
    return interface_type::wifi;
  if (devtype == "wwan" || link.kind == "wwan")
    return interface_type::cellular;
  return by_hardware(link.hardware);
}

}  // namespace taps
