// The dependency table of docs/architecture.md, checked on the sources.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

struct source {
  std::string path;
  std::string text;
};

using findings = std::vector<std::string>;

fs::path root() { return fs::canonical("README.md").parent_path(); }

std::string read(const fs::path& file) {
  std::ifstream in{file};
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<source> sources() {
  std::vector<source> result;
  for (const auto* folder : {"core", "net", "actors"})
    for (const auto& x : fs::recursive_directory_iterator{root() / folder})
      if (x.path().extension() == ".hpp" || x.path().extension() == ".cpp")
        result.push_back({fs::relative(x.path(), root()).string(), read(x.path())});
  return result;
}

bool starts_with(const std::string& x, const std::string& prefix) {
  return x.compare(0, prefix.size(), prefix) == 0;
}

/// Adds a finding for each match of `pattern`.
void forbid(const source& x, const char* pattern, findings& out) {
  const std::regex what{pattern, std::regex::icase};
  for (std::sregex_iterator i{x.text.begin(), x.text.end(), what}, end; i != end; ++i)
    out.push_back(x.path + ": " + i->str());
}

findings check_layers(const source& x) {
  findings out;
  if (starts_with(x.path, "core/")) {
    forbid(x,
           R"(#include [<"](taps/(net|actors)|caf|sys|netinet|arpa|ares|openssl|thread|mutex)\b.*)",
           out);
    forbid(x, R"(::now\(\))", out);
  } else if (starts_with(x.path, "net/")) {
    forbid(x, R"(#include [<"](taps/actors|caf)\b.*)", out);
  } else {
    forbid(x,
           R"(#include [<"](sys/(socket|epoll|uio)|netinet|arpa|ares|openssl|usrsctp|ngtcp2)\b.*)",
           out);
  }
  if (!starts_with(x.path, "net/resolver/"))
    forbid(x, R"(#include <ares.*)", out);
  if (!starts_with(x.path, "net/path/"))
    forbid(x, R"(#include <libmnl.*)", out);
  return out;
}

/// No protocol's name leaves its folder; the names that the RFCs put into the API are in
/// core/properties and core/security.
findings check_names(const source& x) {
  findings out;
  for (const auto* api : {"core/properties/", "core/security/", "net/transports/"})
    if (starts_with(x.path, api))
      return out;
  // The system names some of its headers after protocols.
  const source own{x.path, std::regex_replace(x.text, std::regex{"#include <.*>"}, "")};
  forbid(own, R"(\b(tcp|mptcp|udp|udplite|sctp|quic|tls|dtls)\b)", out);
  return out;
}

findings check_size(const source& x) {
  const auto lines = std::count(x.text.begin(), x.text.end(), '\n');
  return lines > 600 ? findings{x.path + ": " + std::to_string(lines) + " lines"} : findings{};
}

findings check_build(const source& x) {
  const fs::path path{x.path};
  const auto build = read(root() / path.parent_path() / "BUILD");
  return build.find("\"" + path.filename().string() + "\"") == std::string::npos
             ? findings{x.path + ": not in its BUILD"}
             : findings{};
}

void expect_none(findings (*check)(const source&)) {
  for (const auto& x : sources())
    for (const auto& finding : check(x))
      ADD_FAILURE() << finding;
}

}  // namespace

TEST(architecture, layers_depend_in_one_direction) { expect_none(check_layers); }

TEST(architecture, no_protocol_leaves_its_folder) { expect_none(check_names); }

TEST(architecture, files_are_of_readable_size) { expect_none(check_size); }

TEST(architecture, every_file_is_in_its_build_file) { expect_none(check_build); }

TEST(architecture, the_checks_find_what_they_look_for) {
  EXPECT_EQ(check_layers({"core/x.hpp", "#include <sys/socket.h>\n"}).size(), 1u);
  EXPECT_EQ(check_layers({"core/x.cpp", "auto t = clock::now();\n"}).size(), 1u);
  EXPECT_EQ(check_layers({"net/x.hpp", "#include <caf/actor.hpp>\n"}).size(), 1u);
  EXPECT_EQ(check_layers({"actors/x.hpp", "#include <sys/epoll.h>\n"}).size(), 1u);
  EXPECT_EQ(check_names({"core/x.hpp", "// like TCP\n"}).size(), 1u);
  EXPECT_EQ(check_names({"net/x.hpp", "#include <netinet/tcp.h>\n"}).size(), 0u);
  EXPECT_EQ(check_size({"core/x.hpp", std::string(601, '\n')}).size(), 1u);
  EXPECT_GT(sources().size(), 50u);
}
