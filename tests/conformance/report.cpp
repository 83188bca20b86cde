// Runs the test programs that carry conformance ids in their names and prints, for each of the 200
// ids, how it fared. With `--list` it only checks that every id is either tested or explained.
//
//   report [--list] IDS NOT_YET PROGRAM...

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

constexpr std::size_t num_ids = 200;

using lines = std::vector<std::pair<std::string, std::string>>;

/// By id, its tests (program and name) with their results; empty for one that never finished.
using test_map = std::map<std::string, std::map<std::string, std::string>>;

/// Reads lines of an id and a text.
lines read_lines(const std::string& path) {
  lines result;
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);)
    if (const auto space = line.find(' '); space != std::string::npos && line[0] != '#')
      result.emplace_back(line.substr(0, space), line.substr(space + 1));
  return result;
}

bool is_number(const std::string& x) {
  return x.size() == 2 && std::isdigit(static_cast<unsigned char>(x[0])) != 0 &&
         std::isdigit(static_cast<unsigned char>(x[1])) != 0;
}

/// A group of ids is two or three capitals; other names are ordinary tests.
bool is_group(const std::string& x) {
  for (const auto c : x)
    if (std::isupper(static_cast<unsigned char>(c)) == 0)
      return false;
  return x.size() == 2 || x.size() == 3;
}

/// `PRE_01_02_text` is for PRE-01 and PRE-02; other names are for none.
std::vector<std::string> ids_of(const std::string& test) {
  std::vector<std::string> result;
  const auto first = test.find('_');
  const auto group = test.substr(0, first);
  if (first == std::string::npos || !is_group(group))
    return result;
  for (auto at = first + 1; at < test.size() && is_number(test.substr(at, 2)); at += 3)
    result.push_back(group + "-" + test.substr(at, 2));
  return result;
}

std::string short_name(const std::string& program) {
  return program.substr(program.find_last_of('/') + 1);
}

std::string output_of(const std::string& command) {
  std::string result;
  char buffer[4096];
  if (auto* pipe = popen(command.c_str(), "r")) {
    while (const auto n = fread(buffer, 1, sizeof buffer, pipe))
      result.append(buffer, n);
    pclose(pipe);
  }
  return result;
}

/// Notes the tests with ids that a program has; returns whether it has any.
bool list(const std::string& program, test_map& tests) {
  const auto names = output_of("'" + program + "' --gtest_list_tests 2>/dev/null");
  bool any = false;
  for (std::size_t at = 0; at < names.size();) {
    const auto end = std::min(names.find('\n', at), names.size());
    if (names.compare(at, 2, "  ") == 0) {
      // What follows a blank is a comment on the parameter.
      const auto line = names.substr(at + 2, end - at - 2);
      const auto test = line.substr(0, line.find(' '));
      for (const auto& id : ids_of(test)) {
        tests[id][short_name(program) + ": " + test] = "";
        any = true;
      }
    }
    at = end + 1;
  }
  return any;
}

/// Runs a program's tests with ids; fills in PASS, SKIP or FAIL.
void run(const std::string& program, test_map& tests) {
  char path[] = "/tmp/conformance-XXXXXX";
  const auto fd = mkstemp(path);
  if (fd < 0)
    return;
  ::close(fd);
  std::cerr << "running " << short_name(program) << std::endl;
  output_of("'" + program + "' --gtest_output=json:" + path + " 2>&1");
  std::ifstream file{path};
  const auto report = nlohmann::json::parse(file, nullptr, false);
  std::remove(path);
  if (report.is_discarded())
    return;
  for (const auto& suite : report.value("testsuites", nlohmann::json::array()))
    for (const auto& test : suite.value("testsuite", nlohmann::json::array())) {
      const auto name = test.value("name", "");
      const auto skipped = test.value("result", "") == "SKIPPED";
      for (const auto& id : ids_of(name))
        tests[id][short_name(program) + ": " + name] = test.contains("failures") ? "FAIL"
                                                       : skipped                 ? "SKIP"
                                                                                 : "PASS";
    }
}

/// The worst of the results of an id's tests; a test without result broke down.
std::string verdict(const std::map<std::string, std::string>& tests) {
  std::string result = "PASS";
  for (const auto& [name, outcome] : tests) {
    if (outcome == "FAIL" || outcome.empty())
      return "FAIL";
    if (outcome == "SKIP")
      result = "SKIP";
  }
  return result;
}

/// Prints what does not fit between ids, tests and explanations; returns how much.
int check(const lines& ids, const lines& not_yet, const test_map& tests) {
  int wrong = 0;
  const auto complain = [&](const std::string& id, const std::string& what) {
    std::cout << id << "  " << what << "\n";
    ++wrong;
  };
  std::map<std::string, int> known;
  for (const auto& [id, text] : ids)
    if (known[id]++ != 0)
      complain(id, "occurs twice in the list of ids");
  if (known.size() != num_ids)
    complain("ids", "there must be " + std::to_string(num_ids));
  std::map<std::string, int> explained;
  for (const auto& [id, why] : not_yet) {
    if (explained[id]++ != 0)
      complain(id, "is explained twice");
    if (known.count(id) == 0)
      complain(id, "is explained but no id");
    if (tests.count(id) != 0)
      complain(id, "is both tested and explained as not yet reachable");
  }
  for (const auto& entry : tests)
    if (known.count(entry.first) == 0)
      complain(entry.first, "is tested (" + entry.second.begin()->first + ") but no id");
  for (const auto& entry : known)
    if (tests.count(entry.first) == 0 && explained.count(entry.first) == 0)
      complain(entry.first, "is neither tested nor explained");
  return wrong;
}

/// Prints the result of every id and the sum; returns how many failed.
int print_results(const lines& ids, const lines& not_yet, const test_map& tests) {
  std::map<std::string, std::string> why;
  for (const auto& [id, text] : not_yet)
    why[id] = text;
  std::map<std::string, int> counts;
  for (const auto& [id, text] : ids) {
    const auto found = tests.find(id);
    const auto result = found == tests.end() ? "NOT YET" : verdict(found->second);
    ++counts[result];
    std::cout << id << "  " << result << (result == "NOT YET" ? " " + why[id] : "") << "  (" << text
              << ")\n";
    if (result == "FAIL")
      for (const auto& [name, outcome] : found->second)
        if (outcome == "FAIL" || outcome.empty())
          std::cout << "        " << name << (outcome.empty() ? " did not finish" : "") << "\n";
  }
  std::cout << counts["PASS"] << " passed, " << counts["SKIP"] << " skipped, of " << ids.size()
            << std::endl;
  return counts["FAIL"];
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto only_list = !arguments.empty() && arguments[0] == "--list";
  if (only_list)
    arguments.erase(arguments.begin());
  if (arguments.size() < 3) {
    std::cerr << "usage: report [--list] IDS NOT_YET PROGRAM..." << std::endl;
    return 2;
  }
  const auto ids = read_lines(arguments[0]);
  const auto not_yet = read_lines(arguments[1]);
  test_map tests;
  int wrong = 0;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    // A program that does not even list its tests would otherwise go unnoticed.
    if (!list(arguments[i], tests)) {
      std::cout << arguments[i] << "  has no test with an id, or does not run\n";
      ++wrong;
    }
    if (!only_list)
      run(arguments[i], tests);
  }
  wrong += check(ids, not_yet, tests);
  if (!only_list)
    wrong += print_results(ids, not_yet, tests);
  return wrong == 0 ? 0 : 1;
}
