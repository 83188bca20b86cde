#include "taps/bench/harness/child.hpp"

#include "taps/bench/harness/pinning.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

namespace bench {

namespace {

[[noreturn]] void run_child(int cpu, int fd, const std::function<void(report_pipe)>& body) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  int code = 0;
  if (!pin_to(cpu)) {
    std::perror("compare: sched_setaffinity");
    code = 1;
  } else {
    try {
      body(report_pipe{fd});
    } catch (const std::exception& x) {
      std::fprintf(stderr, "compare: %s\n", x.what());
      code = 1;
    }
  }
  ::_exit(code);
}

}  // namespace

child::child(int cpu, const std::function<void(report_pipe)>& body) {
  int ends[2];
  if (::pipe(ends) != 0)
    return;
  pid_ = ::fork();
  if (pid_ == 0) {
    ::close(ends[0]);
    run_child(cpu, ends[1], body);
  }
  ::close(ends[1]);
  fd_ = ends[0];
}

child::~child() {
  if (fd_ >= 0)
    ::close(fd_);
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR)
      continue;
  }
}

bool child::take_bytes(void* data, std::size_t size, deadline until) {
  auto at = static_cast<char*>(data);
  while (size > 0) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (fd_ < 0 || left.count() <= 0)
      return false;
    pollfd p{.fd = fd_, .events = POLLIN, .revents = 0};
    if (::poll(&p, 1, static_cast<int>(left.count())) <= 0)
      continue;
    auto n = ::read(fd_, at, size);
    if (n <= 0)
      return false;
    at += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace bench
