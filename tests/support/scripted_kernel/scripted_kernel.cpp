#include "taps/tests/support/scripted_kernel/scripted_kernel.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace taps::testing {

namespace {

constexpr std::array<std::string_view, 23> known_calls{
    "epoll_create", "epoll_ctl",  "epoll_wait", "eventfd",  "socket",   "bind",
    "listen",       "accept",     "connect",    "shutdown", "close",    "getsockname",
    "getpeername",  "setsockopt", "getsockopt", "ioctl",    "read",     "write",
    "writev",       "recvmsg",    "sendmsg",    "recvmmsg", "sendmmsg",
};

/// Copies as much as fits.
ssize_t scatter(std::string_view bytes, std::span<const iovec> into) {
  std::size_t done = 0;
  for (const auto& piece : into) {
    const auto n = std::min(piece.iov_len, bytes.size() - done);
    std::memcpy(piece.iov_base, bytes.data() + done, n);
    done += n;
  }
  return static_cast<ssize_t>(done);
}

}  // namespace

// -- scripts --------------------------------------------------------------------------

void scripted_kernel::add(std::string_view call, script what) {
  if (std::find(known_calls.begin(), known_calls.end(), call) == known_calls.end()) {
    std::fprintf(stderr, "scripted_kernel: there is no call \"%.*s\"\n",
                 static_cast<int>(call.size()), call.data());
    std::abort();
  }
  std::lock_guard guard{mutex_};
  scripts_[std::string{call}].push_back(std::move(what));
}

void scripted_kernel::fail_next(std::string_view call, int os_code, int times, int fd) {
  add(call, {script::kind::answer, fd, times, -os_code, {}, {}});
}

void scripted_kernel::answer_next(std::string_view call, ssize_t answer, int fd) {
  add(call, {script::kind::answer, fd, 1, answer, {}, {}});
}

void scripted_kernel::data_next(std::string_view call, std::string bytes, int fd) {
  add(call, {script::kind::data, fd, 1, 0, std::move(bytes), {}});
}

void scripted_kernel::before_next(std::string_view call, std::function<void()> action, int fd) {
  add(call, {script::kind::action, fd, 1, 0, {}, std::move(action)});
}

void scripted_kernel::limit_write(std::size_t n) {
  std::lock_guard guard{mutex_};
  write_limit_ = n;
}

void scripted_kernel::limit_read(std::size_t n) {
  std::lock_guard guard{mutex_};
  read_limit_ = n;
}

void scripted_kernel::report(int fd, std::uint32_t events) {
  std::lock_guard guard{mutex_};
  reports_[fd] |= events;
}

void scripted_kernel::stop_clock() {
  std::lock_guard guard{mutex_};
  stopped_at_ = real_.now();
}

void scripted_kernel::advance(duration by) {
  std::lock_guard guard{mutex_};
  if (stopped_at_)
    *stopped_at_ += by;
}

std::optional<scripted_kernel::script> scripted_kernel::take(std::string_view call, int fd) {
  for (;;) {
    std::unique_lock guard{mutex_};
    const auto found = scripts_.find(call);
    if (found == scripts_.end())
      return std::nullopt;
    auto& queue = found->second;
    auto next = std::find_if(queue.begin(), queue.end(),
                             [=](const script& x) { return x.fd == fd && fd != any_fd; });
    if (next == queue.end())
      next =
          std::find_if(queue.begin(), queue.end(), [](const script& x) { return x.fd == any_fd; });
    if (next == queue.end())
      return std::nullopt;
    auto result = *next;
    if (--next->times <= 0)
      queue.erase(next);
    if (result.what != script::kind::action)
      return result;
    guard.unlock();
    result.action();
  }
}

// -- records --------------------------------------------------------------------------

ssize_t scripted_kernel::record(std::string_view call, int fd, ssize_t answer) {
  std::lock_guard guard{mutex_};
  calls_.push_back({std::string{call}, fd, answer});
  return answer;
}

std::vector<scripted_kernel::recorded_call> scripted_kernel::calls() const {
  std::lock_guard guard{mutex_};
  return calls_;
}

std::size_t scripted_kernel::num_calls(std::string_view name, int fd) const {
  std::lock_guard guard{mutex_};
  return static_cast<std::size_t>(
      std::count_if(calls_.begin(), calls_.end(), [=](const recorded_call& x) {
        return x.name == name && (fd == any_fd || x.fd == fd);
      }));
}

std::string scripted_kernel::unused() const {
  std::lock_guard guard{mutex_};
  std::string result;
  for (const auto& [name, queue] : scripts_) {
    for (const auto& x : queue)
      result += name + " on " + (x.fd == any_fd ? "any" : std::to_string(x.fd)) + "; ";
  }
  for (const auto& [fd, events] : reports_)
    result += "report on " + std::to_string(fd) + "; ";
  return result;
}

void scripted_kernel::forget_calls() {
  std::lock_guard guard{mutex_};
  calls_.clear();
}

// -- how calls are answered -----------------------------------------------------------

template<class Real>
ssize_t scripted_kernel::play(std::string_view call, int fd, Real real) {
  if (const auto scripted = take(call, fd))
    return record(call, fd, scripted->answer);
  return record(call, fd, fallback_ == unscripted::real ? ssize_t{real()} : -ENOSYS);
}

template<class Real>
ssize_t scripted_kernel::play_input(std::string_view call, int fd, std::span<const iovec> into,
                                    Real real) {
  if (const auto scripted = take(call, fd))
    return record(call, fd,
                  scripted->what == script::kind::data ? scatter(scripted->bytes, into)
                                                       : scripted->answer);
  return record(call, fd, fallback_ == unscripted::real ? ssize_t{real()} : -ENOSYS);
}

/// Returns the pieces up to the write limit.
std::vector<iovec> scripted_kernel::cut(std::span<const iovec> pieces) const {
  std::lock_guard guard{mutex_};
  std::vector<iovec> result;
  auto left = write_limit_ == 0 ? static_cast<std::size_t>(-1) : write_limit_;
  for (auto piece : pieces) {
    if (left == 0)
      break;
    piece.iov_len = std::min(piece.iov_len, left);
    left -= piece.iov_len;
    result.push_back(piece);
  }
  return result;
}

// -- time and waiting -----------------------------------------------------------------

time_point scripted_kernel::now() {
  std::lock_guard guard{mutex_};
  return stopped_at_ ? *stopped_at_ : real_.now();
}

int scripted_kernel::epoll_create() {
  return static_cast<int>(play("epoll_create", any_fd, [&] { return real_.epoll_create(); }));
}

int scripted_kernel::eventfd() {
  return static_cast<int>(play("eventfd", any_fd, [&] { return real_.eventfd(); }));
}

int scripted_kernel::epoll_ctl(int epoll, int operation, int fd, std::uint32_t events,
                               void* context) {
  const auto answer =
      play("epoll_ctl", fd, [&] { return real_.epoll_ctl(epoll, operation, fd, events, context); });
  if (answer >= 0)
    remember(epoll, operation, fd, context);
  return static_cast<int>(answer);
}

void scripted_kernel::remember(int epoll, int operation, int fd, void* context) {
  std::lock_guard guard{mutex_};
  auto& known = registered_[epoll];
  std::erase_if(known, [=](const registration& x) { return x.fd == fd; });
  if (operation != EPOLL_CTL_DEL)
    known.push_back({fd, context});
}

bool scripted_kernel::has_reports(int epoll) const {
  std::lock_guard guard{mutex_};
  const auto known = registered_.find(epoll);
  return known != registered_.end() &&
         std::any_of(known->second.begin(), known->second.end(),
                     [this](const registration& x) { return reports_.count(x.fd) != 0; });
}

/// Adds what `report` asked for to the events of a wait; returns how many there are then.
int scripted_kernel::merge_reports(int epoll, std::span<epoll_event> events, int count) {
  std::lock_guard guard{mutex_};
  auto size = static_cast<std::size_t>(std::max(count, 0));
  for (const auto& x : registered_[epoll]) {
    const auto found = reports_.find(x.fd);
    if (found == reports_.end())
      continue;
    const auto same = std::find_if(events.begin(), events.begin() + static_cast<long>(size),
                                   [&](const epoll_event& y) { return y.data.ptr == x.context; });
    const auto index = static_cast<std::size_t>(same - events.begin());
    if (index == events.size())
      continue;
    if (index == size) {
      ++size;
      events[index].events = 0;
      events[index].data.ptr = x.context;
    }
    events[index].events |= found->second;
    reports_.erase(found);
  }
  return static_cast<int>(size);
}

int scripted_kernel::epoll_wait(int epoll, std::span<epoll_event> events, int timeout_ms) {
  const auto answer = play("epoll_wait", epoll, [&] {
    if (has_reports(epoll))
      timeout_ms = 0;
    std::unique_lock guard{mutex_};
    const bool stopped = stopped_at_.has_value();
    guard.unlock();
    return stopped ? wait_stopped(epoll, events, timeout_ms)
                   : real_.epoll_wait(epoll, events, timeout_ms);
  });
  if (answer < 0 && !(answer == -ENOSYS && has_reports(epoll)))
    return static_cast<int>(answer);
  return merge_reports(epoll, events, static_cast<int>(answer));
}

int scripted_kernel::wait_stopped(int epoll, std::span<epoll_event> events, int timeout_ms) {
  const auto count = real_.epoll_wait(epoll, events, 0);
  if (count == 0 && timeout_ms > 0)
    advance(std::chrono::milliseconds{timeout_ms});
  return count;
}

// -- sockets --------------------------------------------------------------------------

int scripted_kernel::socket(int family, int type, int protocol) {
  return static_cast<int>(
      play("socket", any_fd, [&] { return real_.socket(family, type, protocol); }));
}

int scripted_kernel::bind(int fd, const sockaddr* address, socklen_t size) {
  return static_cast<int>(play("bind", fd, [&] { return real_.bind(fd, address, size); }));
}

int scripted_kernel::listen(int fd, int backlog) {
  return static_cast<int>(play("listen", fd, [&] { return real_.listen(fd, backlog); }));
}

int scripted_kernel::accept(int fd, sockaddr* address, socklen_t* size) {
  return static_cast<int>(play("accept", fd, [&] { return real_.accept(fd, address, size); }));
}

int scripted_kernel::connect(int fd, const sockaddr* address, socklen_t size) {
  return static_cast<int>(play("connect", fd, [&] { return real_.connect(fd, address, size); }));
}

int scripted_kernel::shutdown(int fd, int how) {
  return static_cast<int>(play("shutdown", fd, [&] { return real_.shutdown(fd, how); }));
}

int scripted_kernel::close(int fd) {
  {
    std::lock_guard guard{mutex_};
    for (auto& [epoll, known] : registered_)
      std::erase_if(known, [=](const registration& x) { return x.fd == fd; });
  }
  return static_cast<int>(play("close", fd, [&] { return real_.close(fd); }));
}

int scripted_kernel::getsockname(int fd, sockaddr* address, socklen_t* size) {
  return static_cast<int>(
      play("getsockname", fd, [&] { return real_.getsockname(fd, address, size); }));
}

int scripted_kernel::getpeername(int fd, sockaddr* address, socklen_t* size) {
  return static_cast<int>(
      play("getpeername", fd, [&] { return real_.getpeername(fd, address, size); }));
}

int scripted_kernel::setsockopt(int fd, int level, int name, const void* value, socklen_t size) {
  return static_cast<int>(
      play("setsockopt", fd, [&] { return real_.setsockopt(fd, level, name, value, size); }));
}

int scripted_kernel::getsockopt(int fd, int level, int name, void* value, socklen_t* size) {
  return static_cast<int>(
      play("getsockopt", fd, [&] { return real_.getsockopt(fd, level, name, value, size); }));
}

int scripted_kernel::ioctl(int fd, unsigned long request, void* argument) {
  return static_cast<int>(play("ioctl", fd, [&] { return real_.ioctl(fd, request, argument); }));
}

// -- data -----------------------------------------------------------------------------

ssize_t scripted_kernel::read(int fd, void* data, std::size_t size) {
  {
    std::lock_guard guard{mutex_};
    if (read_limit_ != 0)
      size = std::min(size, read_limit_);
  }
  const iovec into{data, size};
  return play_input("read", fd, {&into, 1}, [&] { return real_.read(fd, data, size); });
}

ssize_t scripted_kernel::write(int fd, const void* data, std::size_t size) {
  const iovec piece{const_cast<void*>(data), size};
  const auto pieces = cut({&piece, 1});
  return play("write", fd, [&] { return real_.write(fd, data, pieces.front().iov_len); });
}

ssize_t scripted_kernel::writev(int fd, std::span<const iovec> pieces) {
  const auto some = cut(pieces);
  return play("writev", fd, [&] { return real_.writev(fd, some); });
}

ssize_t scripted_kernel::recvmsg(int fd, msghdr* message, int flags) {
  {
    std::lock_guard guard{mutex_};
    if (read_limit_ != 0 && message->msg_iovlen == 1)
      message->msg_iov->iov_len = std::min(message->msg_iov->iov_len, read_limit_);
  }
  return play_input("recvmsg", fd, {message->msg_iov, message->msg_iovlen},
                    [&] { return real_.recvmsg(fd, message, flags); });
}

ssize_t scripted_kernel::sendmsg(int fd, const msghdr* message, int flags) {
  auto some = cut({message->msg_iov, message->msg_iovlen});
  auto shorter = *message;
  shorter.msg_iov = some.data();
  shorter.msg_iovlen = some.size();
  return play("sendmsg", fd, [&] { return real_.sendmsg(fd, &shorter, flags); });
}

int scripted_kernel::recvmmsg(int fd, std::span<mmsghdr> messages, int flags) {
  return static_cast<int>(
      play("recvmmsg", fd, [&] { return real_.recvmmsg(fd, messages, flags); }));
}

int scripted_kernel::sendmmsg(int fd, std::span<mmsghdr> messages, int flags) {
  return static_cast<int>(
      play("sendmmsg", fd, [&] { return real_.sendmmsg(fd, messages, flags); }));
}

}  // namespace taps::testing
