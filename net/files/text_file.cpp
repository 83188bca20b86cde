#include "taps/net/files/text_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

namespace taps {

namespace {

error failure(std::string_view what, const std::string& path) {
  return os_error(errc::invalid_configuration, std::string{what} + " " + path, errno);
}

/// Closes a descriptor at the end of the scope.
class open_file {
public:
  explicit open_file(int fd) noexcept : fd_(fd) {}
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  ~open_file() {
    if (fd_ >= 0)
      ::close(fd_);
  }

  [[nodiscard]] int get() const noexcept { return fd_; }

private:
  int fd_;
};

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno != EINTR)
      return false;
    text.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
  }
  return ::fsync(fd) == 0;
}

}  // namespace

result<std::string> read_text_file(const std::string& path) {
  const open_file file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0)
    return failure("open", path);
  std::string text;
  char piece[4096];
  for (;;) {
    const auto n = ::read(file.get(), piece, sizeof piece);
    if (n < 0 && errno != EINTR)
      return failure("read", path);
    if (n == 0)
      return text;
    text.append(piece, n > 0 ? static_cast<std::size_t>(n) : 0);
  }
}

result<void> write_text_file(const std::string& path, std::string_view text) {
  auto beside = path + ".XXXXXX";
  const open_file file{::mkostemp(beside.data(), O_CLOEXEC)};
  if (file.get() < 0)
    return failure("write", beside);
  if (write_all(file.get(), text) && ::rename(beside.c_str(), path.c_str()) == 0)
    return {};
  auto reason = failure("write", path);
  ::unlink(beside.c_str());
  return reason;
}

}  // namespace taps
