#pragma once

#include <cstdint>
#include <string>

namespace bench {

/// Ends the program's run with the name of the system call that failed.
[[noreturn]] void fail(const char* call);

/// A non-blocking listener at a fresh port, which is stored to `port`. What it accepts has
/// TCP_NODELAY: Linux hands that option down.
int open_listener(const std::string& address, std::uint16_t& port);

/// A non-blocking socket with TCP_NODELAY whose connect is under way.
int start_connect(const std::string& address, std::uint16_t port);

/// A connected, blocking socket with TCP_NODELAY.
int connect_blocking(const std::string& address, std::uint16_t port);

}  // namespace bench
