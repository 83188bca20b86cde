#include "taps/net/resolver/hosts_file.hpp"

#include "taps/core/base/letters.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>

namespace taps {

namespace {

/// Cuts the next word off `text`; empty at the end.
std::string_view next_word(std::string_view& text) {
  constexpr std::string_view blanks = " \t\r\v\f";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  const auto word = text.substr(0, text.find_first_of(blanks));
  text.remove_prefix(word.size());
  return word;
}

}  // namespace

const std::vector<ip_address>* hosts_file::find(std::string_view name) {
  if (const auto now = current(); now != loaded_) {
    load();
    loaded_ = now;
  }
  const auto found = names_.find(std::string{name});
  return found == names_.end() ? nullptr : &found->second;
}

hosts_file::stamp hosts_file::current() const {
  struct stat info {};
  if (::stat(path_.c_str(), &info) != 0)
    return {};
  return {info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

void hosts_file::load() {
  names_.clear();
  std::ifstream file{path_};
  for (std::string line; std::getline(file, line);)
    read_line(line);
}

void hosts_file::read_line(std::string_view line) {
  line = line.substr(0, line.find('#'));
  const auto address = ip_address::parse(next_word(line));
  if (!address)
    return;
  for (auto name = next_word(line); !name.empty(); name = next_word(line)) {
    auto& addresses = names_[to_lower(name)];
    if (std::find(addresses.begin(), addresses.end(), *address) == addresses.end())
      addresses.push_back(*address);
  }
}

}  // namespace taps
