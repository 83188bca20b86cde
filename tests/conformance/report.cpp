// Runs the test programs that carry conformance ids in their names and prints, for each of the 200
// ids, how it fared. With `--list` it only checks that every id is either tested or explained.
//
//   report IDS NOT_YET PROGRAM...

#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

using id_map = std::map<std::string, std::string>;

/// Reads lines of an id and a text.
std::vector<std::pair<std::string, std::string>> read_lines(const std::string& path) {
  std::vector<std::pair<std::string, std::string>> result;
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);)
    if (const auto space = line.find(' '); space != std::string::npos && line[0] != '#')
      result.emplace_back(line.substr(0, space), line.substr(space + 1));
  return result;
}

bool all_digits(const std::string& x) {
  return x.size() == 2 && isdigit(x[0]) != 0 && isdigit(x[1]) != 0;
}

/// `PRE_01_02_text` is for PRE-01 and PRE-02; other names are for none.
std::vector<std::string> ids_of(const std::string& test) {
  std::vector<std::string> result;
  const auto first = test.find('_');
  if (first == std::string::npos || first < 2 || first > 3)
    return result;
  const auto group = test.substr(0, first);
  for (auto at = first + 1; all_digits(test.substr(at, 2)); at += 3)
    result.push_back(group + "-" + test.substr(at, 2));
  return result;
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

/// Ids of the tests that a program has.
void list(const std::string& program, std::map<std::string, id_map>& tests) {
  std::string names = output_of("'" + program + "' --gtest_list_tests 2>/dev/null");
  for (std::size_t at = 0; at < names.size();) {
    const auto end = std::min(names.find('\n', at), names.size());
    if (names.compare(at, 2, "  ") == 0) {
      const auto test = names.substr(at + 2, end - at - 2);
      for (const auto& id : ids_of(test))
        tests[id][test] = "";
    }
    at = end + 1;
  }
}

/// Runs a program's tests with ids; fills in PASS, SKIP or FAIL.
void run(const std::string& program, std::map<std::string, id_map>& tests) {
  char path[] = "/tmp/conformance-XXXXXX";
  const auto fd = mkstemp(path);
  if (fd < 0)
    return;
  ::close(fd);
  std::cerr << "running " << program << std::endl;
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
        tests[id][name] = test.contains("failures") ? "FAIL" : skipped ? "SKIP" : "PASS";
    }
}

/// The worst of the results of an id's tests; a test without result broke down.
std::string verdict(const id_map& tests) {
  std::string result = "PASS";
  for (const auto& entry : tests) {
    if (entry.second == "FAIL" || entry.second.empty())
      return "FAIL";
    if (entry.second == "SKIP")
      result = "SKIP";
  }
  return result;
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
  std::map<std::string, std::string> not_yet;
  for (const auto& [id, why] : read_lines(arguments[1]))
    not_yet[id] = why;
  std::map<std::string, id_map> tests;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    list(arguments[i], tests);
    if (!only_list)
      run(arguments[i], tests);
  }
  int passed = 0;
  int skipped = 0;
  int wrong = ids.size() == 200 ? 0 : 1;
  for (const auto& [id, text] : ids) {
    std::string result;
    if (not_yet.count(id) != 0) {
      result = "NOT YET " + not_yet[id];
    } else if (tests.count(id) == 0) {
      result = "MISSING neither tested nor explained";
      ++wrong;
    } else if (only_list) {
      continue;
    } else {
      result = verdict(tests[id]);
      passed += result == "PASS" ? 1 : 0;
      skipped += result == "SKIP" ? 1 : 0;
      wrong += result == "FAIL" ? 1 : 0;
    }
    if (!only_list || result.rfind("MISSING", 0) == 0)
      std::cout << id << "  " << result << "  (" << text << ")\n";
  }
  if (!only_list)
    std::cout << passed << " passed, " << skipped << " skipped, of " << ids.size() << std::endl;
  return wrong == 0 ? 0 : 1;
}
