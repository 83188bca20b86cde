// What the documents quote, name and promise is compared with what is there.

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace fs = std::filesystem;

namespace {

fs::path root() { return fs::canonical("README.md").parent_path(); }

std::string read(const fs::path& file) {
  std::ifstream in{file};
  EXPECT_TRUE(in) << file;
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

/// The documents, by their paths below the root.
std::vector<std::string> documents() {
  std::vector<std::string> result{"README.md", "CONTRIBUTING.md"};
  for (const auto& x : fs::directory_iterator{root() / "docs"})
    if (x.path().extension() == ".md")
      result.push_back("docs/" + x.path().filename().string());
  return result;
}

/// Returns the lines between `--(begin part)--` and `--(end part)--`, or the text without a part.
std::string part_of(const std::string& text, const std::string& part) {
  if (part.empty())
    return text;
  const auto begin = text.find("--(begin " + part + ")--\n");
  const auto end = text.find("// --(end " + part + ")--");
  if (begin == std::string::npos || end == std::string::npos)
    return "no part " + part;
  const auto first = text.find('\n', begin) + 1;
  return text.substr(first, end - first);
}

struct quote {
  std::string file;
  std::string part;
  std::string text;
};

/// Finds what follows `<!-- quoted: FILE PART -->` in a code block.
std::vector<quote> quotes_in(const std::string& document) {
  const std::regex what{R"(<!-- quoted: (\S+)( \w+)? -->\n```\w*\n)"};
  std::vector<quote> result;
  for (std::sregex_iterator i{document.begin(), document.end(), what}, end; i != end; ++i) {
    const auto first = static_cast<std::size_t>(i->position() + i->length());
    auto part = i->str(2);
    part.erase(0, 1);
    result.push_back(
        {i->str(1), part, document.substr(first, document.find("```", first) - first)});
  }
  return result;
}

/// The paths that a document names in backticks, or links to; those with wildcards are left out.
std::vector<std::string> paths_in(const std::string& name, const std::string& document) {
  const std::regex code{R"(`((core|net|actors|tests|examples|bench|docs|tools)/[\w./-]+)`)"};
  const std::regex link{R"(\]\(([\w./-]+)\))"};
  const auto folder = fs::path{name}.parent_path();
  std::vector<std::string> result;
  for (std::sregex_iterator i{document.begin(), document.end(), code}, end; i != end; ++i)
    result.push_back(i->str(1));
  for (std::sregex_iterator i{document.begin(), document.end(), link}, end; i != end; ++i)
    result.push_back((folder / i->str(1)).string());
  return result;
}

std::string output_of(const char* program) {
  std::string result;
  auto* pipe = popen(program, "r");
  if (!pipe)
    return result;
  std::array<char, 4096> buffer;
  while (const auto n = fread(buffer.data(), 1, buffer.size(), pipe))
    result.append(buffer.data(), n);
  EXPECT_EQ(pclose(pipe), 0);
  return result;
}

}  // namespace

TEST(docs, quotes_are_what_is_compiled) {
  std::size_t found = 0;
  for (const auto& name : documents()) {
    for (const auto& x : quotes_in(read(root() / name))) {
      ++found;
      EXPECT_EQ(x.text, part_of(read(root() / x.file), x.part)) << name << " quotes " << x.file;
    }
  }
  EXPECT_GE(found, 8u);
}

TEST(docs, paths_exist) {
  std::size_t found = 0;
  for (const auto& name : documents()) {
    for (const auto& x : paths_in(name, read(root() / name))) {
      ++found;
      EXPECT_TRUE(fs::exists(root() / x)) << name << " names " << x;
    }
  }
  EXPECT_GE(found, 50u);
}

TEST(docs, the_protocols_page_is_up_to_date) {
  EXPECT_EQ(read(root() / "docs/transports.md"), output_of("docs/transports"))
      << "run: ./bazelw run //docs:transports > docs/transports.md";
}

TEST(docs, the_checks_find_what_they_look_for) {
  const auto quotes = quotes_in("<!-- quoted: a.cpp x -->\n```cpp\n1\n2\n```\n");
  ASSERT_EQ(quotes.size(), 1u);
  EXPECT_EQ(quotes[0].text, "1\n2\n");
  EXPECT_EQ(quotes[0].part, "x");
  EXPECT_EQ(part_of("0\n// --(begin x)--\n1\n2\n// --(end x)--\n3\n", "x"), "1\n2\n");
  EXPECT_EQ(part_of("0\n", "x"), "no part x");
  const std::vector<std::string> expected{"core/a.hpp", "docs/b.md"};
  EXPECT_EQ(paths_in("docs/c.md", "`core/a.hpp`, `core/*.hpp`, [b](b.md), [w](https://x.org)"),
            expected);
}
