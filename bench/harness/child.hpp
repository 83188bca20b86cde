#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <unistd.h>

namespace bench {

/// Where a child leaves what it found.
class report_pipe {
public:
  explicit report_pipe(int fd) : fd_(fd) {
    // nop
  }

  template<class T>
  void put(const T& value) const {
    static_assert(std::is_trivially_copyable_v<T>);
    // A few bytes into an empty pipe: never short.
    [[maybe_unused]] auto written = ::write(fd_, &value, sizeof(value));
  }

private:
  int fd_;
};

/// A forked process that is killed with its parent or with this object, whichever comes first.
class child {
public:
  using deadline = std::chrono::steady_clock::time_point;

  /// Runs `body` in a fresh process, on `cpu`, its descriptor limit raised.
  child(int cpu, const std::function<void(report_pipe)>& body);

  child(const child&) = delete;

  child& operator=(const child&) = delete;

  ~child();

  /// Takes what the child put next. False: the child ended, or `until` passed.
  template<class T>
  bool take(T& value, deadline until) {
    static_assert(std::is_trivially_copyable_v<T>);
    return take_bytes(&value, sizeof(value), until);
  }

private:
  bool take_bytes(void* data, std::size_t size, deadline until);

  int pid_ = -1;
  int fd_ = -1;
};

}  // namespace bench
