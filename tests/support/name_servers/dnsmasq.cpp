#include "taps/tests/support/name_servers/dnsmasq.hpp"

#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace taps::testing {

namespace {

/// Returns a port that was free a moment ago.
std::uint16_t free_port() {
  const auto fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ::close(fd);
  return ntohs(address.sin_port);
}

}  // namespace

bool dnsmasq::installed() { return ::access(path, X_OK) == 0; }

dnsmasq::dnsmasq(const std::vector<std::string>& records) {
  // Somebody else may be faster with the port.
  for (int tries = 0; tries < 5 && !running(); ++tries)
    start(records);
}

dnsmasq::~dnsmasq() { stop(); }

void dnsmasq::start(const std::vector<std::string>& records) {
  port_ = free_port();
  // Without daemon it does not change its user either, which neither a sandbox nor a namespace
  // would let it do.
  std::vector<std::string> words{path,
                                 "--no-daemon",
                                 "--conf-file=/dev/null",
                                 "--no-resolv",
                                 "--no-hosts",
                                 "--bind-interfaces",
                                 "--listen-address=127.0.0.1",
                                 "--pid-file=",
                                 "--local=/test/",
                                 "--port=" + std::to_string(port_)};
  words.insert(words.end(), records.begin(), records.end());
  std::vector<char*> arguments;
  for (auto& x : words)
    arguments.push_back(x.data());
  arguments.push_back(nullptr);
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  process_ = ::fork();
  if (process_ == 0) {
    // Not to be left behind by a test that crashes.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(pipe[1], STDERR_FILENO);
    ::execv(path, arguments.data());
    ::_exit(127);
  }
  ::close(pipe[1]);
  wait_until_started(pipe[0]);
}

/// Its log says when it listens, and ends when it could not.
void dnsmasq::wait_until_started(int log) {
  log_pipe_ = log;
  log_.clear();
  std::array<char, 256> bytes;
  while (log_.find("started") == std::string::npos) {
    const auto size = ::read(log, bytes.data(), bytes.size());
    if (size <= 0) {
      stop();
      return;
    }
    log_.append(bytes.data(), static_cast<std::size_t>(size));
  }
}

void dnsmasq::stop() {
  if (log_pipe_ >= 0)
    ::close(std::exchange(log_pipe_, -1));
  if (process_ <= 0)
    return;
  ::kill(process_, SIGKILL);
  ::waitpid(std::exchange(process_, -1), nullptr, 0);
}

}  // namespace taps::testing
