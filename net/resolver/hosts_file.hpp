#pragma once

#include "taps/core/endpoint/ip_address.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace taps {

/// The names of a hosts(5) file. Reads the file anew when it has changed; one that is missing has
/// no names. Lines that make no sense, and addresses with a zone, are skipped.
class hosts_file {
public:
  explicit hosts_file(std::string path) : path_(std::move(path)) {}

  /// Returns the addresses of a name in lower case, in the order of the file; null when the file
  /// does not know it. Valid until the next call.
  [[nodiscard]] const std::vector<ip_address>* find(std::string_view name);

private:
  /// What tells one state of the file from another.
  struct stamp {
    std::uint64_t inode = 0;
    std::int64_t size = -1;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;

    friend bool operator==(const stamp&, const stamp&) = default;
  };

  [[nodiscard]] stamp current() const;
  void load();
  void read_line(std::string_view line);

  std::string path_;
  stamp loaded_;
  std::unordered_map<std::string, std::vector<ip_address>> names_;
};

}  // namespace taps
