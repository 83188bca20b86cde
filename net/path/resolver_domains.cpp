#include "taps/net/path/resolver_domains.hpp"

#include "taps/net/files/text_file.hpp"

#include <algorithm>
#include <filesystem>
#include <sstream>

namespace taps {

namespace {

namespace fs = std::filesystem;

/// Adds the addresses among words separated by blanks or semicolons.
void add_addresses(std::string words, std::vector<ip_address>& to) {
  std::ranges::replace(words, ';', ' ');
  std::istringstream in{words};
  std::string word;
  while (in >> word)
    // A server's name or zone may follow the address.
    if (auto x = ip_address::parse(word.substr(0, word.find_first_of("#%"))))
      to.push_back(*x);
}

/// A program may put its own name behind the interface's: `eth0.dhclient`.
bool is_for(const std::string& file, const network_interface& x) {
  return file == x.name || file == std::to_string(x.index) || file.starts_with(x.name + ".");
}

std::vector<ip_address> servers_of(const network_interface& x, const std::string& folder) {
  std::vector<ip_address> result;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator{folder, ignored})
    if (entry.is_regular_file(ignored) && is_for(entry.path().filename().string(), x))
      if (const auto text = read_text_file(entry.path().string()))
        std::ranges::copy(name_servers_in(*text), std::back_inserter(result));
  return result;
}

}  // namespace

std::vector<ip_address> name_servers_in(std::string_view text) {
  std::vector<ip_address> result;
  std::istringstream in{std::string{text}};
  std::string line;
  while (std::getline(in, line)) {
    if (line.starts_with("nameserver") && line.size() > 10 && (line[10] == ' ' || line[10] == '\t'))
      add_addresses(line.substr(10), result);
    else if (line.starts_with("DNS="))
      add_addresses(line.substr(4), result);
  }
  return result;
}

void add_derived_domains(std::span<const network_interface> interfaces,
                         std::span<const std::string> folders,
                         std::vector<provisioning_domain>& to) {
  for (const auto& x : interfaces) {
    if (std::ranges::find(to, x.name, &provisioning_domain::name) != to.end())
      continue;
    std::vector<ip_address> servers;
    for (const auto& folder : folders)
      std::ranges::copy(servers_of(x, folder), std::back_inserter(servers));
    if (!servers.empty())
      to.push_back({x.name, {x.name}, std::move(servers)});
  }
}

}  // namespace taps
