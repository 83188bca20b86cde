#pragma once

#include "taps/net/sys/kernel.hpp"

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taps::testing {

/// A kernel whose answers a test can script, call by call, and that remembers what it was asked.
/// Calls that no script names go to the real kernel, or are refused with `ENOSYS`.
///
///     scripted_kernel os;
///     os.fail_next("accept", EMFILE);      // once; then the real kernel again
///     os.limit_write(1);                   // each write takes one byte
///     reactor loop{os};
///
/// Calls are named as in `sys::kernel`; a name that is not there ends the test program. A script
/// for one descriptor wins over a script for any. Safe to use from several threads.
class scripted_kernel : public sys::kernel {
public:
  enum class unscripted { real, refuse };

  static constexpr int any_fd = -1;

  explicit scripted_kernel(unscripted fallback = unscripted::real) : fallback_(fallback) {}

  // -- scripts ------------------------------------------------------------------------

  /// The next `times` calls fail with `os_code`, and the real kernel does not hear of them.
  void fail_next(std::string_view call, int os_code, int times = 1, int fd = any_fd);

  /// The next call returns `answer` without doing anything: a descriptor, a count, 0.
  void answer_next(std::string_view call, ssize_t answer, int fd = any_fd);

  /// The next `read` or `recvmsg` of the descriptor gets these bytes. What does not fit is lost,
  /// and no bytes mean the end of the stream.
  void data_next(std::string_view call, std::string bytes, int fd = any_fd);

  /// Runs `action` right before the next call is answered: what a test wants to happen meanwhile.
  void before_next(std::string_view call, std::function<void()> action, int fd = any_fd);

  /// From now on `write`, `writev` and `sendmsg` take at most `n` bytes of a call; 0 lifts it. The
  /// address and control data of a `sendmsg` stay.
  void limit_write(std::size_t n);

  /// From now on `read` and a `recvmsg` of one piece return at most `n` bytes; 0 lifts it.
  void limit_read(std::size_t n);

  /// The next `epoll_wait` returns at once and reports `events` of `fd`, together with what the
  /// real kernel has for it. The descriptor must be registered by then, else nothing is reported.
  void report(int fd, std::uint32_t events);

  /// Stops the clock at its current time; `advance` moves it. An `epoll_wait` then never blocks,
  /// but moves the clock by its timeout when there is nothing to report.
  void stop_clock();
  void advance(duration by);

  // -- records ------------------------------------------------------------------------

  struct recorded_call {
    std::string name;
    int fd;
    ssize_t answer;

    friend bool operator==(const recorded_call&, const recorded_call&) = default;
  };

  /// Everything so far, in order; time is not recorded.
  [[nodiscard]] std::vector<recorded_call> calls() const;
  [[nodiscard]] std::size_t num_calls(std::string_view name, int fd = any_fd) const;
  /// What scripts have not been used up, as text; empty when the test has seen all it asked for.
  [[nodiscard]] std::string unused() const;
  void forget_calls();

  // -- sys::kernel ----------------------------------------------------------------------

  time_point now() override;
  int epoll_create() override;
  int epoll_ctl(int epoll, int operation, int fd, std::uint32_t events, void* context) override;
  int epoll_wait(int epoll, std::span<epoll_event> events, int timeout_ms) override;
  int eventfd() override;
  int socket(int family, int type, int protocol) override;
  int bind(int fd, const sockaddr* address, socklen_t size) override;
  int listen(int fd, int backlog) override;
  int accept(int fd, sockaddr* address, socklen_t* size) override;
  int connect(int fd, const sockaddr* address, socklen_t size) override;
  int shutdown(int fd, int how) override;
  int close(int fd) override;
  int getsockname(int fd, sockaddr* address, socklen_t* size) override;
  int getpeername(int fd, sockaddr* address, socklen_t* size) override;
  int setsockopt(int fd, int level, int name, const void* value, socklen_t size) override;
  int getsockopt(int fd, int level, int name, void* value, socklen_t* size) override;
  int ioctl(int fd, unsigned long request, void* argument) override;
  ssize_t read(int fd, void* data, std::size_t size) override;
  ssize_t write(int fd, const void* data, std::size_t size) override;
  ssize_t writev(int fd, std::span<const iovec> pieces) override;
  ssize_t recvmsg(int fd, msghdr* message, int flags) override;
  ssize_t sendmsg(int fd, const msghdr* message, int flags) override;
  int recvmmsg(int fd, std::span<mmsghdr> messages, int flags) override;
  int sendmmsg(int fd, std::span<mmsghdr> messages, int flags) override;

private:
  struct script {
    enum class kind { answer, data, action } what;
    int fd;
    int times;
    ssize_t answer;
    std::string bytes;
    std::function<void()> action;
  };

  struct registration {
    int fd;
    void* context;
  };

  void add(std::string_view call, script what);
  /// Takes what is to happen on this call; runs actions on the way.
  std::optional<script> take(std::string_view call, int fd);
  ssize_t record(std::string_view call, int fd, ssize_t answer);
  /// Answers by script, or else by `real`, or refuses.
  template<class Real>
  ssize_t play(std::string_view call, int fd, Real real);
  /// As `play`, for calls that a script can give data.
  template<class Real>
  ssize_t play_input(std::string_view call, int fd, std::span<const iovec> into, Real real);
  std::vector<iovec> cut(std::span<const iovec> pieces) const;
  void remember(int epoll, int operation, int fd, void* context);
  int merge_reports(int epoll, std::span<epoll_event> events, int count);
  int wait_stopped(int epoll, std::span<epoll_event> events, int timeout_ms);
  bool has_reports(int epoll) const;

  sys::kernel& real_ = sys::linux_kernel();
  const unscripted fallback_;
  mutable std::mutex mutex_;
  std::map<std::string, std::deque<script>, std::less<>> scripts_;
  std::vector<recorded_call> calls_;
  std::map<int, std::vector<registration>> registered_;
  std::map<int, std::uint32_t> reports_;
  std::size_t write_limit_ = 0;
  std::size_t read_limit_ = 0;
  std::optional<time_point> stopped_at_;
};

}  // namespace taps::testing
