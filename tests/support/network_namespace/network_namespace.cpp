#include "taps/tests/support/network_namespace/network_namespace.hpp"

#include "taps/tests/support/network_namespace/enter.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace taps::testing {

namespace {

std::string& reason() {
  static std::string text = "main did not enter one";
  return text;
}

}  // namespace

const std::string& outside_namespace() { return reason(); }

void shell(const std::string& command) { EXPECT_EQ(std::system(command.c_str()), 0) << command; }

// -- neighbour ------------------------------------------------------------------------------------

namespace {

void end(pid_t who) {
  ::kill(who, SIGKILL);
  ::waitpid(who, nullptr, 0);
}

}  // namespace

neighbour::neighbour(const std::string& name) : name_(name) {
  int ready[2] = {-1, -1};
  EXPECT_EQ(::pipe(ready), 0);
  host_ = ::fork();
  if (host_ == 0) {
    // Between fork and here other threads may have held any lock: system calls only.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const char done = ::unshare(CLONE_NEWNET) == 0 ? 1 : 0;
    static_cast<void>(!::write(ready[1], &done, 1));
    for (;;)
      ::pause();
  }
  char done = 0;
  EXPECT_EQ(::read(ready[0], &done, 1), 1);
  EXPECT_EQ(done, 1) << "no second namespace";
  ::close(ready[0]);
  ::close(ready[1]);
  testing::shell("ip link add " + name + " type veth peer name eth0 netns " +
                 std::to_string(host_));
  testing::shell("ip link set " + name + " up");
  shell("ip link set lo up && ip link set eth0 up");
}

neighbour::~neighbour() {
  for (const auto x : running_)
    end(x);
  // The namespace, and the cable with it, goes some time after its last process.
  testing::shell("ip link del " + name_);
  end(host_);
}

std::string neighbour::there(const std::string& command) const {
  return "exec nsenter --net=/proc/" + std::to_string(host_) + "/ns/net sh -c '" + command + "'";
}

void neighbour::shell(const std::string& command) { testing::shell(there(command)); }

void neighbour::start(const std::string& command) {
  const auto all = there("exec " + command);
  const char* const arguments[] = {"sh", "-c", all.c_str(), nullptr};
  pid_t made = -1;
  EXPECT_EQ(
      ::posix_spawnp(&made, "sh", nullptr, nullptr, const_cast<char* const*>(arguments), environ),
      0);
  running_.push_back(made);
}

}  // namespace taps::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  taps::testing::reason() = taps::testing::enter_network_namespace();
  return RUN_ALL_TESTS();
}
