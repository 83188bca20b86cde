#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace {

struct outcome {
  std::string text;
  int code = -1;
};

/// Runs a shell command for at most 20 seconds; output and errors come together.
outcome run(const std::string& command) {
  outcome result;
  auto* pipe = popen(("timeout 20 sh -c '" + command + "' 2>&1").c_str(), "r");
  if (!pipe)
    return result;
  std::array<char, 4096> buffer;
  while (const auto n = fread(buffer.data(), 1, buffer.size(), pipe))
    result.text.append(buffer.data(), n);
  const auto status = pclose(pipe);
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

bool has_program(const std::string& name) { return run("command -v " + name).code == 0; }

/// A hello_server on a port of its own choice.
class hello_server {
public:
  hello_server() {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0)
      return;
    child_ = fork();
    if (child_ == 0) {
      dup2(ends[1], 1);
      ::close(ends[0]);
      ::close(ends[1]);
      alarm(60);
      execl("examples/hello_server", "hello_server", "--port", "0", nullptr);
      _exit(127);
    }
    ::close(ends[1]);
    out_ = fdopen(ends[0], "r");
    std::array<char, 256> line{};
    int port = 0;
    if (fgets(line.data(), line.size(), out_) &&
        sscanf(line.data(), "listening on port %d", &port) == 1)
      port_ = std::to_string(port);
  }
  ~hello_server() { stop(); }

  /// Ends it with a signal; returns its exit code.
  int stop() {
    if (child_ <= 0)
      return -1;
    kill(child_, SIGTERM);
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = -1;
    fclose(out_);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  [[nodiscard]] const std::string& port() const { return port_; }

private:
  pid_t child_ = -1;
  FILE* out_ = nullptr;
  std::string port_;
};

const std::string greeting = "Got message 17: Hello from server\n";

}  // namespace

TEST(examples, NEA_02_the_pair_of_the_manual) {
  hello_server server;
  ASSERT_FALSE(server.port().empty());
  for (const std::string host : {"localhost", "127.0.0.1", "::1"}) {
    const auto client = run("examples/hello_client " + host + " --port " + server.port());
    EXPECT_EQ(client.text, greeting) << host;
    EXPECT_EQ(client.code, 0);
  }
  EXPECT_EQ(server.stop(), 0);
}

TEST(examples, a_stranger_as_client) {
  if (!has_program("socat"))
    GTEST_SKIP() << "socat is not installed";
  hello_server server;
  EXPECT_EQ(run("echo hi | socat -t5 - TCP:127.0.0.1:" + server.port()).text, "Hello from server");
  if (has_program("nc")) {
    EXPECT_EQ(run("echo hi | nc -w 5 127.0.0.1 " + server.port()).text, "Hello from server");
  }
}

TEST(examples, a_stranger_as_server) {
  if (!has_program("socat"))
    GTEST_SKIP() << "socat is not installed";
  const auto both =
      run("exec 3>&1; socat -d -d TCP-LISTEN:0,bind=127.0.0.1 "
          "SYSTEM:\"head -c 17 >/dev/null; printf Hello_from_server\" 2>socat.log & "
          "for i in $(seq 500); do port=$(sed -n \"s/.*listening on .*:\\([0-9]*\\)/\\1/p\" "
          "socat.log); "
          "test -n \"$port\" && break; done; examples/hello_client 127.0.0.1 --port $port; wait");
  EXPECT_NE(both.text.find("Got message 17: Hello_from_server"), std::string::npos) << both.text;
}

TEST(examples, no_listener_is_one_clear_error) {
  hello_server server;
  const auto port = server.port();
  server.stop();
  const auto client = run("examples/hello_client localhost --port " + port);
  EXPECT_EQ(client.code, 1);
  EXPECT_NE(client.text.find("127.0.0.1:" + port), std::string::npos) << client.text;
  EXPECT_NE(client.text.find("Connection refused"), std::string::npos) << client.text;
}

TEST(examples, a_port_in_use_is_one_clear_error) {
  hello_server server;
  const auto second = run("examples/hello_server --port " + server.port());
  EXPECT_EQ(second.code, 1);
  EXPECT_NE(second.text.find("port " + server.port() + " is in use"), std::string::npos)
      << second.text;
}

TEST(examples, bad_usage_is_2_and_help_is_0) {
  for (const std::string program : {"quickstart", "hello_server", "hello_client", "five_bytes"}) {
    EXPECT_EQ(run("examples/" + program + " --no-such-option").code, 2) << program;
    EXPECT_EQ(run("examples/" + program + " --help").code, 0) << program;
  }
}

TEST(examples, quickstart_shows_the_race_and_the_exchange) {
  const auto shown = run("examples/quickstart");
  EXPECT_EQ(shown.code, 0);
  for (const std::string part : {"localhost AAAA", "won", "server: got", "client: got"})
    EXPECT_NE(shown.text.find(part), std::string::npos) << shown.text;
}

TEST(examples, five_bytes_on_a_connection_and_its_clone) {
  const auto shown = run("examples/five_bytes");
  EXPECT_EQ(shown.code, 0);
  EXPECT_NE(shown.text.find("got first"), std::string::npos) << shown.text;
  EXPECT_NE(shown.text.find("got clone"), std::string::npos) << shown.text;
}
