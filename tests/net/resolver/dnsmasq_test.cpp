#include "taps/tests/net/resolver/resolver_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

namespace taps::testing {

namespace {

using ::testing::HasSubstr;

constexpr const char* path = "/usr/sbin/dnsmasq";

/// Returns a port that was free a moment ago.
std::string free_port() {
  auto& os = sys::linux_kernel();
  sys::descriptor fd{os, os.socket(AF_INET, SOCK_STREAM, 0)};
  sockaddr_in address{};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  os.bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size);
  os.getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return std::to_string(ntohs(address.sin_port));
}

/// A dnsmasq process; gone with the object.
class dnsmasq {
public:
  explicit dnsmasq(std::vector<std::string> records) {
    // Somebody else may be faster with the port.
    for (int tries = 0; tries < 5 && !running(); ++tries)
      start(records);
  }

  ~dnsmasq() { stop(); }

  [[nodiscard]] bool running() const noexcept { return process_ > 0; }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + port_; }
  [[nodiscard]] const std::string& log() const noexcept { return log_; }

private:
  void start(const std::vector<std::string>& records) {
    port_ = free_port();
    std::vector<std::string> words{path,
                                   "--keep-in-foreground",
                                   "--conf-file=/dev/null",
                                   "--no-resolv",
                                   "--no-hosts",
                                   "--log-facility=-",
                                   "--bind-interfaces",
                                   "--listen-address=127.0.0.1",
                                   "--pid-file=",
                                   "--local=/test/",
                                   "--port=" + port_};
    if (::geteuid() == 0)
      words.insert(words.end(), {"--user=root", "--group=root"});
    words.insert(words.end(), records.begin(), records.end());
    std::vector<char*> arguments;
    for (auto& x : words)
      arguments.push_back(x.data());
    arguments.push_back(nullptr);
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(pipe[1], STDERR_FILENO);
      ::execv(path, arguments.data());
      ::_exit(127);
    }
    ::close(pipe[1]);
    wait_until_started(pipe[0]);
  }

  /// Its log says when it listens, and ends when it could not.
  void wait_until_started(int log) {
    log_.clear();
    std::array<char, 256> bytes;
    while (log_.find("started") == std::string::npos) {
      const auto size = ::read(log, bytes.data(), bytes.size());
      if (size <= 0) {
        stop();
        break;
      }
      log_.append(bytes.data(), static_cast<std::size_t>(size));
    }
    // Kept open, so that the process can go on talking.
    log_pipe_ = {sys::linux_kernel(), log};
  }

  void stop() {
    if (process_ <= 0)
      return;
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
  }

  pid_t process_ = -1;
  std::string port_;
  std::string log_;
  sys::descriptor log_pipe_;
};

class dnsmasq_test : public resolver_fixture {
protected:
  void SetUp() override {
    if (::access(path, X_OK) != 0)
      GTEST_SKIP() << path << " is not installed";
  }

  std::unique_ptr<resolver> start(std::vector<std::string> records) {
    server = std::make_unique<dnsmasq>(std::move(records));
    EXPECT_TRUE(server->running()) << server->log();
    dns_options options;
    options.servers = {server->address()};
    options.hosts_file = "/dev/null";
    return make(options);
  }

  std::unique_ptr<dnsmasq> server;
};

TEST_F(dnsmasq_test, answers_like_any_server) {
  const auto names = start({"--host-record=both.test,192.0.2.1,2001:db8::1,90",
                            "--host-record=four.test,192.0.2.4", "--cname=alias.test,four.test"});
  EXPECT_EQ(answer(*names, "both.test", ip_family::v6), "2001:db8::1");
  EXPECT_EQ(answer(*names, "both.test", ip_family::v4), "192.0.2.1");
  EXPECT_EQ(answer(*names, "four.test", ip_family::v6), "");
  EXPECT_EQ(answer(*names, "alias.test", ip_family::v4), "192.0.2.4");
  EXPECT_THAT(answer(*names, "nowhere.test", ip_family::v4), HasSubstr("Domain name not found"));
  const auto x = ask(*names, "both.test", ip_family::v4);
  ASSERT_TRUE(run_until([&] { return x->done(); }));
  const auto ttl = (**x->outcome).entries[0].ttl.count();
  EXPECT_GT(ttl, 60);
  EXPECT_LE(ttl, 90);
}

TEST_F(dnsmasq_test, asks_again_over_a_stream_when_an_answer_does_not_fit) {
  std::vector<std::string> records;
  for (int i = 1; i <= 100; ++i)
    records.push_back("--host-record=big.test,192.0.2." + std::to_string(i));
  const auto names = start(records);
  const auto text = answer(*names, "big.test", ip_family::v4);
  EXPECT_EQ(std::count(text.begin(), text.end(), ' '), 99) << text;
}

}  // namespace

}  // namespace taps::testing
