#pragma once

#include <CLI/CLI.hpp>

#include <cstdlib>

/// Reads the command line; leaves the program with 0 after `--help` and with 2 after bad usage.
inline void parse_or_exit(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    std::exit(app.exit(problem) == 0 ? 0 : 2);
  }
}
