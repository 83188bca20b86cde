// A hosts file of any content, against a reader that is slow and plain.

#include "taps/net/resolver/hosts_file.hpp"
#include "taps/tests/fuzz/fuzz_input.hpp"

#include "taps/core/base/letters.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <sys/mman.h>
#include <unistd.h>

using namespace taps;
using namespace taps::testing;

namespace {

/// A file in memory, with a name to open it by.
class memory_file {
public:
  memory_file() : fd_(::memfd_create("hosts", MFD_CLOEXEC)) {
    require(fd_ >= 0, "a file in memory can be had");
  }
  memory_file(const memory_file&) = delete;
  memory_file& operator=(const memory_file&) = delete;
  ~memory_file() { ::close(fd_); }

  void write(std::string_view text) {
    require(::ftruncate(fd_, 0) == 0 &&
                ::pwrite(fd_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()),
            "a file in memory takes it");
  }

  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

private:
  int fd_;
};

using names = std::map<std::string, std::vector<ip_address>>;

names read_plainly(const std::string& text) {
  names result;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line.substr(0, line.find('#'))};
    std::string word;
    words >> word;
    const auto address = ip_address::parse(word);
    while (address && words >> word) {
      auto& of_name = result[to_lower(word)];
      if (std::find(of_name.begin(), of_name.end(), *address) == of_name.end())
        of_name.push_back(*address);
    }
  }
  return result;
}

void compare(hosts_file& tested, const std::string& text) {
  const auto expected = read_plainly(text);
  for (const auto& [name, addresses] : expected) {
    const auto* found = tested.find(name);
    require(found && *found == addresses, "a name of the file is found", text);
    require(to_lower(name) == name, "names are in lower case", text);
  }
  // Also what is no name: nothing is found, and nothing breaks.
  for (std::size_t at = 0; at < text.size(); at += 31) {
    const auto name = to_lower(text.substr(at, 5));
    require((tested.find(name) != nullptr) == expected.contains(name), "only names are found",
            text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz_input input{data, size};
  const auto pieces = input.byte();
  // Each look asks the kernel whether the file has changed, so long files would take long.
  auto text = input.text("1.:2fa#\n\t \r\nxY").substr(0, 128);
  // Noise alone seldom makes a line that counts.
  for (auto i = pieces % 5; i > 0 && !text.empty(); --i) {
    constexpr std::string_view lines[]{"\n127.0.0.1 localhost ", "\n::1\tLOCAL#", "\n10.0.0.1 ",
                                       "\nfe80::1%lo x "};
    text.insert(pieces % text.size(), lines[(pieces + i) % std::size(lines)]);
  }
  memory_file file;
  hosts_file tested{file.path()};
  require(tested.find("localhost") == nullptr, "an empty file has no names");
  file.write(text);
  compare(tested, text);
  return 0;
}
