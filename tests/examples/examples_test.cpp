#include <gtest/gtest.h>

#include <algorithm>
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

/// A server that says on which port it listens, once it does.
class server {
public:
  /// `says` is the text before the port in the line that `command` prints.
  server(const std::string& command, const std::string& says) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0)
      return;
    child_ = fork();
    if (child_ == 0) {
      dup2(ends[1], 1);
      dup2(ends[1], 2);
      ::close(ends[0]);
      ::close(ends[1]);
      alarm(60);
      execl("/bin/sh", "sh", "-c", ("exec " + command).c_str(), nullptr);
      _exit(127);
    }
    ::close(ends[1]);
    out_ = fdopen(ends[0], "r");
    while (port_.empty()) {
      const auto line = read_line();
      if (line.empty())
        break;
      seen_ += line;
      if (const auto at = line.find(says); at != std::string::npos)
        port_ = std::to_string(std::atoi(line.c_str() + at + says.size()));
    }
    EXPECT_FALSE(port_.empty()) << command << " printed: " << seen_;
  }
  ~server() { stop(SIGKILL); }

  /// Ends it with a signal; returns its exit code, -1 when it has none.
  int stop(int signal) {
    if (child_ <= 0)
      return -1;
    kill(child_, signal);
    return wait();
  }

  /// Waits until it ends; returns its exit code, -1 when it has none.
  int wait() {
    for (auto line = read_line(); !line.empty(); line = read_line())
      seen_ += line;
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = -1;
    fclose(out_);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  [[nodiscard]] const std::string& port() const { return port_; }
  /// What it has printed, as far as it was read: all of it after `stop` and `wait`.
  [[nodiscard]] const std::string& seen() const { return seen_; }

private:
  std::string read_line() {
    std::array<char, 512> line{};
    return fgets(line.data(), line.size(), out_) ? line.data() : "";
  }

  pid_t child_ = -1;
  FILE* out_ = nullptr;
  std::string port_;
  std::string seen_;
};

/// A hello_server on a port of its own choice.
server make_hello_server() { return {"examples/hello_server --port 0", "listening on port "}; }

outcome run_client(const std::string& host, const std::string& port) {
  return run("examples/hello_client " + host + " --port " + port);
}

const std::string greeting = "Got message 17: Hello from server\n";

}  // namespace

TEST(examples, NEA_02_the_pair_of_the_manual) {
  auto hello = make_hello_server();
  for (const std::string host : {"localhost", "127.0.0.1", "::1"}) {
    const auto client = run_client(host, hello.port());
    EXPECT_EQ(client.text, greeting) << host;
    EXPECT_EQ(client.code, 0);
  }
  EXPECT_EQ(hello.stop(SIGTERM), 0);
  EXPECT_NE(hello.seen().find("greeted a client"), std::string::npos) << hello.seen();
}

TEST(examples, hello_server_ends_on_interrupt) {
  auto hello = make_hello_server();
  EXPECT_EQ(hello.stop(SIGINT), 0);
}

TEST(examples, socat_and_nc_as_client) {
  if (!has_program("socat") || !has_program("nc"))
    GTEST_SKIP() << "socat or nc is not installed";
  auto hello = make_hello_server();
  // Both finish sending before the answer comes.
  EXPECT_EQ(run("echo hi | socat -t5 - TCP:127.0.0.1:" + hello.port()).text, "Hello from server");
  EXPECT_EQ(run("echo hi | nc -N -w 5 127.0.0.1 " + hello.port()).text, "Hello from server");
  EXPECT_EQ(run("echo hi | nc -w 5 127.0.0.1 " + hello.port()).text, "Hello from server");
}

TEST(examples, socat_as_server) {
  if (!has_program("socat"))
    GTEST_SKIP() << "socat is not installed";
  server stranger{"socat -d -d TCP-LISTEN:0,bind=127.0.0.1 "
                  "SYSTEM:\"head -c 12 >/dev/null; printf Hello_from_server\"",
                  "listening on AF=2 127.0.0.1:"};
  const auto client = run_client("127.0.0.1", stranger.port());
  EXPECT_EQ(client.text, "Got message 17: Hello_from_server\n");
  EXPECT_EQ(client.code, 0);
}

TEST(examples, nc_as_server) {
  if (!has_program("nc"))
    GTEST_SKIP() << "nc is not installed";
  server stranger{"nc -lv -N 127.0.0.1 0 <<EOF\nHello\nEOF", "Listening on localhost "};
  const auto client = run_client("127.0.0.1", stranger.port());
  EXPECT_EQ(client.text, "Got message 6: Hello\n\n");
  EXPECT_EQ(client.code, 0);
  EXPECT_EQ(stranger.wait(), 0);
  EXPECT_NE(stranger.seen().find("Hello server"), std::string::npos) << stranger.seen();
}

TEST(examples, a_silent_server_is_not_waited_for) {
  if (!has_program("socat"))
    GTEST_SKIP() << "socat is not installed";
  server stranger{"socat -d -d -u TCP-LISTEN:0,bind=127.0.0.1 OPEN:/dev/null",
                  "listening on AF=2 127.0.0.1:"};
  const auto client =
      run("examples/hello_client 127.0.0.1 --timeout 0.3 --port " + stranger.port());
  EXPECT_EQ(client.text, "hello_client: nothing came in time\n");
  EXPECT_EQ(client.code, 1);
}

TEST(examples, no_descriptors_are_one_clear_error) {
  for (const std::string program : {"quickstart", "hello_server", "hello_client", "five_bytes"}) {
    const auto starved = run("ulimit -n 4; examples/" + program);
    EXPECT_EQ(starved.code, 1) << program << ": " << starved.text;
    EXPECT_NE(starved.text.find("Too many open files"), std::string::npos) << starved.text;
  }
}

TEST(examples, no_listener_is_one_clear_error) {
  auto hello = make_hello_server();
  const auto port = hello.port();
  hello.stop(SIGTERM);
  const auto client = run_client("localhost", port);
  EXPECT_EQ(client.code, 1);
  // Every candidate is named.
  for (const auto& where : {"127.0.0.1:" + port, "[::1]:" + port})
    EXPECT_NE(client.text.find(where + ": Connection refused"), std::string::npos) << client.text;
  EXPECT_EQ(std::count(client.text.begin(), client.text.end(), '\n'), 1) << client.text;
}

TEST(examples, a_port_in_use_is_one_clear_error) {
  auto hello = make_hello_server();
  const auto second = run("examples/hello_server --port " + hello.port());
  EXPECT_EQ(second.code, 1);
  EXPECT_NE(second.text.find("port " + hello.port() + " is in use"), std::string::npos)
      << second.text;
}

TEST(examples, bad_usage_is_2_and_help_is_0) {
  for (const std::string program :
       {"quickstart", "hello_server", "hello_client", "five_bytes", "race", "rendezvous"}) {
    EXPECT_EQ(run("examples/" + program + " --no-such-option").code, 2) << program;
    EXPECT_EQ(run("examples/" + program + " --help").code, 0) << program;
  }
  EXPECT_EQ(run("examples/hello_client --port 65536").code, 2);
  EXPECT_EQ(run("examples/hello_client --timeout 0").code, 2);
}

TEST(examples, quickstart_shows_the_race_and_the_exchange) {
  const auto shown = run("examples/quickstart");
  EXPECT_EQ(shown.code, 0);
  for (const std::string part : {"localhost AAAA", "won", "server: got", "client: got"})
    EXPECT_NE(shown.text.find(part), std::string::npos) << shown.text;
}

TEST(examples, race_tells_and_draws) {
  auto hello = make_hello_server();
  const auto shown =
      run("examples/race localhost " + hello.port() +
          " --prefer multipath --svg $TEST_TMPDIR/race.svg && cat $TEST_TMPDIR/race.svg");
  EXPECT_EQ(shown.code, 0);
  for (const std::string part : {"established in", "localhost AAAA", "|  won", "<svg ", "</svg>"})
    EXPECT_NE(shown.text.find(part), std::string::npos) << shown.text;
}

TEST(examples, a_lost_race_is_drawn_and_fails) {
  const auto shown = run("examples/race 127.0.0.1 1 --svg /dev/stdout");
  EXPECT_EQ(shown.code, 1);
  for (const std::string part : {"not established", "Connection refused", "</svg>"})
    EXPECT_NE(shown.text.find(part), std::string::npos) << shown.text;
  const auto unknown = run("examples/race 127.0.0.1 1 --require speed");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.text.find("speed: there is no such property"), std::string::npos);
  EXPECT_EQ(run("examples/race 127.0.0.1 1 --svg /nowhere/race.svg").code, 1);
}

TEST(examples, five_bytes_on_a_connection_and_its_clone) {
  const auto shown = run("examples/five_bytes");
  EXPECT_EQ(shown.code, 0);
  EXPECT_NE(shown.text.find("got first"), std::string::npos) << shown.text;
  EXPECT_NE(shown.text.find("got clone"), std::string::npos) << shown.text;
}

TEST(examples, two_peers_meet) {
  // Each is told what the other one prints.
  for (const std::string how : {"", " --stream"}) {
    const auto peer = "examples/rendezvous --local 127.0.0.1" + how + " --message ";
    const auto shown =
        run("cd $TEST_TMPDIR; rm -f a b; mkfifo a b; cd - > /dev/null; " + peer +
            "from_a < $TEST_TMPDIR/a > $TEST_TMPDIR/a.out & " + peer +
            "from_b < $TEST_TMPDIR/b > $TEST_TMPDIR/b.out & "
            "exec 3> $TEST_TMPDIR/a 4> $TEST_TMPDIR/b; "
            "told() { sed -n \"s/tell the peer: //p\" $TEST_TMPDIR/$1.out; }; "
            "until test -n \"$(told a)\" -a -n \"$(told b)\"; do :; done; "
            "told b >&3; told a >&4; wait; cat $TEST_TMPDIR/a.out $TEST_TMPDIR/b.out");
    for (const std::string part :
         {"met 127.0.0.1:", "Got message 6: from_a", "Got message 6: from_b"})
      EXPECT_NE(shown.text.find(part), std::string::npos) << shown.text;
  }
}
