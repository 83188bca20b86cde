#pragma once

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>

/// Takes a number in a range. `CLI::Range` also takes "nan", and puts itself into the help.
inline CLI::Validator number_from(double low, double high) {
  std::ostringstream problem;
  problem << " is not a number from " << low << " to " << high;
  return {[=, text = problem.str()](std::string& given) {
            double number = 0;
            const auto fits =
                CLI::detail::lexical_cast(given, number) && number >= low && number <= high;
            return fits ? std::string{} : "'" + given + "'" + text;
          },
          ""};
}

/// Reads the command line; leaves the program with 0 after `--help` and with 2 after bad usage.
inline void parse_or_exit(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    std::exit(app.exit(problem) == 0 ? 0 : 2);
  }
}

/// Says why the program cannot work, such as for want of descriptors; returns its exit code.
inline int give_up(const std::exception& problem) {
  std::cerr << problem.what() << std::endl;
  return 1;
}
