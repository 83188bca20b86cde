#include "taps/core/candidate/candidate.hpp"

namespace taps {

namespace {

std::string name_of(const path& x) {
  return x.interface.empty() ? "the kernel's choice" : "interface " + x.interface;
}

std::string addresses_of(const candidate& x) {
  auto result = to_string(x.remote);
  if (x.local)
    result += " from " + to_string(*x.local);
  return result;
}

/// Returns the first `parts` numbers of a node.
std::string_view node_prefix(std::string_view node, int parts) {
  std::size_t end = 0;
  for (; parts > 0 && end != std::string_view::npos; --parts)
    end = node.find('.', end == 0 ? 0 : end + 1);
  return node.substr(0, end);
}

}  // namespace

std::string_view to_string(branch_type x) noexcept {
  switch (x) {
  case branch_type::path:
    return "path";
  case branch_type::protocol:
    return "protocol";
  case branch_type::endpoint:
    return "endpoint";
  }
  return "unknown";
}

std::string to_string(const candidate& x) {
  auto result = x.node + " " + x.stack->name + " " + addresses_of(x);
  if (!x.path.interface.empty())
    result += " on " + name_of(x.path);
  return result;
}

std::string to_string(std::span<const candidate> tree) {
  std::string result;
  std::string_view last_path;
  std::string_view last_protocol;
  for (const auto& x : tree) {
    const auto at_path = node_prefix(x.node, 1);
    const auto at_protocol = node_prefix(x.node, 2);
    if (at_path != last_path)
      result += std::string{at_path} + " " + name_of(x.path) + "\n";
    if (at_protocol != last_protocol)
      result += "  " + std::string{at_protocol} + " " + x.stack->name + "\n";
    result += "    " + x.node + " " + addresses_of(x) + "\n";
    last_path = at_path;
    last_protocol = at_protocol;
  }
  return result;
}

}  // namespace taps
